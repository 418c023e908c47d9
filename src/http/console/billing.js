// Billing: the period that is open and why it cannot close, drafts that wait, what was issued, and for the provider its other side.
import { get, list, maybe, query } from "./api.js";
import { bar, days } from "./chart.js";
import { commitments } from "./commitment.js";
import { amount, el, fill, note, percent, rounded, section, table, tag, trouble } from "./dom.js";
import { corrections, documentLink, drafts, invoices } from "./issued.js";
import { margin, quarantine, unclaimed } from "./retail.js";

const TIB_MS = 2 ** 40 * 1000;

function before(label) {
  const [year, month] = label.split("-").map(Number);
  return month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, "0")}`;
}

// where the reader was before a document was opened
export const visited = { hash: "#/billing" };

const isClosed = (row) => row.state === "closed";

const thisMonth = () => new Date().toISOString().slice(0, 7);

function controls(context, chosen, providers) {
  const go = () => {
    const values = query({ provider: select?.value, period: month.value });
    location.hash = `#/billing${values}`;
  };
  const month = el("input", { id: "period", type: "month", value: chosen.period, required: true, pattern: "\\d{4}-\\d{2}", onchange: go });
  const select = providers && el("select", { id: "provider", onchange: go }, el("option", { value: "" }, "choose one"),
    providers.map((row) => el("option", { value: row.provider, selected: row.provider === chosen.provider }, row.name || row.provider)));
  return el("div", { class: "controls" }, select && el("label", { for: "provider" }, "Provider", select), el("label", { for: "period" }, "Period", month));
}

// Of each line with a commitment: what was used of what is paid for. Lines are not added up: a line has a unit of its own.
function committed(document) {
  const lines = new Map();
  for (const row of document.rows.filter((one) => one.kind === "commitment" && one.used_quantity !== null)) {
    const known = lines.get(row.line) ?? { line: row.line, unit: row.unit, part: 0, whole: 0 };
    known.part += Number(row.used_quantity);
    known.whole += Number(row.used_quantity) + Number(row.unused_quantity);
    lines.set(row.line, known);
  }
  return [...lines.values()].filter((one) => one.whole > 0);
}

function used(document) {
  const lines = committed(document);
  if (!lines.length) return "–";
  return lines.map(({ line, unit, part, whole }) => {
    const words = `${line}: ${rounded(part)} of ${rounded(whole)} ${unit} committed`;
    return el("div", null, percent((part / whole) * 100, 0), bar(part / whole, words), el("span", { class: "sub" }, `of ${line}`));
  });
}

// Coverage is of the whole period (PRICING §12): until it ends, what has not happened yet is missing too, and that is no warning.
export function coverage(document) {
  const known = document.rows.map((row) => row.coverage).filter((value) => value !== null);
  if (!known.length) return "–";
  const least = Math.min(...known.map(Number));
  if (Date.parse(document.period.end) > Date.now()) return [percent(least * 100), el("span", { class: "sub" }, "of the whole period, which goes on")];
  return least < 1 ? tag(percent(least * 100), "warn") : percent(100, 0);
}

function statements(rows, issuedBefore, label) {
  const last = (row) => {
    const found = issuedBefore.filter((one) => one.contract === row.contract && one.buyer === row.buyer.id && one.type === "invoice");
    return found.length ? amount(found.at(-1).total, found.at(-1).currency) : "–";
  };
  return section("This period", table("Statements of this period", [
    { head: "Contract", cell: (row) => [row.contract, " ", isClosed(row) && tag("closed"), el("span", { class: "sub" }, `${row.seller.name} to ${row.buyer.name}`)] },
    { head: rows.every(isClosed) ? "Comes to now" : "So far", num: true, cell: (row) => el("b", null, amount(row.total, row.currency)) },
    { head: `Invoiced ${before(label)}`, num: true, cell: last },
    { head: "Commitment used", num: true, cell: used },
    { head: "Coverage", num: true, cell: coverage },
    { head: "Rows", num: true, cell: (row) => amount(row.rows.length) },
  ], rows, "No contract is in force in this period."));
}

