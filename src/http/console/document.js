// One issued document, and under each row what it is made of: arrays, days, hours, positions in Kafka.
import { get, list, query } from "./api.js";
import { amount, button, counted, doing, el, fill, instant, note, percent, section, table, tag } from "./dom.js";
import { visited } from "./billing.js";
import { documentLink } from "./issued.js";
import { correctedBy, forms } from "./issued.js";

const WAYS = [["array", "arrays"], ["day", "days"], ["hour", "hours"], ["resource", "resources"]];

const fact = (name, ...value) => el("div", null, el("dt", null, name), el("dd", null, value));

function price(row) {
  if (row.price === null) return "–";
  return [amount(row.price), row.list_price !== row.price && el("span", { class: "sub" }, `list ${amount(row.list_price)}`),
    row.discounts.map((one) => el("span", { class: "sub" }, `${one.reason} −${percent(one.percent)}`))];
}

function band(row) {
  if (!row.band) return null;
  return el("span", { class: "sub" }, row.band.up_to === null ? `over ${row.band.over}` : `${row.band.over} to ${row.band.up_to}`);
}

function rows(document, open) {
  const trace = (row) => (open ? button("Trace", (event) => open(row, event.target), { "aria-label": `Trace row ${row.no}`, "aria-controls": "trace" }) : "");
  return table("Rows", [
    // the number has a line of its own: before "4 % of block" it would read as a part of the figure
    { head: "Row", cell: (row) => [el("span", { class: "sub" }, `Row ${row.no}`), row.description || row.line, band(row)] },
    { head: "Kind", cell: (row) => row.kind },
    { head: "Quantity", num: true, cell: (row) => [amount(row.quantity), row.unit && el("span", { class: "sub" }, row.unit)] },
    { head: "Price", num: true, cell: price },
    { head: "Coverage", num: true, cell: (row) => (row.coverage === null ? "–" : [percent(row.coverage * 100), row.estimated && tag("estimated", "warn")]) },
    { head: "Amount", num: true, cell: (row) => el("b", null, amount(row.amount, document.currency)) },
    open && { head: "Behind it", cell: trace },
  ].filter(Boolean), document.rows, "It has no rows.");
}

const positions = (piece) => piece.positions.map((one) => el("code", { class: "sub" }, `${one.stream}/${one.partition}: ${one.first} to ${one.last}, ${counted(one.events, "event", "events")}`));

function pieces(data, ways, of) {
  if (data.length && data[0].amount !== undefined && data[0].no !== undefined) {
    return table("Rows that it is computed from", [
      { head: "Row", cell: (row) => row.no }, { head: "Line", cell: (row) => row.line ?? "–" }, { head: "Kind", cell: (row) => row.kind },
      { head: "Amount", num: true, cell: (row) => amount(row.amount) }], data);
  }
  const columns = [
    data.some((piece) => piece.array) && { head: "Array", cell: (piece) => (of ? piece.array : button(piece.array, () => ways("hour", piece.array), { class: "quiet" })) },
    data.some((piece) => piece.resource) && { head: "Resource", cell: (piece) => piece.resource },
    { head: "From (UTC)", fix: true, cell: (piece) => instant(piece.start) },
    { head: "Until (UTC)", fix: true, cell: (piece) => instant(piece.end) },
    { head: "Quantity", num: true, cell: (piece) => amount(piece.quantity) },
    { head: "Estimated", num: true, cell: (piece) => (String(piece.held) === "0" ? "–" : amount(piece.held)) },
    { head: "Positions in Kafka", cell: positions },
  ].filter(Boolean);
  return table("Pieces", columns, data, "It comes from the contract alone: no usage is behind it.");
}

function windows(data) {
  if (!data.length) return null;
  return [el("h3", null, "Days against the commitment"), table("Days against the commitment", [
    { head: "From (UTC)", cell: (row) => instant(row.start) }, { head: "Until (UTC)", cell: (row) => instant(row.end) },
    { head: "Level", num: true, cell: (row) => amount(row.level) }, { head: "Committed", num: true, cell: (row) => amount(row.committed) },
    { head: "Over", num: true, cell: (row) => amount(row.over) }], data)];
}

const SIDES = ["after", "before"];

