// What only the provider itself sees: its margin, what no customer claims, what was put aside.
import { post } from "./api.js";
import { amount, announce, button, confirm, counted, doing, el, instant, note, percent, section, table, tag } from "./dom.js";

function sheet(of) {
  const lines = [{ name: "Unallocated", figures: of.unallocated, isOpen: true }];
  if (of.credits) lines.push({ name: "Vendor's credits", figures: of.credits });
  lines.push(...of.customers.map((row) => ({ name: row.name, id: row.customer, figures: row })));
  // as the server has added it up and held it against the documents
  lines.push({ name: `Total ${of.currency}`, figures: of.total, isOpen: true });
  const figure = (head, key) => ({ head, num: true, cell: (line) => amount(line.figures[key], of.currency) });
  return table(`Margin in ${of.currency}`, [
    { head: "Customer", cell: (line) => [line.isOpen ? el("b", null, line.name) : line.name, line.id && line.id !== line.name && el("span", { class: "sub" }, line.id)] },
    { head: "Wholesale quantity", num: true, cell: (line) => line.figures.quantities.map((one) => el("span", { class: "sub" }, `${amount(one.quantity)} ${one.unit}`)) },
    figure("Retail", "retail"), figure("Wholesale", "wholesale"), figure("Margin", "margin"),
    { head: "Of retail", num: true, cell: (line) => percent(line.figures.margin_percent) },
  ], lines);
}

export function margin(found) {
  if (!found) return section("Margin per customer", note("There is nothing to compare in this period."));
  const apart = [...found.not_comparable, ...found.not_aligned].length;
  return section("Margin per customer", found.provisional && note("Provisional: the period is open."), found.currencies.map(sheet),
    found.not_issuable.map((one) => el("p", { class: "trouble" }, `The draft of ${one.contract}${one.customer ? ` for ${one.customer}` : ""}, ${amount(one.net, one.currency)}, is in it and cannot be issued: ${one.why}`)),
    found.currencies.filter((of) => of.over_attributed.length > 0).map((of) => note(
      `Customers are tagged with ${of.over_attributed.map((one) => `${amount(one.quantity)} ${one.unit}`).join(", ")} more than the arrays of their lines hold.`)),
    apart > 0 && note(`${apart} documents are in another currency or have other bounds: plimsoll margin names them.`));
}

function copied(text) {
  return button("Copy", (event) => doing(event.target, async () => {
    await navigator.clipboard.writeText(text);
    announce("Copied");
    event.target.textContent = "Copied";
  }), { class: "quiet" });
}

export function unclaimed(found) {
  const rows = found?.data ?? [];
  const what = (row) => (row.tag === null ? "Bytes without a tag: tag the resources on their arrays." : [el("pre", null, row.section), copied(row.section)]);
  return section("To do: tags nobody claims", table("Tags nobody claims", [
    { head: "Tag", cell: (row) => row.tag ?? tag("untagged", "warn") },
    { head: "Arrays", num: true, cell: (row) => amount(row.arrays) },
    { head: "Resources", num: true, cell: (row) => amount(row.resources) },
    { head: "First", cell: (row) => row.first },
    { head: "Paste into the price book", cell: what },
  ], rows, "All usage bears the tag of a customer."), found?.more && note("There are more tags than are shown."));
}

async function resolve(context, row, verb, pressed) {
  const position = `${row.stream}/${row.partition}/${row.offset}`;
  const retry = verb === "retry";
  const reason = await confirm(retry ? "Send this record again?" : "Discard this record?",
    retry ? `${position} is sent again as it is. If its cause is mended, it is billed.` : `${position} is kept, and never billed.`,
    { does: retry ? "Send again" : "Discard", reason: true });
  if (!reason) return;
  await doing(pressed, async () => {
    const late = row.disposition === "late" && retry;
    const done = await post(late ? "/v1/late/accept" : `/v1/quarantine/${verb}`, { positions: [position], reason, dry_run: false });
    const outcome = (done.data[0]?.outcome ?? "nothing").replaceAll("_", " ");
    pressed.closest("tr").dataset.done = verb;
    pressed.parentElement.replaceChildren(tag(`${retry ? "sent again" : "discarded"}: ${outcome}`));
    announce(`${position}: ${outcome}`);
  });
}

export function quarantine(context, found) {
  const open = (found?.rows ?? []).filter((row) => !row.decided);
  const decided = (found?.rows.length ?? 0) - open.length;
  const act = (row) => el("span", { class: "buttons" },
    button("Retry", (event) => resolve(context, row, "retry", event.target), { "aria-label": `Retry ${row.stream}/${row.partition}/${row.offset}` }),
    row.disposition !== "late" && button("Discard", (event) => resolve(context, row, "discard", event.target), { "aria-label": `Discard ${row.stream}/${row.partition}/${row.offset}` }));
  return section("Quarantine", table("Quarantine", [
    { head: "Position", fix: true, cell: (row) => el("code", null, `${row.stream}/${row.partition}/${row.offset}`) },
    { head: "Reason", cell: (row) => [tag(row.reason ?? "late", "warn"), el("span", { class: "sub" }, row.detail)] },
    { head: "Array", cell: (row) => row.array ?? "–" },
    { head: "Appended (UTC)", fix: true, cell: (row) => instant(row.append_time) },
    { head: "Bytes", num: true, cell: (row) => amount(row.bytes) },
    { head: "What to do", cell: act },
  ], open, "Nothing waits for a decision."), decided > 0 && note(`${counted(decided, "record was", "records were")} decided about and not shown.`), found?.more && note("There are more records than are shown: plimsoll quarantine list."));
}
