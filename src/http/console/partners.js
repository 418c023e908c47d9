// Partners: one row a provider, and on top what wants somebody's attention. Never a retail figure.
import { get, list, maybe } from "./api.js";
import { bar, spark } from "./chart.js";
import { amount, counted, el, fill, moment, momentWords, note, percent, rounded, table, tag, trouble } from "./dom.js";

const DAY = 86_400_000;
const SPARKS_AT_ONCE = 4;

export const providerLink = (id, name) => el("a", { href: `#/partners/${encodeURIComponent(id)}` }, name || id);

// The places of a page that are filled later, by row.
function slots() {
  const known = new Map();
  return {
    of: (id) => known.get(id) ?? known.set(id, el("span", { class: "slot" }, "…")).get(id),
    fill: (id, ...content) => known.get(id)?.replaceChildren(...content),
    rest: (text) => known.forEach((slot) => slot.textContent === "…" && slot.replaceChildren(text)),
  };
}

export function levelOf(standing) {
  if (!standing) return ["–"];
  const [granted, attained] = [standing.granted ?? "none", standing.attained ?? "none"];
  if (granted === attained) return [granted];
  const falls = Boolean(standing.below_since);
  const words = falls
    ? `granted ${granted}, attains ${attained}${standing.grace_until ? `, grace until ${standing.grace_until}` : ""}`
    : `granted ${granted}, attains ${attained}`;
  return [granted, " ", el("span", { class: `tag ${falls ? "warn" : "good"}`, title: words }, `${falls ? "↓" : "↑"} ${attained}`)];
}

export function promiseOf(standing) {
  const promise = standing?.promise;
  if (!promise) return ["–"];
  const part = Number(promise.to_date) / (Number(promise.revenue) || 1);
  const asOf = promise.open_rated_at ? `, open periods as of ${momentWords(promise.open_rated_at)}` : "";
  const words = `${rounded(promise.to_date)} of ${rounded(promise.revenue)} ${standing.currency} promised${asOf}`;
  return [percent(part * 100, 0), bar(part, words)];
}

export function certificationsOf(standing) {
  if (!standing?.certifications.length) return ["–"];
  return standing.certifications.flatMap((track) => [
    el("span", { class: "sub" }, `${track.track} ${track.held}/${track.promised} `,
      track.held < track.promised && tag("lacking", "warn"),
      track.expiring > 0 && tag(`${track.expiring} expiring`, "bad")),
  ]);
}

function attention([one, many], items, words) {
  const count = items.length;
  const shown = items.slice(0, 5).map((item) => el("li", null, item));
  return el("div", { class: count ? "some" : "" }, el("h2", null, count ? counted(count, one, many) : `No ${many}`),
    count > 0 && el("ul", null, shown, count > 5 && el("li", { class: "note" }, `and ${count - 5} more`)),
    count === 0 && note(words));
}

function attentions(providers, arrays) {
  const of = (...states) => arrays.filter((row) => states.includes(row.state));
  const array = (why) => (row) => [el("b", null, row.array), " of ", providerLink(row.provider), why(row)];
  const dormant = providers.filter((row) => row.dormant);
  return el("div", { class: "attention", id: "attention" },
    attention(["orphaned array", "orphaned arrays"], of("orphaned").map(array((row) => `: ${row.orphaned}`)), "Every array that reports is billed to somebody."),
    attention(["dormant provider", "dormant providers"], dormant.map((row) => [providerLink(row.provider, row.name), ", last reading ", moment(row.last_reading)]), "All have been heard of within 30 days."),
    attention(["demo array beyond its date", "demo arrays beyond their date"], of("demo_expired").map(array((row) => (row.demo_until ? `, until ${row.demo_until.slice(0, 10)}` : ""))), "None stands longer than was agreed."));
}

function flags(row, arrays) {
  const own = arrays.filter((array) => array.provider === row.provider);
  const silent = own.filter((array) => array.silent).length;
  return [row.dormant && tag("dormant", "bad"), !row.dormant && silent > 0 && tag(`${silent} silent`, "warn")].filter(Boolean);
}

