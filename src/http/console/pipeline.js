// Pipeline: is anything lost, is anything late. All else belongs to Grafana.
import { get, list } from "./api.js";
import { ago, amount, announce, button, counted, doing, el, fill, instant, moment, note, section, table, tag } from "./dom.js";

// The alarms of deploy/prometheus.
const LATE_SECONDS = 120;

const fact = (name, ...value) => el("div", null, el("dt", null, name), el("dd", null, value));
const perMinute = (count) => rate(count / 5);
const rate = (value) => (value === 0 ? "0" : value < 10 ? value.toFixed(1) : amount(Math.round(value)));

const newest = (parts, key) => parts.map((part) => part[key]).filter(Boolean).sort().at(-1);

// A ledger that was altered proves nothing, whatever came out.
function proved(proof) {
  if (!proof.newest) return tag("none yet");
  const isGood = proof.proven === proof.documents && !proof.altered;
  const said = isGood ? "all proven" : proof.altered ? `${counted(proof.altered, "row", "rows")} altered` : `${amount(proof.documents - proof.proven)} not proven`;
  return [tag(said, isGood ? "good" : "bad"), el("small", null, ` ${amount(proof.proven)} of ${counted(proof.documents, "document or draft", "documents and drafts")} of ${counted(proof.closes, "close", "closes")}, `, moment(proof.newest))];
}

function facts(state, silent) {
  const broken = state.partitions.filter((part) => !part.conserved).length;
  const oldest = Math.max(0, ...state.partitions.map((part) => part.oldest_unflushed_seconds));
  return el("dl", { class: "facts", id: "facts" },
    fact("Conservation (I1)", broken ? tag(`${counted(broken, "partition", "partitions")} violated`, "bad") : tag("holds everywhere", "good")),
    fact("Oldest unflushed", tag(ago(oldest), oldest > LATE_SECONDS ? "bad" : "good")),
    fact("Newest row in ClickHouse", el("small", null, moment(newest(state.partitions, "ledger_time")))),
    fact("Quarantine unresolved", tag(amount(state.unresolved), state.unresolved ? "warn" : "good")),
    fact("Silent arrays", tag(amount(silent.length), silent.length ? "warn" : "good")),
    fact("Last prove", proved(state.proof)),
    fact("Audited days", `${amount(state.audit.days)} `, state.audit.red ? tag(`${state.audit.red} red`, "bad") : tag(state.audit.days ? "all green" : "none yet", state.audit.days ? "good" : "plain")));
}

function partitions(state) {
  const lag = (part) => (part.lag_events === null ? "–" : amount(part.lag_events));
  return section("Partitions", table("Partitions", [
    { head: "Partition", fix: true, cell: (part) => [`${part.stream}/${part.partition}`, " ", part.closed && tag("closed")] },
    { head: "Conservation", cell: (part) => (part.conserved ? tag("holds", "good") : [tag("violated", "bad"), el("span", { class: "sub" }, part.violation)]) },
    { head: "Lag", num: true, cell: lag },
    { head: "Oldest unflushed", num: true, cell: (part) => (part.oldest_unflushed_seconds > LATE_SECONDS ? tag(ago(part.oldest_unflushed_seconds), "bad") : ago(part.oldest_unflushed_seconds)) },
    { head: "Log end", num: true, cell: (part) => amount(part.log_end) },
    { head: "Ledger", num: true, cell: (part) => amount(part.ledger) },
    { head: "Checkpoint", num: true, cell: (part) => amount(part.checkpoint) },
    { head: "Commit", num: true, cell: (part) => amount(part.committed) },
    { head: "Accepted/min", num: true, cell: (part) => perMinute(part.lately.accepted) },
    { head: "Duplicate/min", num: true, cell: (part) => perMinute(part.lately.duplicate) },
    { head: "Late/min", num: true, cell: (part) => perMinute(part.lately.late) },
    { head: "Quarantined/min", num: true, cell: (part) => perMinute(part.lately.quarantined) },
  ], state.partitions, "No stream is open: plimsoll stream open makes one."),
  state.more && note("There are more partitions than are shown: see Grafana."),
  note("Rates are means of the last five minutes. Oldest unflushed is never told too small."));
}

function silence(silent) {
  const age = (row) => ago((Date.now() - Date.parse(row.last_reading)) / 1000);
  return section("Silent arrays", table("Silent arrays", [
    { head: "Array", cell: (row) => row.array },
    { head: "Provider", cell: (row) => row.provider },
    { head: "Site", cell: (row) => row.site ?? "–" },
    { head: "Silent for", num: true, cell: age },
    { head: "Last reading (UTC)", fix: true, cell: (row) => instant(row.last_reading) },
  ], silent.slice(0, 200), "Every array was heard of within a day."), silent.length > 200 && note(`and ${silent.length - 200} more`));
}

function running(state) {
  return section("What runs", el("dl", { class: "facts" },
    fact("Build", state.build),
    fact("Configuration", el("code", { title: state.config_hash }, `${state.config_hash.slice(0, 16)}…`)),
    fact("Price book", state.book ? el("code", { title: state.book.hash }, `${state.book.hash.slice(0, 16)}…`) : "none", state.book && el("small", null, ` decision ${state.book.offset}`)),
    fact("Newest mirrored decision", el("small", null, moment(state.decided_at))),
    fact("Last audit", el("small", null, moment(state.audit.newest)))));
}

export async function pipeline(context) {
  const [state, { rows: arrays }] = await Promise.all([get("/v1/pipeline"), list("/v1/arrays", {}, 20_000)]);
  const silent = arrays.filter((row) => row.silent).sort((one, other) => one.last_reading.localeCompare(other.last_reading));
  const refresh = button("Look again", (event) => doing(event.target, async () => { await context.again(); announce("The pipeline was looked at again"); }));
  fill(context.place, el("h1", null, "Pipeline"),
    el("p", { class: "lead" }, "As of ", moment(state.at), ". ", refresh),
    facts(state, silent), partitions(state), silence(silent), running(state));
  context.paint();
}
