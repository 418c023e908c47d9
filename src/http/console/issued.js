// Drafts that wait for a person, and documents that have a number.
import { post, save } from "./api.js";
import { amount, announce, button, confirm, doing, el, note, section, table, tag } from "./dom.js";

export const documentLink = (number) => el("a", { href: `#/billing/document/${encodeURIComponent(number)}` }, number);

const kind = (row) => row.type.replace("_", " ");

async function issue(context, row, pressed) {
  const what = `${kind(row)} over ${amount(row.total, row.currency)} to ${row.buyer}, period ${row.period}`;
  const meant = await confirm("Issue this draft?", `It gets the next number of ${row.seller}: ${what}. An issued document is never taken back, only credited.`, { does: "Issue" });
  if (!meant) return;
  await doing(pressed, async () => {
    const { number } = await post(`/v1/drafts/${encodeURIComponent(row.draft)}/issue`, {});
    await context.again();
    announce(`Issued as ${number}`);
    document.getElementById("drafts-said")?.replaceChildren("Issued as ", documentLink(number), ".");
  });
}

async function discard(context, row, pressed) {
  const reason = await confirm("Discard this draft?", `${kind(row)} over ${amount(row.total, row.currency)} to ${row.buyer}, period ${row.period}, counts as nothing issued: the next revision of its period is the whole again.`,
    { does: "Discard", reason: true });
  if (!reason) return;
  await doing(pressed, async () => {
    await post(`/v1/drafts/${encodeURIComponent(row.draft)}/discard`, { reason });
    await context.again();
    announce("Discarded");
    document.getElementById("drafts-said")?.replaceChildren(`Discarded: ${row.contract} to ${row.buyer}.`);
  });
}

export function drafts(context, waiting) {
  const said = el("p", { id: "drafts-said" });
  if (!waiting) return section("Drafts waiting", said, note("This server has no Kafka, so it knows of no drafts."));
  const mine = (row) => context.reader.principal === "operator" || row.seller === (context.reader.vendor ?? context.reader.provider);
  const act = (row) => {
    const blocked = row.blocked && [tag("blocked", "warn"), el("span", { class: "sub" }, row.blocked)];
    if (blocked && !mine(row)) return blocked;
    if (blocked) return [blocked, button("Discard", (event) => discard(context, row, event.target), { "aria-label": `Discard ${row.contract} to ${row.buyer}` })];
    if (!mine(row)) return note(`${row.seller} issues it`);
    return button("Issue", (event) => issue(context, row, event.target), { class: "main", "aria-label": `Issue ${row.contract} to ${row.buyer}` });
  };
  return section("Drafts waiting", said, table("Drafts waiting", [
    { head: "Draft", cell: (row) => [row.contract, el("span", { class: "sub" }, `${kind(row)}, ${row.seller} to ${row.buyer}`)] },
    { head: "Period", fix: true, cell: (row) => row.period },
    { head: "Total", num: true, cell: (row) => amount(row.total, row.currency) },
    { head: "Id", fix: true, cell: (row) => el("code", null, row.draft) },
    { head: "What to do", cell: act },
  ], waiting.rows, "No draft waits."));
}

// A page to print opens in a tab of its own, which takes the token over from this one.
export const printLink = (number, text = "Print") => el("a", { href: `./print.html#${encodeURIComponent(number)}`, target: "_blank", rel: "opener", "aria-label": `${text} ${number}` }, text);

export function forms(number) {
  const file = (ending, name) => button(name, (event) => doing(event.target, () => save(`/v1/invoices/${encodeURIComponent(number)}${ending}`, `${number}${ending}`)),
    { class: "quiet", "aria-label": `Save ${number} as ${name}` });
  return el("span", { class: "buttons" }, printLink(number), file(".csv", "CSV"), file(".focus.csv", "FOCUS"), file(".json", "JSON"));
}

const STATES = { issued: "plain", credited: "warn", partly_credited: "warn" };

const VERBS = { credit_note: "credited by", adjustment: "adjusted by" };

// The documents that correct each of these, by its number.
function correcting(rows) {
  const found = new Map();
  for (const row of rows) for (const number of row.corrects) found.set(number, [...(found.get(number) ?? []), row]);
  return found;
}

// What corrects a document, each with a link.
export const correctedBy = (rows) => rows.flatMap((row, index) => [index > 0 && ", ", `${VERBS[row.type] ?? "corrected by"} `, documentLink(row.number)]);

const columns = (corrected) => [
  { head: "Number", fix: true, cell: (row) => documentLink(row.number) },
  { head: "Period", fix: true, cell: (row) => row.period },
  { head: "Parties", cell: (row) => [`${row.seller} to ${row.buyer}`, el("span", { class: "sub" }, row.contract)] },
  { head: "Issued", fix: true, cell: (row) => row.issue_date },
  { head: "Due", fix: true, cell: (row) => row.due_date },
  { head: "State", cell: (row) => [tag(row.state.replace("_", " "), STATES[row.state]), row.erp && el("span", { class: "sub" }, `ERP ${row.erp}`),
    corrected.has(row.number) && el("span", { class: "sub" }, correctedBy(corrected.get(row.number)))] },
  { head: "Total", num: true, cell: (row) => amount(row.total, row.currency) },
  { head: "Forms", cell: (row) => forms(row.number) },
];

// Some of the documents that were issued; what corrects them is found among all.
export function invoices(rows, all, { customer }) {
  return section(customer ? "Your invoices" : "Issued invoices", table("Issued invoices", columns(correcting(all)), rows.slice(0, 200), "Nothing was issued yet."),
    rows.length > 200 && note(`The newest 200 of ${rows.length}; all of them: GET /v1/invoices.`));
}

export function corrections(rows, all) {
  const [number, ...rest] = columns(correcting(all));
  const corrects = { head: "Corrects", cell: (row) => row.corrects.flatMap((number, index) => [index > 0 && ", ", documentLink(number)]) };
  return section("Corrections", table("Corrections", [number, { head: "Kind", cell: kind }, corrects, ...rest], rows.slice(0, 200), "Nothing was corrected."));
}
