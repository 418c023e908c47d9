//! The pure core: decoding against plain serde_json, and the whole fold against decoding alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant as Moment;

use plimsoll::core::event::{Event, Limits, RawRecord, decode};
use plimsoll::core::ledger::identity_set::IdentitySet;
use plimsoll::core::ledger::judge::{Judge, LogRecord, NamedDecision};
use plimsoll::core::ledger::rules::StreamRules;
use plimsoll::core::metering::array::MeterReading;
use plimsoll::core::metering::bucket::BucketBatch;
use plimsoll::core::metering::definition::{Definition, MeterKind, Meters};
use plimsoll::core::metering::held::EventOrder;
use plimsoll::core::metering::partition::PartitionMeter;
use plimsoll::core::word::{Disposition, Instant, Offset, Partition, StreamId};
use plimsoll::fold::partition::PartitionFold;
use serde::Deserialize;

use crate::events::{START_MS, event};
use crate::row;

/// What anyone would write first: owned structs.
#[derive(Deserialize)]
#[allow(dead_code)] // read into and dropped
struct Plain {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    data: PlainData,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PlainData {
    provider: String,
    array: PlainArray,
    readings: Vec<PlainReading>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PlainArray {
    id: String,
    name: Option<String>,
    site: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct PlainReading {
    resource: String,
    kind: String,
    name: Option<String>,
    customer: Option<String>,
    tier: Option<String>,
    meter: String,
    value: u64,
}

/// The rules that measurements fold by.
pub fn rules() -> StreamRules {
    StreamRules {
        stream: StreamId("bench-1".to_owned()),
        topic: "bench".to_owned(),
        generation: 1,
        partitions: 1,
        provider: None,
        acceptance_window_ms: 400 * 86_400_000,
        future_limit_ms: 900_000,
        max_event_bytes: 16 << 20,
        max_event_readings: 50_000,
        max_id_bytes: 256,
        fold_version: 1,
    }
}

/// The meters that measurements use.
pub fn meters() -> Meters {
    let mut meters = Meters::default();
    let gauge = Definition { kind: MeterKind::Gauge, max_hold_ms: 7_200_000, cell_ms: 900_000 };
    meters.define("effective_used", gauge);
    meters
}

/// A fold at the beginning of an empty log.
pub fn fold() -> PartitionFold {
    let rules = Arc::new(rules());
    let judge = Judge::new((*rules).clone(), Partition(0), Instant(i64::MIN), IdentitySet::default());
    PartitionFold::new(rules, Partition(0), Offset(0), Offset(0), judge, PartitionMeter::new(meters()), None)
}

/// Rounds of all the runs that are compared.
const ROUNDS: usize = 7;

/// Seconds of the fastest of several rounds of each run: the machine is shared, and noise only ever adds. The runs take turns, so
/// that a slow minute of the machine meets all of them and not one.
fn fastest<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::INFINITY; N];
    for _ in 0..ROUNDS {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let started = Moment::now();
            run();
            *best = best.min(started.elapsed().as_secs_f64());
        }
    }
    best
}

/// One record of the bench's log.
fn record((offset, (key, value)): (usize, &(String, Vec<u8>))) -> LogRecord<'_> {
    let raw = RawRecord { key: Some(key.as_bytes()), headers: &[], value };
    LogRecord { offset: Offset(offset as u64), append_time: Instant(START_MS + 90 * 86_400_000), raw }
}

#[inline(never)] // a profile should name them
fn judge_only(all: &[(String, Vec<u8>)]) {
    let mut judge = Judge::new(rules(), Partition(0), Instant(i64::MIN), IdentitySet::default());
    for record in all.iter().enumerate().map(record) {
        let decoded = decode(&record.raw, &Limits::default());
        assert_eq!(judge.judge(&record, &decoded, NamedDecision::None).disposition, Disposition::Accepted);
    }
    black_box(judge);
}