// What the next revision of a closed period would correct it by: what it comes to now, less what it was billed and what waits to be. In whole
// minor units, so that no digit changes; null while documents and drafts are not known up to the same decision.
function difference(row, issued, waiting) {
  const own = (one) => one.contract === row.contract && one.buyer === row.buyer.id && one.period === row.period.label;
  const { corrects } = row.references;
  const standing = issued.filter((one) => corrects.includes(one.number));
  const isBehind = standing.length < corrects.length || issued.some((one) => own(one) && one.type === "invoice" && !corrects.includes(one.number));
  if (isBehind || !waiting) return null;
  const minor = (text) => BigInt(text.replace(".", ""));
  const billed = [...standing, ...waiting.filter(own)].reduce((sum, one) => sum + minor(one.total), 0n);
  const places = (row.total.split(".")[1] ?? "").length;
  const more = minor(row.total) - billed;
  const digits = String(more < 0n ? -more : more).padStart(places + 1, "0");
  const point = digits.length - places;
  return `${more < 0n ? "-" : ""}${digits.slice(0, point)}${places ? `.${digits.slice(point)}` : ""}`;
}

// A closed period: what it was billed as, and what is due to it.
function closed(rows, issued, waiting) {
  const line = (row) => {
    const numbers = row.references.corrects.flatMap((number, index) => [index > 0 && ", ", documentLink(number)]);
    const more = difference(row, issued, waiting);
    return el("li", null, el("b", null, row.contract), ` to ${row.buyer.name}: `, numbers.length ? ["closed as ", numbers] : "closed, no document is issued",
      more !== null && `; the next revision would correct it by ${amount(more, row.currency)}`);
  };
  return section("Closed", el("ul", { id: "closed" }, rows.map(line)));
}

function holes(found) {
  if (found === null) return note("This server has no Kafka, so it cannot say what keeps the period open.");
  if (!found.length) return el("ul", { class: "holes none" }, el("li", null, "Nothing keeps it open: it can be closed."));
  return el("ul", { class: "holes" }, found.map((hole) => el("li", null, el("b", null, hole.kind.replaceAll("_", " ")), ": ", hole.text,
    hole.can_be_accepted && el("span", { class: "note" }, " (a close can accept it, with a reason on record)"))));
}

// A contract for each customer is asked for by one of them: what keeps the period open is the same for all.
async function openOf(statement, asked) {
  const values = query({ period: statement.period.label, ...asked });
  const path = `/v1/statements/${encodeURIComponent(statement.contract)}`;
  try {
    return await get(path + values);
  } catch (error) {
    if (error.status !== 400) throw error;
    return get(`${path}/${encodeURIComponent(statement.buyer.id)}${values}`);
  }
}

async function fillHoles(statement, place) {
  try {
    const said = await maybe(openOf(statement, { closing: true }));
    place.replaceChildren(holes(said?.cannot_close ?? null));
  } catch (error) {
    place.replaceChildren(trouble(error));
  }
}

// The local days of a period up to today; those without usage as well.
function dates(local, { from, to }) {
  const last = [local.format(new Date(Date.parse(to) - 1)), local.format(new Date())].sort()[0];
  const found = [];
  for (let day = Date.parse(local.format(new Date(from))); found.length < 366; day += 86_400_000) {
    const date = new Date(day).toISOString().slice(0, 10);
    if (date > last) break;
    found.push(date);
  }
  return found;
}

