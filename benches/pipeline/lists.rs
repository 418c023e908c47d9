//! Lists of arrays, scorecards and levels over HTTP, where a million series are metered.

use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::read::closed;
use plimsoll::clickhouse::{Client, migrate};
use plimsoll::core::book::{self, Book, model::Buyer};
use plimsoll::core::decision::Decision;
use plimsoll::core::ledger::rules::StreamRules;
use plimsoll::core::word::{HOUR_MS, Instant, StreamId};
use plimsoll::programme::{keep, open};
use plimsoll::statement::Rater;

use crate::core::rules;
use crate::end_to_end::Parts;
use crate::invoices::{Reader, percentiles, serve};
use crate::stage::book::{self as pieces, contract, meter, provider, vendor};

/// Series; `PLIMSOLL_BENCH_SERIES` sets another number.
const SERIES: usize = 1_000_000;
/// Series of an array.
const OF_ARRAY: usize = 200;
const PROVIDERS: usize = 100;
const PARTITIONS: usize = 4;
/// Hours of usage: a day and the one that is not over.
const HOURS: usize = 25;
/// Polls in each of them. The last of all lies above the marks.
const POLLS: usize = 2;
/// Pages that are asked for.
const ASKED: usize = 200;

/// Prints the figures.
pub fn measure() {
    let asked = std::env::var("PLIMSOLL_BENCH_SERIES").ok().and_then(|text| text.parse().ok());
    let arrays = asked.unwrap_or(SERIES) / OF_ARRAY;
    let parts = Parts::start();
    let mut settings = parts.config.clickhouse.clone();
    settings.database = "lists".to_owned();
    settings.insert_timeout = Duration::from_secs(600);
    let client = Client::new(&settings);
    println!(
        "\n{} series of {arrays} arrays of {PROVIDERS} providers, {HOURS} hours, engine beside",
        arrays * OF_ARRAY
    );
    let now = Instant(chrono::Utc::now().timestamp_millis());
    parts.runtime.block_on(async {
        migrate::apply(&client).await.unwrap();
        decide(&client).await;
        let started = Moment::now();
        fill(&client, arrays, now).await;
        println!("  inserted in {:.0} s", started.elapsed().as_secs_f64());
        let started = Moment::now();
        let settled = Instant(now.0 / HOUR_MS * HOUR_MS + 1_000);
        while keep::put_together_before(&client, Some(settled)).await.unwrap() > 0 {}
        println!("  arrays put together in {:.1} s", started.elapsed().as_secs_f64());
        let started = Moment::now();
        keep::count(&client, now).await.unwrap();
        println!("  providers counted in {:.1} s", started.elapsed().as_secs_f64());
        let started = Moment::now();
        let rater = Rater::newest(&client).await.unwrap();
        let register = closed::register(&client).await.unwrap();
        for (open, provider) in open::all(&rater, &register, now).await.unwrap() {
            open::keep(&rater, &open, &provider, 0).await.unwrap();
        }
        println!("  open periods rated in {:.1} s", started.elapsed().as_secs_f64());
    });
    let mut reader = Reader::new(serve(&parts, &client));
    pages(&mut reader, "/v1/arrays?limit=100", arrays, "a page of 100 arrays with their health, over HTTP");
    pages(&mut reader, "/v1/providers?limit=100", PROVIDERS, "a page of 100 scorecards, over HTTP");
    pages(&mut reader, "/v1/levels", PROVIDERS, "a page of 20 levels, over HTTP");
}

/// The stream and the book, as a worker mirrors them.
async fn decide(client: &Client) {
    let rules = StreamRules {
        stream: StreamId("lists-1".to_owned()),
        topic: "lists".to_owned(),
        partitions: u32::try_from(PARTITIONS).unwrap(),
        ..rules()
    };
    let book = partners();
    let (hash, actor) = (book.hash().unwrap(), "bench".to_owned());
    let decisions = [
        ("StreamOpened", Decision::StreamOpened { rules, closes: None, actor: actor.clone() }),
        ("PriceBookPublished", Decision::PriceBookPublished { hash, book: book.canonical().unwrap(), actor }),
    ];
    for (offset, (kind, decision)) in decisions.iter().enumerate() {
        let body = serde_json::to_string(decision).unwrap().replace('\\', "\\\\").replace('\'', "\\'");
        let values = format!("({offset}, now64(3, 'UTC'), '{kind}', '', 'bench', '{body}', '')");
        client.execute(&format!("INSERT INTO decision VALUES {values}")).await.unwrap();
    }
}

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [{ id = "block", meter = "effective_used", of = "array", tier = "//Block - Premium", unit = "TiB-month", statistic = "mean",
          bands = [{ price = "20" }] }]
"#;

const PROGRAMME: &str = r#"[programme.sp]
currency = "EUR"
revenue_months = 12
grace_months = 6
level = [{ name = "registered", discount_percent = "0" }, { name = "advanced", discount_percent = "6", paths = [{ revenue = "500000" }] }]
"#;

/// A vendor with so many providers, a contract each.
fn partners() -> Book {
    // of this month only: what is open before has no usage here
    let promise = format!(
        "programme = \"sp\"\ncommitted = {{ from = {}, revenue = \"1000000\" }}\n",
        chrono::Utc::now().format("%Y-%m-01")
    );
    let lines = "payment_days = 30\ntax = { percent = \"19\" }\nline = [{ rate = \"block\" }]";
    let text = pieces::book([
        meter("effective_used", "gauge"),
        vendor("v"),
        provider("p") + &promise,
        PROGRAMME.to_owned(),
        CARD.to_owned(),
        contract("c", ("v", "p"), "k", ("2026-01-01", "Europe/Berlin"), lines),
    ]);
    let mut book = book::parse(&[("bench.toml".to_owned(), text)]).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let (provider, contract) = (book.providers.remove("p").unwrap(), book.contracts.remove("c").unwrap());
    for number in 0..PROVIDERS {
        let id = format!("provider-{number:02}");
        book.providers.insert(id.clone(), provider.clone());
        let mut own = contract.clone();
        own.buyer = Buyer::Provider(id.clone());
        book.contracts.insert(id, own);
    }
    book
}

