//! Closes of providers of 10,000 series each over a month, by the closer itself, from buckets.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::Client;
use plimsoll::closer::clickhouse::ClickHouseBilling;
use plimsoll::closer::close::{Mode, Outcome};
use plimsoll::closer::kafka::KafkaBilling;
use plimsoll::closer::seam::{Asked, BillStore, NewInvoice, NewRating, StoredDraft, Usage};
use plimsoll::closer::{CloseError, Closer};
use plimsoll::core::book;
use plimsoll::core::closing::hole::Hole;
use plimsoll::core::closing::period::{ProviderPeriod, labelled};
use plimsoll::core::cut::{CutPoint, Stand};
use plimsoll::core::decision::Decision;
use plimsoll::core::decision::closing::PeriodKey;
use plimsoll::core::word::HOUR_MS;
use plimsoll::kafka::control::ControlFollower;
use plimsoll::kafka::control_writer::append;
use plimsoll::kafka::topic::{Purpose, Topics};
use plimsoll::run::mirror::mirror_new;

use crate::effort::{Effort, Took};
use crate::end_to_end::{Parts, open, topic};
use crate::month::{ARRAYS, Month};
use crate::row;

/// Providers; `PLIMSOLL_BENCH_PROVIDERS` sets another number.
const PROVIDERS: usize = 4;
/// Series of an array; `PLIMSOLL_BENCH_SERIES` sets another number.
const OF_ARRAY: usize = 1_000;
/// A month of 744 hours.
const LABEL: &str = "2026-08";

/// Prints the figures.
pub fn measure() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let providers = number("PLIMSOLL_BENCH_PROVIDERS").unwrap_or(PROVIDERS);
    let of_array = number("PLIMSOLL_BENCH_SERIES").unwrap_or(OF_ARRAY);
    let parts = Parts::start();
    let mut settings = parts.config.clickhouse.clone();
    settings.insert_timeout = Duration::from_secs(600);
    let client = Client::new(&settings);
    let topics = Topics::new(&parts.config.kafka).unwrap();
    parts.runtime.block_on(topics.create(&parts.config.kafka.control_topic, 1, Purpose::Control)).unwrap();
    let book = book_of(providers);
    publish(&parts, &book);
    let rules = topic(&parts, "close");
    open(&parts, &rules);
    let control = std::sync::Arc::new(ControlFollower::start(&parts.config.kafka).unwrap());
    control.read_to_end().unwrap();
    parts.runtime.block_on(mirror_new(&client, &control, &mut None)).unwrap();
    let periods: Vec<ProviderPeriod> = (0..providers)
        .map(|provider| labelled(&book, &format!("provider-{provider}"), LABEL).unwrap().remove(0))
        .collect();
    let (first, last) = (&periods[0].key, periods[0].due());
    let hours = usize::try_from((first.end.0 - first.start.0) / HOUR_MS).unwrap();
    let month = Month { client: &client, rules: &rules, from: first.start, hours, of_array, providers };
    println!("\nclose of a month of {providers} providers of {} series each, engine beside", ARRAYS * of_array);
    month.checkpoints(&parts, last.plus_ms(HOUR_MS));
    let runtime = parts.runtime.handle();
    let steps = Rc::new(RefCell::new(Vec::new()));
    let store = ClickHouseBilling::new(client.clone(), runtime.clone(), control.clone());
    let store = Timed { store, steps: Rc::clone(&steps), pid: parts.engine_pid };
    let log = KafkaBilling::new(&parts.config.kafka, control.clone(), runtime.clone()).unwrap();
    let mut closer = Closer::new(log, store, "bench".to_owned());
    let (mut lying, mut merged) = (Vec::new(), Vec::new());
    for (provider, period) in periods.iter().enumerate() {
        let started = Moment::now();
        parts.runtime.block_on(month.insert(provider));
        let inserted = started.elapsed().as_secs_f64();
        // the second half of them close a month that became one part, as it does a day after the last write
        let is_merged = 2 * (provider + 1) > providers;
        let lie = parts.runtime.block_on(month.settle(is_merged));
        println!(
            "  provider {provider}: inserted in {inserted:.0} s, merged after {:.0} s; {lie} parts",
            started.elapsed().as_secs_f64()
        );
        steps.borrow_mut().clear();
        let effort = Effort::begin(parts.engine_pid);
        let outcome = closer.close(period, last.plus_ms(1), Mode::Close).unwrap();
        let took = effort.took();
        let Outcome::Closed(closing) = outcome else { panic!("{outcome:?}") };
        assert_eq!(closing.drafts.len(), 1 + 100.min(of_array / 2 - 1), "wholesale, and each customer");
        assert!(closing.drafts.iter().all(|draft| !draft.document.total.starts_with("0.0")));
        for (step, took) in steps.borrow().iter() {
            println!(
                "    {step:<20} {:>6.2} s, of processors {:>5.2} here, {:>5.2} there",
                took.wall, took.own, took.engine
            );
        }
        println!(
            "    in all               {:>6.2} s, of processors {:>5.2} here, {:>5.2} there",
            took.wall, took.own, took.engine
        );
        if is_merged { merged.push(took) } else { lying.push(took) }
    }
    figures("as it lies when all is inserted", &lying);
    figures("as it lies a day later, in one part", &merged);
}