#[inline(never)]
fn judge_and_meter(all: &[(String, Vec<u8>)], written: &mut BucketBatch) {
    let mut judge = Judge::new(rules(), Partition(0), Instant(i64::MIN), IdentitySet::default());
    let mut meter = PartitionMeter::new(meters());
    // as after a checkpoint
    meter.recycle(std::mem::take(written));
    for record in all.iter().enumerate().map(record) {
        let decoded = decode(&record.raw, &Limits::default());
        let verdict = judge.judge(&record, &decoded, NamedDecision::None);
        assert_eq!(verdict.disposition, Disposition::Accepted);
        meter_event(&mut meter, &decoded.unwrap(), record.offset.0);
    }
    *written = black_box(meter.put_out()).buckets;
}

#[inline(never)]
fn whole_fold(all: &[(String, Vec<u8>)]) {
    let mut fold = fold();
    for record in all.iter().enumerate().map(record) {
        fold.fold(&record, NamedDecision::None).unwrap();
        if fold.batch().len() >= 20_000 {
            black_box(fold.take_batch());
        }
    }
    black_box(fold.take_checkpoint().unwrap());
}

/// Prints the figures.
pub fn measure() {
    for (events, readings) in [(200_000u64, 1u64), (4_000, 200)] {
        let all: Vec<(String, Vec<u8>)> = (0..events).map(|number| event(number, 100, readings)).collect();
        let bytes: usize = all.iter().map(|(_, value)| value.len()).sum();
        println!("\n{readings} readings an event, {} bytes, one core", bytes / all.len());
        let total = (events * readings) as f64;
        let mut written = BucketBatch::default();
        let [plain, decoded, judged, metered, folded] = fastest([
            &mut || all.iter().for_each(|(_, value)| drop(black_box(serde_json::from_slice::<Plain>(value).unwrap()))),
            &mut || {
                all.iter().enumerate().map(record).for_each(|record| {
                    drop(black_box(decode(&record.raw, &Limits::default()).unwrap()));
                });
            },
            &mut || judge_only(&all),
            &mut || judge_and_meter(&all, &mut written),
            &mut || whole_fold(&all),
        ]);
        row("plain serde_json into owned structs", total / plain, "readings/s", None);
        row("decode", total / decoded, "readings/s", Some((plain / decoded, "plain")));
        row("decode + dedupe", total / judged, "readings/s", Some((decoded / judged, "decode")));
        row("decode + dedupe + meter", total / metered, "readings/s", Some((decoded / metered, "decode")));
        row("... and ledger rows", total / folded, "readings/s", Some((decoded / folded, "decode")));
    }
    memory();
}

fn meter_event(meter: &mut PartitionMeter, event: &Event<'_>, offset: u64) {
    let order = EventOrder { instant: event.time, recorded: event.recorded, generation: 1, offset };
    let readings = event.readings.iter().map(|reading| MeterReading {
        kind: reading.kind,
        resource: &reading.resource,
        meter: &reading.meter,
        customer: reading.customer.as_deref(),
        tier: reading.tier.as_deref(),
        value: reading.value,
        series_hash: reading.series_hash,
    });
    meter.accept(&event.provider, &event.array, event.site.as_deref(), order, readings);
}

/// Memory of identities and of live series at rest, by the structures' own account.
fn memory() {
    println!("\nmemory");
    let mut identities = IdentitySet::default();
    for number in 0..1_000_000u64 {
        let identity = xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes());
        identities.remember(identity, number, Instant(1));
    }
    row("bytes per remembered identity (1 M)", identities.bytes() as f64 / identities.len() as f64, "bytes", None);
    let mut fold = fold();
    for number in 0..50 * 60 {
        let (key, value) = event(number, 50, 200);
        let raw = RawRecord { key: Some(key.as_bytes()), headers: &[], value: &value };
        let record = LogRecord { offset: Offset(number), append_time: Instant(START_MS + 90 * 86_400_000), raw };
        fold.fold(&record, NamedDecision::None).unwrap();
    }
    let _ = (fold.take_batch(), fold.take_checkpoint().unwrap());
    let series = fold.meter().live_series() as f64;
    row("bytes per live series at rest (5-minute polls)", fold.meter().bytes() as f64 / series, "bytes", None);
}
