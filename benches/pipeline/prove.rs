//! How fast a statement is proved: the ledger read, metered again, gathered by line.

use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::read::rating::vector;
use plimsoll::core::book::model::Statistic;
use plimsoll::core::cut::CutPoint;
use plimsoll::core::decision::stream::StreamRegister;
use plimsoll::core::metering::definition::{Definition, Meters};
use plimsoll::core::pricing::selection::{Grain, LineSelection};
use plimsoll::core::word::{Instant, Kind};
use plimsoll::prove::{Effort, Ledger, Streams};

use crate::end_to_end::{Parts, fold, open, produce, publish_meters, topic};
use crate::events::START_MS;
use crate::row;

const ARRAYS: u64 = 40;
const READINGS: u64 = 200;
/// Polls of 5 minutes: four days.
const POLLS: u64 = 1_152;
const DAY_MS: i64 = 86_400_000;

/// Prints the figures.
pub fn measure() {
    let parts = Parts::start();
    publish_meters(&parts);
    let rules = topic(&parts, "prove");
    let events = ARRAYS * POLLS;
    produce(&parts, &rules.topic, events, READINGS, ARRAYS);
    open(&parts, &rules);
    println!("\nproof of {events} events of {READINGS} readings, {ARRAYS} arrays, engine beside");
    fold(&parts, &rules);
    let client = Client::new(&parts.config.clickhouse);
    let lines: Vec<LineSelection> = std::iter::once(None).chain((0..7).map(Some)).map(line).collect();
    let mut effort = Effort::default();
    let measured = crate::effort::Effort::begin(parts.engine_pid);
    let usages = parts.runtime.block_on(async {
        let vector = vector(&client).await.unwrap().into_iter();
        let point = |(stream, partition, offset)| CutPoint { stream, partition, offset };
        let cut: Vec<CutPoint> = vector.map(point).collect();
        // nobody mirrors decisions here
        let mut meters = Meters::default();
        meters.define("effective_used", Definition::OBSERVED);
        let streams = Streams::of(StreamRegister::default());
        let ledger = Ledger { client: &client, cut: &cut, streams: &streams, meters: &meters, provider: "northwind" };
        ledger.usages(&lines, |_, now| effort = now).await.unwrap()
    });
    let took = measured.took();
    let area = |line: usize| usages[line].parts[0].slots.iter().map(|slot| slot.amount).sum::<i128>();
    assert_eq!((1..8).map(area).sum::<i128>(), area(0), "the customers' usage is all of it");
    let readings = effort.readings as f64;
    println!("  {:.2} s, of processors {:.2} here, {:.2} there", took.wall, took.own, took.engine);
    row("proof: ledger read, metered again, gathered", readings / took.wall, "readings/s", None);
    row("... by processors, had it two to itself", 2.0 * readings / took.processor(), "readings/s", None);
}

/// A line of days: of all customers, or of one.
fn line(customer: Option<u64>) -> LineSelection {
    let edges = (0..4).map(|day| Instant(START_MS + day * DAY_MS));
    LineSelection {
        line: 0,
        id: "line".to_owned(),
        meter: "effective_used".to_owned(),
        kind: Kind::Volume,
        tier: None,
        statistic: Statistic::Mean,
        provider: "northwind".to_owned(),
        sites: Vec::new(),
        arrays: Vec::new(),
        customers: customer.map(|number| vec![format!("c{number}")]),
        per: None,
        grain: Grain::Window(edges.collect()),
        from: Instant(START_MS),
        until: Instant(START_MS + 4 * DAY_MS),
        part: Vec::new(),
        demo: Vec::new(),
    }
}
