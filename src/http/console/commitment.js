// Daily usage against what is committed: one line of one contract at a time, counted as its invoice counts it.
import { maybe } from "./api.js";
import { days } from "./chart.js";
import { el, note, section, trouble } from "./dom.js";

const LEVELS = ["mean", "sum"];

// The lines of these statements that have a commitment by day, wholesale first.
function lines(statements, provider) {
  const of = (statement) => {
    const ids = statement.rows.filter((row) => row.kind === "commitment" && LEVELS.includes(row.statistic)).map((row) => row.line);
    return [...new Set(ids)].map((line) => ({ statement, line, name: `${line} of ${statement.contract}, ${statement.seller.name} to ${statement.buyer.name}` }));
  };
  const isWholesale = (statement) => statement.buyer.id === provider;
  return [...statements.filter(isWholesale), ...statements.filter((one) => !isWholesale(one))].flatMap(of);
}

// The days of a line up to today, in its contract's zone.
function past(line, zone) {
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date());
  return line.days.filter((day) => day.date <= today)
    .map((day) => ({ date: day.date, value: Number(day.used), level: Number(day.commitment), over: Number(day.over) }));
}

async function draw(chosen, ask, place) {
  place.replaceChildren(note("…"));
  try {
    const said = await maybe(ask(chosen.statement, { days: true }));
    const found = said?.commitments?.find((one) => one.line === chosen.line);
    const shown = found ? past(found, chosen.statement.period.time_zone) : [];
    if (!shown.length) return place.replaceChildren(note("No day of it has passed."));
    const how = found.by_day ? "A day above the commitment is charged as overage." : "Overage is found for the whole period: a day above the commitment need not cost anything.";
    return place.replaceChildren(
      el("p", { class: "note" }, `Line ${chosen.name}: only the arrays that this line meters, as its invoice counts them, as of now. ${how}`),
      days(shown, found.unit.replace(/-month$/, ""), chosen.statement.period.time_zone));
  } catch (error) {
    return place.replaceChildren(trouble(error));
  }
}

// The section, and what fills it: nothing where no line of these statements has a commitment.
export function commitments(statements, provider, ask) {
  const known = lines(statements, provider);
  if (!known.length) return null;
  const place = el("div", { id: "days", "aria-live": "polite" });
  const select = known.length > 1 && el("select", { id: "committed-line", onchange: () => draw(known[select.value], ask, place) },
    known.map((one, index) => el("option", { value: String(index) }, one.name)));
  return {
    part: section("Daily usage against the commitment", select && el("p", { class: "controls" }, el("label", { for: "committed-line" }, "Line", select)), place),
    fill: () => draw(known[0], ask, place),
  };
}
