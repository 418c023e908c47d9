//! Rating in memory, and quotes as a user asks for them.

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant as Moment;

use plimsoll::core::book::{self, Book};
use plimsoll::core::pricing::period::{Period, period};
use plimsoll::core::pricing::rating::{Rating, rate};
use plimsoll::core::pricing::usage::{ArrayCoverage, LineUsage, PartUsage, Slot};

use crate::row;
use crate::stage::book::{self as pieces, customer, meter, provider};

/// Resources of the contract.
const RESOURCES: i64 = 1_000;
/// A month of 31 days, in a zone without a change of its clocks in it.
const MONTH: &str = "2026-08";
const QUARTER_MS: i64 = 900_000;
const QUOTES: usize = 10_000;
const ROUNDS: usize = 7;

/// Prints the figures.
pub fn measure() {
    let (pooled, alone) = (contract(""), contract(", per = \"resource\""));
    let month = period(&pooled.contracts["c"], MONTH).unwrap();
    let (pool, parts) = (usage(&month, 1, RESOURCES), usage(&month, RESOURCES, 1));
    let slots = parts.parts.iter().map(|part| part.slots.len()).sum::<usize>();
    println!("\nrating a contract of {RESOURCES} resources in a month of 31 days, one core");
    let of_pool = fastest(|| rated(&pooled, &month, &pool));
    row(&format!("from {} pooled quarters of an hour", pool.parts[0].slots.len()), of_pool * 1e3, "ms", None);
    let by_resource = fastest(|| rated(&alone, &month, &parts));
    row(&format!("from {slots} cells, each resource alone"), by_resource * 1e3, "ms", None);
    let of_all = fastest(|| rated(&pooled, &month, &parts));
    row(&format!("from {slots} cells, added to one pool"), of_all * 1e3, "ms", None);
    assert_eq!(rated(&pooled, &month, &parts).subtotal, rated(&pooled, &month, &pool).subtotal);
    quotes();
}

/// Seconds of the fastest of several rounds: the machine is shared, and noise only ever adds.
fn fastest<T>(run: impl Fn() -> T) -> f64 {
    let round = |_| {
        let started = Moment::now();
        black_box(run());
        started.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn rated(book: &Book, month: &Period, usage: &LineUsage) -> Rating {
    rate(book, "c", None, month, std::slice::from_ref(usage)).unwrap()
}

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [{ id = "u", meter = "effective_used", of = "volume", unit = "TiB-month", statistic = "mean", committed = "24",
          overage = { evaluate = "day", bands = [{ up_to = "20%", price = "27" }, { price = "40.50" }] } }]
"#;

/// A book with one commitment whose overage is found by day, on a line with these keys too.
fn contract(line: &str) -> Book {
    let committed = if line.is_empty() { "100" } else { "0.1" };
    let lines = format!("payment_days = 30\nline = [{{ rate = \"u\", commitment = \"{committed}\"{line} }}]");
    let text = pieces::book([
        meter("effective_used", "gauge"),
        provider("p"),
        customer("p", "acme"),
        CARD.to_owned(),
        pieces::contract("c", ("p", "acme"), "k", ("2026-01-01", "Europe/Berlin"), &lines),
    ]);
    book::parse(&[("bench.toml".to_owned(), text)]).unwrap_or_else(|faults| panic!("{}", faults[0]))
}

/// A month of so many parts, each of so many equal resources with cells that differ from one to the next.
fn usage(month: &Period, parts: i64, each: i64) -> LineUsage {
    let quarters = (month.end.0 - month.start.0) / QUARTER_MS;
    let level = |resource: i64, quarter: i64| i128::from(100 + resource % 7 + quarter % 96) << 30;
    let part = |number: i64| {
        let amount = |quarter: i64| {
            let of_each = (number * each..(number + 1) * each).map(|resource| level(resource, quarter));
            of_each.sum::<i128>() * i128::from(QUARTER_MS)
        };
        let slot = |quarter: i64| Slot {
            start: month.start.plus_ms(quarter * QUARTER_MS),
            length_ms: QUARTER_MS,
            amount: amount(quarter),
        };
        let name = if parts == 1 { String::new() } else { format!("a/vol-{number:06}") };
        PartUsage { name, slots: (0..quarters).map(slot).collect(), known: Vec::new() }
    };
    let observed = (0..quarters).map(|quarter| (month.start.plus_ms(quarter * QUARTER_MS), QUARTER_MS)).collect();
    let array = ArrayCoverage { array: "a".to_owned(), first_reading: Some(month.start), handed_over: None, observed };
    LineUsage { parts: (0..parts).map(part).collect(), arrays: vec![array] }
}

/// Quotes by one process that reads them from its standard input.
fn quotes() {
    let request = |number: usize| {
        let quantity = number % 700;
        format!(
            r#"{{"schema":"plimsoll.quote/1","currency":"EUR","period_seconds":2592000,"lines":[{{"id":"block","quantity":"{quantity}.25","unit":"TiB-month","bands":[{{"up_to":"100","price":"30"}},{{"up_to":"500","price":"27.50"}},{{"price":"25"}}],"discounts":[{{"percent":"6"}},{{"percent":"3"}}]}},{{"id":"file","quantity":"{quantity}","unit":"TiB-month","commitment":{{"quantity":"100","price":"24"}},"overage":{{"bands":[{{"up_to":"20%","price":"27"}},{{"price":"40.50"}}]}}}},{{"id":"support","share":{{"percent":"8","of":["block","file"]}}}}],"minimum":"2500.00","credits":[{{"id":"sla-7","amount":"120.00"}}],"tax_percent":"19"}}"#
        )
    };
    let requests: String = (0..QUOTES).map(|number| request(number) + "\n").collect();
    let took = fastest(|| {
        let mut plimsoll = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let mut child =
            plimsoll.args(["quote", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let answers = std::thread::scope(|scope| {
            scope.spawn(|| stdin.write_all(requests.as_bytes()).map(|()| drop(stdin)).unwrap());
            child.wait_with_output().unwrap().stdout
        });
        let refused = answers.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"error\"")).count();
        assert_eq!((answers.iter().filter(|byte| **byte == b'\n').count(), refused), (QUOTES, 0));
    });
    println!("\nquotes");
    row(&format!("{QUOTES} requests of 3 lines by `plimsoll quote --batch`"), took, "s", None);
}