/// Events, checkpoints and buckets up to an instant.
async fn fill(client: &Client, arrays: usize, now: Instant) {
    let start = now.0 / HOUR_MS * 3600 - (HOURS as i64 - 1) * 3600;
    let polls = HOURS * POLLS;
    let step = 3600 / POLLS;
    let names = format!(
        "concat('provider-', leftPad(toString(array % {PROVIDERS}), 2, '0')) AS p, concat('array-', leftPad(toString(array), 5, '0')) AS a"
    );
    let constant = |value: &str| format!("arrayWithConstant({OF_ARRAY}, {value})");
    let own = |value: &str| format!("arrayConcat([toLowCardinality({value})], {})", constant("toLowCardinality('')"));
    let (tier, meter) = ("toLowCardinality('//Block - Premium')", "toLowCardinality('effective_used')");
    let events = arrays * polls;
    let at = format!("toDateTime64({start} + intDiv(number, {arrays}) * {step}, 3, 'UTC')");
    let insert = format!(
        "INSERT INTO usage_event SELECT 'lists-1', number % {PARTITIONS}, intDiv(number, {PARTITIONS}), {at}, 'accepted', '', p, a, a, 'HAM1', \
         's', toString(number), {at}, NULL, number, 1, -1, {OF_ARRAY} + 1, arrayConcat(['array'], {}), \
         arrayConcat([toLowCardinality(a)], arrayMap(v -> toLowCardinality(concat('v', toString(v))), range({OF_ARRAY}))), {}, \
         arrayConcat([toLowCardinality('')], arrayMap(v -> toLowCardinality(concat('c', toString(v % 7))), range({OF_ARRAY}))), \
         arrayConcat([{tier}], {}), arrayConcat([{meter}], {}), arrayConcat([toUInt64(7)], {}) \
         FROM (SELECT number, number % {arrays} AS array, {names} FROM numbers({events})) SETTINGS max_block_size = 8192, \
         min_insert_block_size_rows = 65536, min_insert_block_size_bytes = 0",
        constant("'volume'"),
        own("''"),
        constant(tier),
        constant(meter),
        constant("toUInt64(7)"),
    );
    client.execute(&insert).await.unwrap();
    for (next, poll) in [(events - arrays, polls - 2), (events, polls - 1)] {
        let columns = "(stream, generation, partition, from_offset, next_offset, log_time)";
        let rows = format!(
            "SELECT 'lists-1', 1, number, 0, {}, toDateTime64({start} + {poll} * {step}, 3, 'UTC') FROM numbers({PARTITIONS})",
            next / PARTITIONS
        );
        client.execute(&format!("INSERT INTO checkpoint {columns} {rows}")).await.unwrap();
    }
    let four = |value: &str| format!("arrayWithConstant(4, {value})");
    let cells = ["customer", tier, "toLowCardinality('HAM1')", "toInt128(1099511627776) * 900000", "toUInt32(900000)"];
    let more = ["toUInt32(1)", "toUInt64(1099511627776)", "toUInt64(1099511627776)", "toUInt64(1099511627776)"];
    let cells: Vec<String> = cells.into_iter().chain(more).map(four).collect();
    let of = |kind: &str, resource: &str, customer: &str, count: usize, array: &str| {
        format!(
            "INSERT INTO usage_bucket SELECT p, a, '{kind}', {resource}, 'effective_used', toDateTime({start} + hour * 3600, 'UTC'), 1, 'lists-1', \
             0, 1, 'gauge', 15, [0, 1, 2, 3], {} FROM (SELECT *, {names}, toLowCardinality({customer}) AS customer FROM \
             (SELECT number % {HOURS} AS hour, intDiv(number, {HOURS}) AS series, {array} AS array FROM numbers({}))) \
             SETTINGS min_insert_block_size_rows = 300000, min_insert_block_size_bytes = 0",
            cells.join(", "),
            count * HOURS
        )
    };
    client.execute(&of("array", "a", "''", arrays, "series")).await.unwrap();
    let volumes = of(
        "volume",
        "concat('v', toString(series % 200))",
        "concat('c', toString(series % 7))",
        arrays * OF_ARRAY,
        &format!("intDiv(series, {OF_ARRAY})"),
    );
    client.execute(&volumes).await.unwrap();
}

/// Page after page, and from the first again.
fn pages(reader: &mut Reader, question: &str, rows: usize, name: &str) {
    let (mut times, mut seen, mut path) = (Vec::new(), 0, question.to_owned());
    let joint = if question.contains('?') { '&' } else { '?' };
    let (_, first) = reader.get(question);
    println!(
        "  {question}: the first row is {}",
        serde_json::from_str::<serde_json::Value>(&first).unwrap()["data"][0]
    );
    for _ in 0..ASKED {
        let (took, body) = reader.get(&path);
        times.push(took);
        let page: serde_json::Value = serde_json::from_str(&body).unwrap();
        seen += page["data"].as_array().unwrap().len();
        path =
            page["next_cursor"].as_str().map_or(question.to_owned(), |next| format!("{question}{joint}cursor={next}"));
    }
    assert!(seen >= rows.min(ASKED * 100) / 2, "{seen} rows of {rows}");
    percentiles(name, times);
}