// All that a reader has of the first meter, where there is no commitment to hold it against.
async function fillDays(values, place) {
  const page = await maybe(get(`/v1/usage${query({ by: "meter", step: "day", ...values })}`));
  const gauges = page?.data.filter((row) => row.integral !== undefined) ?? [];
  const first = gauges[0]?.meter;
  // the days are those of the contract's zone, written as 2026-10-04
  const local = new Intl.DateTimeFormat("en-CA", { timeZone: values.time_zone ?? "UTC" });
  const known = new Map(gauges.filter((row) => row.meter === first)
    .map((row) => [local.format(new Date(row.start)), Number(row.integral) / (TIB_MS * row.seconds)]));
  const shown = dates(local, values).map((date) => ({ date, value: known.get(date) ?? 0 }));
  const whose = values.kind === "array" ? "on all arrays" : "of all that is yours";
  place.replaceChildren(known.size
    ? el("div", null, el("p", { class: "note" }, `${first} ${whose}, as of now.`), days(shown, "TiB", values.time_zone ?? "UTC"))
    : note("Nothing was metered in this period."));
}

// The period as a customer's own eyes see it: its usage by day, and what was issued to it.
async function ofCustomer(context, chosen) {
  const [year, month] = chosen.period.split("-").map(Number);
  const to = new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
  const { rows } = await list("/v1/invoices");
  const place = el("div", null, note("…"));
  fill(context.place, el("h1", null, "Billing"), controls(context, chosen), section("Usage by day", place), invoices(rows, rows, { customer: true }));
  context.paint();
  context.later(fillDays({ from: `${chosen.period}-01`, to }, place));
}

export async function billing(context) {
  const { reader, asked } = context;
  const chosen = { period: asked.values.get("period") || thisMonth(), provider: reader.provider ?? asked.values.get("provider") };
  if (reader.principal === "customer") return ofCustomer(context, chosen);
  const providers = reader.provider ? null : (await list("/v1/providers")).rows;
  if (!chosen.provider && providers?.length === 1) chosen.provider = providers[0].provider;
  const head = [el("h1", null, "Billing"), controls(context, chosen, providers)];
  if (!chosen.provider) {
    fill(context.place, ...head, note("Choose a provider."));
    return context.paint();
  }
  visited.hash = location.hash;
  const of = { provider: chosen.provider, period: chosen.period };
  const isOwn = reader.principal !== "vendor";
  const [open, waiting, issued, sheet, tags, aside] = await Promise.all([
    list("/v1/statements", of, 200), maybe(list("/v1/drafts", { provider: chosen.provider })), list("/v1/invoices", { provider: chosen.provider }, 2000),
    isOwn ? maybe(get(`/v1/providers/${encodeURIComponent(chosen.provider)}/margin${query({ period: chosen.period })}`)) : null,
    isOwn ? maybe(get(`/v1/providers/${encodeURIComponent(chosen.provider)}/unclaimed${query({ period: chosen.period })}`)) : null,
    isOwn ? maybe(list("/v1/quarantine", { provider: chosen.provider }, 200)) : null,
  ]);
  const wholesale = open.rows.find((row) => row.buyer.id === chosen.provider);
  const last = issued.rows.filter((row) => row.period === before(chosen.period));
  const [why, curve] = [el("div", { id: "why" }, note("…")), el("div", null, note("…"))];
  const daily = commitments(open.rows, chosen.provider, openOf);
  const done = open.rows.filter(isClosed);
  const unclosed = open.rows.filter((row) => !isClosed(row));
  const main = unclosed.find((row) => row === wholesale) ?? unclosed[0];
  fill(context.place, ...head, statements(open.rows, last, chosen.period),
    done.length > 0 && closed(done, issued.rows, waiting?.rows), main && section("Why it cannot close yet", why),
    daily ? daily.part : wholesale && section("Daily usage", curve),
    drafts(context, waiting), invoices(issued.rows.filter((row) => row.type === "invoice").reverse(), issued.rows, {}),
    corrections(issued.rows.filter((row) => row.type !== "invoice").reverse(), issued.rows));
  if (isOwn) fill(context.place, margin(sheet), unclaimed(tags), quarantine(context, aside));
  context.paint();
  const work = [];
  if (main) work.push(fillHoles(main, why));
  if (daily) work.push(daily.fill());
  else if (wholesale) {
    const { start, end, time_zone } = wholesale.period;
    work.push(fillDays({ provider: chosen.provider, kind: "array", from: start, to: end, time_zone }, curve));
  }
  context.later(Promise.all(work));
}
