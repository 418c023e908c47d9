//! How fast the ledger is metered again: what an audit, a repair and a proof take.

use std::time::Instant as Moment;

use plimsoll::clickhouse::read::rating::vector;
use plimsoll::clickhouse::{Client, Error};
use plimsoll::core::billing::proof::CutPoint;
use plimsoll::core::metering::definition::{Definition, MeterKind, Meters};
use plimsoll::core::word::Hour;
use plimsoll::remeter::{Cut, Remeter, Scope};

use crate::end_to_end::{Parts, fold, open, produce, publish_meters, topic};
use crate::row;

const ARRAYS: u64 = 500;
const READINGS: u64 = 200;
/// Polls of 5 minutes: eight hours.
const POLLS: u64 = 96;

/// Prints the figures.
pub fn measure() {
    let parts = Parts::start();
    publish_meters(&parts);
    let rules = topic(&parts, "remeter");
    let events = ARRAYS * POLLS;
    produce(&parts, &rules.topic, events, READINGS, ARRAYS);
    open(&parts, &rules);
    println!("\n{} series, {events} events of {READINGS} readings, {} partitions", ARRAYS * READINGS, rules.partitions);
    fold(&parts, &rules);
    let (seconds, readings) = parts.runtime.block_on(again(&Client::new(&parts.config.clickhouse)));
    row("metered again from the ledger", readings as f64 / seconds, "readings/s", None);
}

async fn again(client: &Client) -> (f64, u64) {
    let points = vector(client).await.unwrap().into_iter();
    let points: Vec<CutPoint> =
        points.map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect();
    let remeter = Remeter::new(client.clone(), Cut::new(&points).unwrap());
    let mut meters = Meters::default();
    meters.define("effective_used", Definition { kind: MeterKind::Gauge, max_hold_ms: 7_200_000, cell_ms: 900_000 });
    let spans = remeter.arrays(None).await.unwrap();
    let (oldest, newest) = (spans.iter().map(|span| span.oldest).min(), spans.iter().map(|span| span.newest).max());
    let (from, to) = (oldest.unwrap().hour(), Hour(newest.unwrap().hour().0 + 4));
    let scope = Scope { provider: None, arrays: Vec::new(), from, to };
    let (started, mut readings, mut buckets) = (Moment::now(), 0, 0);
    remeter
        .each::<Error>(&scope, &meters, |array| {
            readings += array.readings;
            buckets += array.buckets.len();
            Ok(())
        })
        .await
        .unwrap();
    println!("  {buckets} buckets");
    (started.elapsed().as_secs_f64(), readings)
}