/// Closes of providers are independent of each other, so time grows with their number and not faster.
fn figures(lies: &str, closes: &[Took]) {
    let Some(first) = closes.first() else { return };
    let mean = |of: fn(&Took) -> f64| closes.iter().map(of).sum::<f64>() / closes.len() as f64;
    let last = closes.last().unwrap_or(first);
    println!("  {lies}");
    row("close of a provider: mean by the clock", mean(|took| took.wall), "s", None);
    row(
        "... of processors",
        mean(Took::processor),
        "s",
        Some((last.processor() / first.processor(), "the first, the last close")),
    );
    row("... 100 providers, extrapolated", 100.0 * mean(|took| took.wall), "s", None);
    row("... of processors, shared by two", 50.0 * mean(Took::processor), "s", None);
}

fn publish(parts: &Parts, book: &book::Book) {
    let (hash, actor) = (book.hash().unwrap(), "bench".to_owned());
    let decision = Decision::PriceBookPublished { hash, book: book.canonical().unwrap(), actor };
    parts.runtime.block_on(append(&parts.config.kafka, &decision)).unwrap();
}

/// A vendor that sells to so many providers, each of which sells to whoever its volumes are tagged with.
fn book_of(providers: usize) -> book::Book {
    let shared = r#"
        format = 1
        [meter.effective_used]
        kind = "gauge"
        base = "byte"
        [meter.read_bytes]
        kind = "counter"
        base = "byte"
        [vendor.evergrove]
        name = "Evergrove Storage BV"
        address = ["Kade 1", "1011 AB Amsterdam", "NL"]
        invoice_number = "EG-{year}-{seq:6}"
        [card.vendor]
        currency = "EUR"
        rate = [{ id = "block", meter = "effective_used", of = "array", tier = "//Block - Premium", unit = "TiB-month", statistic = "mean",
                  committed = "24.00", overage = { evaluate = "day", bands = [{ up_to = "20%", price = "27.00" }, { price = "40.50" }] } },
                { id = "support", share = { percent = "4", of = ["block"] } }]
        [card.retail]
        currency = "EUR"
        rate = [{ id = "block", meter = "effective_used", of = "volume", tier = "//Block - Premium", unit = "TiB-month", statistic = "mean",
                  bands = [{ up_to = "10", price = "49" }, { up_to = "50", price = "45" }, { price = "41" }] },
                { id = "read-traffic", meter = "read_bytes", of = "volume", unit = "GiB", statistic = "sum",
                  bands = [{ up_to = "1000", price = "0" }, { price = "0.02" }] },
                { id = "platform", fee = "90" }]
        "#;
    let of_provider = |number: usize| {
        format!(
            r#"
        [provider.provider-{number}]
        name = "Provider {number}"
        address = ["Hafenstrasse 4", "20457 Hamburg", "DE"]
        invoice_number = "P{number}-{{year}}-{{seq:6}}"
        [contract.wholesale-{number}]
        seller = "evergrove"
        buyer = "provider-{number}"
        card = "vendor"
        from = 2026-01-01
        time_zone = "Europe/Berlin"
        payment_days = 45
        tax = {{ percent = "0", note = "VAT reverse charge, Art. 196 Directive 2006/112/EC" }}
        line = [{{ rate = "block", commitment = "100" }}, {{ rate = "support" }}]
        [contract.retail-{number}]
        seller = "provider-{number}"
        buyer = "*"
        card = "retail"
        from = 2026-01-01
        time_zone = "Europe/Berlin"
        payment_days = 14
        tax = {{ percent = "19" }}
        line = [{{ rate = "block" }}, {{ rate = "read-traffic" }}, {{ rate = "platform" }}]
        "#
        )
    };
    let text = std::iter::once(shared.to_owned()).chain((0..providers).map(of_provider)).collect::<String>();
    book::parse(&[("bench.toml".to_owned(), text)]).unwrap_or_else(|faults| panic!("{}", faults[0]))
}

/// The closer's own store, with a note of what each call took.
struct Timed {
    store: ClickHouseBilling,
    steps: Rc<RefCell<Vec<(&'static str, Took)>>>,
    pid: i32,
}

impl Timed {
    fn time<T>(&mut self, step: &'static str, call: impl FnOnce(&mut ClickHouseBilling) -> T) -> T {
        let effort = Effort::begin(self.pid);
        let answer = call(&mut self.store);
        self.steps.borrow_mut().push((step, effort.took()));
        answer
    }
}

impl BillStore for Timed {
    fn stands(&mut self) -> Result<Vec<Stand>, CloseError> {
        self.time("checkpoints", ClickHouseBilling::stands)
    }

    fn holes(&mut self, period: &PeriodKey, cut: &[CutPoint]) -> Result<Vec<Hole>, CloseError> {
        self.time("what keeps it open", |store| store.holes(period, cut))
    }

    fn rate(&mut self, asked: &Asked<'_>) -> Result<Usage, CloseError> {
        self.time("rating", |store| store.rate(asked))
    }

    fn drafts(&mut self, rating_id: &str) -> Result<Vec<StoredDraft>, CloseError> {
        self.time("drafts", |store| store.drafts(rating_id))
    }

    fn insert_rows(&mut self, asked: &Asked<'_>, rating: &NewRating<'_>) -> Result<bool, CloseError> {
        self.time("rows, allocated", |store| store.insert_rows(asked, rating))
    }

    fn insert_headers(&mut self, rating: &NewRating<'_>) -> Result<(), CloseError> {
        self.time("headers", |store| store.insert_headers(rating))
    }

    fn reflected(&mut self, numbers: &[String]) -> Result<Vec<(String, u64)>, CloseError> {
        self.store.reflected(numbers)
    }

    fn insert_invoices(&mut self, invoices: &[NewInvoice]) -> Result<(), CloseError> {
        self.store.insert_invoices(invoices)
    }
}
