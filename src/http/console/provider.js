// One provider: its level over time and what the next one lacks, its arrays, its wholesale documents, its sales credits by route.
import { get, list, maybe, query } from "./api.js";
import { spark } from "./chart.js";
import { amount, el, fill, instant, moment, note, percent, rounded, section, table, tag } from "./dom.js";
import { certificationsOf, levelOf, promiseOf, sparkOf } from "./partners.js";

const MOODS = { ok: "good", silent: "warn", orphaned: "bad", demo_expired: "bad", demo_busy: "warn", contested: "bad", moved: "warn" };

const fact = (name, ...value) => el("div", null, el("dt", null, name), el("dd", null, value));

function facts(card, standing, curve) {
  return el("dl", { class: "facts" },
    fact("Level", levelOf(standing)),
    fact("Revenue, 12 months", rounded(card.revenue), el("small", null, ` ${card.currency}`)),
    fact("Of promise", promiseOf(standing)),
    fact("Capacity", card.usage ? [rounded(card.usage.tib, 1), el("small", null, " TiB"), curve] : "–"),
    fact("Arrays", amount(card.arrays)),
    card.customers !== null && fact("Customers", amount(card.customers)),
    fact("Last reading", el("small", null, moment(card.last_reading))));
}

function lacking(next, granted) {
  const path = (one) => {
    const parts = [Number(one.revenue_lacking) > 0 && `${rounded(one.revenue_lacking)} of revenue`,
      ...one.certifications.filter((track) => track.lacking > 0).map((track) => `${track.lacking} ${track.track} ${track.lacking === 1 ? "certification" : "certifications"}`)].filter(Boolean);
    return el("li", null, parts.length ? `lacks ${parts.join(" and ")}` : "lacks nothing");
  };
  return [el("p", null, el("b", null, next.level), next.level === granted
    ? " is granted and not attained. One of these ways keeps it:"
    : ` takes ${percent(next.discount_percent, 0)} off list prices. One of these ways leads there:`),
    el("ul", null, next.paths.map(path))];
}

function levels(standing) {
  if (!standing) return section("Level", note("It is in no programme."));
  const step = (date, ...text) => el("li", null, el("b", null, date), " ", text);
  return section("Level",
    el("ol", { class: "timeline" },
      standing.granted_from && step(standing.granted_from.slice(0, 10), `granted ${standing.granted}, ${percent(standing.discount_percent, 0)} off list prices`),
      standing.below_since && step(standing.below_since, `figures attain only ${standing.attained ?? "no level"} since`),
      step(standing.at.slice(0, 10), `attained: ${standing.attained ?? "no level"}, ${standing.partial ? "by what all sell; sold by you:" : "by"} ${rounded(standing.revenue)} ${standing.currency} from ${standing.revenue_from} to ${standing.revenue_to}`),
      standing.grace_until && step(standing.grace_until, "grace ends, people decide"),
      standing.promise?.until && step(standing.promise.until.slice(0, 10), "next review: the promise ends")),
    standing.next ? lacking(standing.next, standing.granted) : note(standing.partial ? "What the next level lacks is not told: others sell to it as well." : "There is no level above."),
    el("h3", null, "Certifications"), el("div", null, certificationsOf(standing)),
    standing.market_fund && el("p", { class: "note" }, `Marketing fund: ${rounded(standing.market_fund.accrued)} ${standing.currency}, ${percent(standing.market_fund.percent)} of revenue.`),
    standing.grant && [el("h3", null, "To grant what is attained, paste into the price book"), el("pre", null, standing.grant)]);
}

function arrays(rows, more) {
  const state = (row) => [tag(row.state.replace("_", " "), MOODS[row.state] ?? "plain"), row.state !== "silent" && row.silent && tag("silent", "warn"),
    row.orphaned && el("span", { class: "sub" }, row.orphaned), row.other_provider && el("span", { class: "sub" }, `also ${row.other_provider}`)];
  return section("Arrays", table("Arrays", [
    { head: "Array", cell: (row) => [row.array, row.name && row.name !== row.array && el("span", { class: "sub" }, row.name)] },
    { head: "State", cell: state },
    { head: "Site", cell: (row) => row.site ?? "–" },
    { head: "First reading (UTC)", fix: true, cell: (row) => instant(row.first_reading) },
    { head: "Last reading (UTC)", fix: true, cell: (row) => instant(row.last_reading) },
  ], rows, "None was ever heard of."), more && note("There are more arrays than are shown."));
}

function documents(rows) {
  return section("Wholesale documents", table("Wholesale documents", [
    { head: "Number", fix: true, cell: (row) => el("a", { href: `#/billing/document/${encodeURIComponent(row.number)}` }, row.number) },
    { head: "Kind", cell: (row) => row.type.replace("_", " ") },
    { head: "Period", fix: true, cell: (row) => row.period },
    { head: "Issued", fix: true, cell: (row) => row.issue_date },
    { head: "State", cell: (row) => tag(row.state.replace("_", " ")) },
    { head: "Total", num: true, cell: (row) => amount(row.total, row.currency) },
  ], rows, "Nothing was issued."));
}

function credits(summary) {
  const check = (one) => el("p", { class: one.equal === false ? "trouble" : "note" },
    `${one.currency}: `, one.routes.map((route) => `${route.route.replaceAll("_", " ")} ${route.credit_per_unit ?? "–"} a unit at list`).join(", "),
    one.equal === null ? " (nothing to compare)" : one.equal ? ": neutral, the same on either route." : ": NOT neutral.");
  return section("Sales credits by route", table("Sales credits by route", [
    { head: "Route", cell: (row) => String(row.of.route ?? "–").replaceAll("_", " ") },
    { head: "At list", num: true, cell: (row) => amount(row.at_list, row.currency) },
    { head: "As billed", num: true, cell: (row) => amount(row.billed, row.currency) },
    { head: "Credit", num: true, cell: (row) => amount(row.credit, row.currency) },
  ], summary.data, "No team is credited for it."), summary.neutrality.map(check));
}

export async function provider(context) {
  const id = context.asked.parts[0];
  const of = query({ provider: id });
  const back = el("p", { class: "crumb" }, el("a", { href: "#/partners" }, "← Partners"));
  const [cards, standings, found, issued, summary] = await Promise.all([
    get(`/v1/providers${of}`), get(`/v1/levels${of}`), list("/v1/arrays", { provider: id }, 5000),
    list("/v1/invoices", { provider: id }), maybe(get(`/v1/sales-credits/summary${query({ provider: id, by: "route" })}`)),
  ]);
  const card = cards.data[0];
  if (!card) {
    fill(context.place, back, el("h1", null, id), note("No such provider."));
    return context.paint();
  }
  const standing = standings.data[0];
  const wholesale = issued.rows.filter((row) => row.seller !== row.provider).reverse();
  const curve = el("span", { class: "slot" });
  fill(context.place, back, el("h1", null, card.name || id, " ", card.dormant && tag("dormant", "bad")), el("p", { class: "lead" }, id),
    facts(card, standing, curve), levels(standing), arrays(found.rows, found.more), documents(wholesale), summary && credits(summary));
  context.paint();
  if (card.usage) context.later(sparkOf(card).then((values) => curve.replaceChildren(spark(values, "TiB")), () => undefined));
}
