//! Statements of many contracts from the database.

use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::{Client, migrate};
use plimsoll::core::book::{self, Book};
use plimsoll::core::pricing::period::period;
use plimsoll::statement::{Place, Rater, StatementError};

use crate::end_to_end::Parts;
use crate::row;

/// Contracts of one series each; `PLIMSOLL_BENCH_CONTRACTS` sets another number.
const CONTRACTS: usize = 100_000;
/// Series of one array.
const OF_ARRAY: usize = 1_000;
/// Series of one insert, of which two run at a time.
const OF_INSERT: usize = 5_000;
/// Blocks of which two fit the engine's memory at a time.
const BLOCK: &str = "min_insert_block_size_rows = 300000, min_insert_block_size_bytes = 0";
/// A month of 744 hours.
const MONTH: &str = "2026-08";
const HOURS: usize = 744;

/// Prints the figures.
pub fn measure() {
    let asked = std::env::var("PLIMSOLL_BENCH_CONTRACTS").ok().and_then(|text| text.parse().ok());
    let contracts = asked.unwrap_or(CONTRACTS);
    println!("\nstatements of {contracts} contracts of one series each, {} buckets, engine beside", contracts * HOURS);
    let parts = Parts::start();
    let mut settings = parts.config.clickhouse.clone();
    settings.database = "statements".to_owned();
    settings.insert_timeout = Duration::from_secs(600);
    let client = Client::new(&settings);
    parts.runtime.block_on(migrate::apply(&client)).unwrap();
    let book = contracts_of(contracts);
    let started = Moment::now();
    parts.runtime.block_on(insert(&client, &book, contracts));
    println!("  buckets inserted in {:.0} s", started.elapsed().as_secs_f64());
    let rater = parts.runtime.block_on(Rater::with_book(&client, book, "sha256:bench".to_owned())).unwrap();
    let places: Vec<Place> =
        rater.book().contracts.keys().map(|id| Place { contract: id.clone(), customer: None }).collect();
    let started = Moment::now();
    let (mut bytes, mut count, mut first) = (0, 0, None);
    let each = rater.each(&places, MONTH, |_, document| {
        let document = document?;
        first.get_or_insert_with(|| started.elapsed());
        assert_ne!(document.subtotal, "0.00");
        count += 1;
        bytes += serde_json::to_vec(&document).unwrap().len();
        Ok::<(), StatementError>(())
    });
    parts.runtime.block_on(each).unwrap();
    let took = started.elapsed().as_secs_f64();
    assert_eq!(count, contracts);
    println!(
        "  first document after {:.1} s, {} MB of JSON in all",
        first.unwrap_or_default().as_secs_f64(),
        bytes >> 20
    );
    row("statements, rated from buckets and serialised", took, "s", None);
    row("... a second", contracts as f64 / took, "statements/s", None);
}

/// A book of a provider with so many customers, a contract each.
fn contracts_of(contracts: usize) -> Book {
    let text = r#"
        format = 1
        [meter.effective_used]
        kind = "gauge"
        base = "byte"
        [provider.northwind]
        name = "Northwind Cloud GmbH"
        address = ["Hafenstrasse 4", "20457 Hamburg", "DE"]
        invoice_number = "NW-{year}-{seq:5}"
        [customer.c]
        provider = "northwind"
        name = "Customer AG"
        address = ["Industriestrasse 9", "70565 Stuttgart", "DE"]
        tags = ["c"]
        [card.k]
        currency = "EUR"
        rate = [{ id = "block", meter = "effective_used", of = "volume", tier = "//Block - Premium", unit = "TiB-month", statistic = "mean",
                  bands = [{ up_to = "10", price = "49" }, { up_to = "50", price = "45" }, { price = "41" }] },
                { id = "platform", fee = "90" }]
        [contract.c]
        seller = "northwind"
        buyer = "c"
        card = "k"
        from = 2026-01-01
        time_zone = "Europe/Berlin"
        payment_days = 30
        tax = { percent = "19" }
        line = [{ rate = "block" }, { rate = "platform" }]
        "#;
    let mut book =
        book::parse(&[("bench.toml".to_owned(), text.to_owned())]).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let (customer, contract) = (book.customers.remove("c").unwrap(), book.contracts.remove("c").unwrap());
    for number in 0..contracts {
        let id = format!("c{number:06}");
        let mut own = customer.clone();
        own.tags = vec![id.clone()];
        book.customers.insert(id.clone(), own);
        let mut own = contract.clone();
        own.buyer = book::model::Buyer::Customer(id.clone());
        book.contracts.insert(id, own);
    }
    book
}

/// A month of buckets of each series, and of what was observed of their arrays. They come series by series, as they lie once they
/// are merged, so merges are stopped.
async fn insert(client: &Client, book: &Book, contracts: usize) {
    let from = period(book.contracts.values().next().unwrap(), MONTH).unwrap().start.0 / 1000;
    let values = |array: &str, kind: &str, resource: &str, meter: &str, customer: &str| {
        let four = |value: &str| format!("arrayWithConstant(4, {value})");
        let cells =
            [customer, "toLowCardinality('//Block - Premium')", "toLowCardinality('HAM1')", "toInt128(level) * 900000"];
        let more = ["toUInt32(900000)", "toUInt32(3)", "level", "level", "level"];
        let cells: Vec<String> = cells.into_iter().chain(more).map(four).collect();
        format!(
            "INSERT INTO usage_bucket SELECT 'northwind', {array}, '{kind}', {resource}, '{meter}', toDateTime({from} + hour * 3600, 'UTC'), \
             1, 'bench-1', 0, 1, 'gauge', 15, [0, 1, 2, 3], {} FROM (SELECT *, toUInt64(1 + series % 97) * 68719476736 + hour * 7919 AS level ",
            cells.join(", ")
        )
    };
    let array = format!("concat('array-', leftPad(toString(intDiv(series, {OF_ARRAY})), 4, '0'))");
    let name = |prefix: &str| format!("concat('{prefix}', leftPad(toString(series), 6, '0'))");
    let customer = format!("toLowCardinality({})", name("c"));
    client.execute("SYSTEM STOP MERGES usage_bucket").await.unwrap();
    let volumes = values(&array, "volume", &name("vol-"), "effective_used", &customer);
    let some = async |first: usize, rows: usize, every: usize| {
        let series = format!("{first} + intDiv(number, {HOURS}) * {every} AS series, number % {HOURS} AS hour");
        let values =
            if every == 1 { &volumes } else { &values(&array, "array", &array, "$observed", "toLowCardinality('')") };
        client
            .execute(&format!("{values} FROM (SELECT {series} FROM numbers({rows}))) SETTINGS {BLOCK}"))
            .await
            .unwrap();
    };
    for first in (0..contracts).step_by(2 * OF_INSERT) {
        let rows = |first: usize| OF_INSERT.min(contracts.saturating_sub(first)) * HOURS;
        let second = first + OF_INSERT;
        futures_util::future::join(some(first, rows(first), 1), some(second, rows(second), 1)).await;
    }
    some(0, contracts.div_ceil(OF_ARRAY) * HOURS, OF_ARRAY).await;
}