export async function sparkOf(row) {
  const end = Math.floor(Date.now() / DAY) * DAY;
  const date = (ms) => new Date(ms).toISOString().slice(0, 10);
  const page = await get(`/v1/usage?${new URLSearchParams({
    provider: row.provider, meter: row.usage.meter, kind: "array", by: "meter", step: "day", from: date(end - 90 * DAY), to: date(end),
  })}`);
  return page.data.map((day) => Number(day.integral ?? 0) / (day.seconds * 1000) / 2 ** 40);
}

// A few at a time: they are many, and the rest of the page is there without them.
async function fillSparks(context, providers, place) {
  const waiting = providers.filter((row) => row.usage);
  const work = async () => {
    for (let row = waiting.shift(); row && context.isCurrent(); row = waiting.shift()) {
      const values = await maybe(sparkOf(row)).catch(() => null);
      place.fill(row.provider, values ? spark(values, "TiB") : "–");
    }
  };
  await Promise.all(Array.from({ length: SPARKS_AT_ONCE }, work));
  place.rest("–");
}

async function fillLevels(context, places) {
  try {
    const { rows } = await list("/v1/levels");
    if (!context.isCurrent()) return;
    for (const standing of rows) {
      places.level.fill(standing.provider, ...levelOf(standing));
      places.promise.fill(standing.provider, ...promiseOf(standing));
      places.certifications.fill(standing.provider, ...certificationsOf(standing));
      places.review.fill(standing.provider, standing.promise?.until ? standing.promise.until.slice(0, 10) : "–");
    }
  } catch (error) {
    fill(context.place, trouble(error));
  }
  Object.values(places).forEach((place) => place.rest("–"));
}

export async function partners(context) {
  const [{ rows: providers }, { rows: arrays, more }] = await Promise.all([list("/v1/providers"), list("/v1/arrays", {}, 20_000)]);
  if (!context.isCurrent()) return;
  const [level, promise, certifications, review, sparks] = Array.from({ length: 5 }, slots);
  const disclosed = providers.some((row) => row.customers !== null);
  const columns = [
    { head: "Provider", cell: (row) => [providerLink(row.provider, row.name), " ", flags(row, arrays)] },
    { head: "Level", cell: (row) => level.of(row.provider) },
    { head: "Revenue, 12 months", num: true, cell: (row) => [rounded(row.revenue), ` ${row.currency}`, row.growth_percent && el("span", { class: "sub" }, `${Number(row.growth_percent) >= 0 ? "+" : "−"}${percent(Math.abs(row.growth_percent), 0)}`)] },
    { head: "Of promise", num: true, cell: (row) => promise.of(row.provider) },
    { head: "Certifications", cell: (row) => certifications.of(row.provider) },
    { head: "Arrays", num: true, cell: (row) => amount(row.arrays) },
    disclosed && { head: "Customers", num: true, cell: (row) => (row.customers === null ? "–" : [amount(row.customers), row.new_customers > 0 && el("span", { class: "sub" }, `${row.new_customers} new`)]) },
    { head: "TiB", num: true, cell: (row) => (row.usage ? el("span", { title: row.usage.tib }, rounded(row.usage.tib, 1)) : "–") },
    { head: "90 days", num: true, cell: (row) => sparks.of(row.provider) },
    { head: "Next review", fix: true, cell: (row) => review.of(row.provider) },
  ].filter(Boolean);
  fill(context.place, el("h1", null, "Partners"),
    el("p", { class: "lead" }, `${counted(providers.length, "provider", "providers")}, ${more ? "more than " : ""}${counted(arrays.length, "array", "arrays")} that anything was ever heard of.`),
    attentions(providers, arrays),
    el("section", { "aria-label": "Providers" }, table("Providers", columns, providers, "No provider buys from anybody here.")));
  context.paint();
  context.later(Promise.all([fillLevels(context, { level, promise, certifications, review }), fillSparks(context, providers, sparks)]));
}