// An adjustment's row is the difference of two ratings.
function difference(found) {
  const line = (name, one) => one && el("p", null, `${name}: ${amount(one.after)} after, ${amount(one.before)} before, between them ${amount(one.difference)}: `,
    one.equal ? tag("as the row says", "good") : tag("NOT what the row says", "bad"));
  return el("div", null, line("Quantity", found.quantity), line("Amount", found.amount));
}

// What is behind a row, by one key after the other; more pages at the end.
async function trace(context, number, row, place, by, array, cursor, side) {
  const path = `/v1/invoices/${encodeURIComponent(number)}/rows/${row.no}/trace${query({ by, array, cursor, side })}`;
  const found = await get(path);
  if (!context.isCurrent()) return;
  const again = (nextBy, nextArray, next, nextSide = side) => trace(context, number, row, place, nextBy, nextArray, next, nextSide);
  const press = (act) => (event) => doing(event.target, act);
  const allowed = WAYS.filter(([name]) => name !== "resource" || context.reader.principal !== "vendor");
  const title = el("h2", { id: "trace-title", tabindex: "-1" }, `Behind row ${row.no}${array ? `, array ${array}` : ""}, by ${by}`);
  place.replaceChildren(...[title, note(found.from), found.side && note(found.side.from), found.difference && difference(found.difference),
    found.difference && el("div", { class: "buttons", role: "group", "aria-label": "Rating" }, SIDES.map((name) =>
      button(`the rating ${name}`, press(() => again(by, array, undefined, name)),
        { "aria-pressed": String(name === found.side.side), class: name === found.side.side ? "main" : "" }))),
    found.sum && el("div", { class: "buttons", role: "group", "aria-label": "By" }, allowed.map(([name, text]) =>
      button(text, press(() => again(name, array)), { "aria-pressed": String(name === by), class: name === by ? "main" : "" })),
    array && button("All arrays", press(() => again("array")))),
    pieces(found.data, (nextBy, nextArray) => again(nextBy, nextArray), array),
    found.sum && el("p", null, `${counted(found.sum.pieces, "piece", "pieces")}, quantity ${amount(found.sum.quantity)}: `,
      found.sum.equal ? tag("they add up to what was priced", "good") : tag(array ? "a part of what was priced" : "they do NOT add up", array ? "plain" : "bad")),
    found.next_cursor && button("More pieces", press(() => again(by, array, found.next_cursor))),
    windows(found.windows)].flat().filter(Boolean));
  title.focus();
}

export async function document_(context) {
  const number = context.asked.parts[1];
  const [found, correcting] = await Promise.all([get(`/v1/invoices/${encodeURIComponent(number)}`), list("/v1/invoices", { corrects: number })]);
  const place = el("section", { id: "trace", "aria-live": "polite" });
  const open = context.reader.principal === "customer" ? null
    : (row, pressed) => doing(pressed, () => trace(context, number, row, place, "array"));
  const kind = found.type === "credit_note" ? "Credit note" : found.type === "adjustment" ? "Adjustment" : "Invoice";
  fill(context.place, el("p", { class: "crumb" }, el("a", { href: visited.hash }, "← Billing")),
    el("h1", null, `${kind} ${number}`),
    el("p", { class: "lead" }, `${found.seller.name} to ${found.buyer.name}, ${found.contract} `, tag(found.state.replace("_", " "))),
    forms(number),
    el("dl", { class: "facts" },
      fact("Total", amount(found.total, found.currency)), fact("Net", amount(found.net, found.currency)), fact("Saving on list", amount(found.saving, found.currency)),
      fact("Period", found.period.label, el("small", null, ` ${found.period.time_zone}`)), fact("Issued", el("small", null, found.issue_date)), fact("Due", el("small", null, found.due_date))),
    found.references.corrects.length > 0 && el("p", { id: "corrects" }, "Corrects ", found.references.corrects.flatMap((other, index) => [index > 0 && ", ", documentLink(other)]), found.reason && `: ${found.reason}`),
    correcting.rows.length > 0 && el("p", { id: "corrected" }, "It is ", correctedBy(correcting.rows), "."),
    section("Rows", rows(found, open)),
    place,
    section("Proof", el("p", { class: "note" }, "Digest ", el("code", null, found.proof.digest)), el("p", { class: "note" }, "Price book ", el("code", null, found.proof.price_book)),
      el("p", { class: "note" }, "Prove it: ", el("code", null, `plimsoll prove ${number}`))));
  context.paint();
}
