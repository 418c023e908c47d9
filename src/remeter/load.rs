//! Reads the events of a chunk into the meters of its arrays.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::chunk::{ArrayName, Chunk, conditions};
use super::cut::{Cut, Source};
use super::{Metered, Position};
use crate::clickhouse::read::borrowed::Borrowed;
use crate::clickhouse::void::{Void, counted};
use crate::clickhouse::{Client, Error};
use crate::core::event::hash::content_of;
use crate::core::event::series_hash;
use crate::core::metering::array::{ArrayMeter, MeterReading};
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::Meters;
use crate::core::metering::held::EventOrder;
use crate::core::word::{Hour, Instant, Kind, Offset};
use crate::fold::seam::ArraySpan;

#[derive(Row, Deserialize)]
struct SpanRow {
    provider: String,
    array: String,
    oldest: i64,
    newest: i64,
}

/// An event, borrowed from the answer: texts of readings are by far the most of it, and none of them is copied.
#[derive(Row, Deserialize)]
struct EventRow<'a> {
    offset: u64,
    time_ms: i64,
    recorded_ms: Option<i64>,
    provider: &'a str,
    array: &'a str,
    site: &'a str,
    content: u64,
    kinds: Vec<i8>,
    #[serde(borrow)]
    resources: Vec<&'a str>,
    #[serde(borrow)]
    customers: Vec<&'a str>,
    #[serde(borrow)]
    tiers: Vec<&'a str>,
    #[serde(borrow)]
    meters: Vec<&'a str>,
    values: Vec<u64>,
}

/// The accepted readings of a chunk, by array.
#[derive(Debug)]
pub struct Loaded {
    arrays: Arc<[ArrayName]>,
    meters: Vec<Option<Array>>,
    from: Hour,
    to: Hour,
    next: usize,
}

#[derive(Debug)]
struct Array {
    meter: ArrayMeter,
    events: u64,
    readings: u64,
    altered: Vec<(Position, Instant)>,
}

impl Iterator for Loaded {
    type Item = Metered;

    /// The next array's buckets, in the order of the chunk's arrays; its readings are forgotten. An array that turns out to have no event
    /// in these hours has no bucket.
    fn next(&mut self) -> Option<Metered> {
        let place = self.next;
        let loaded = self.meters.get_mut(place)?.take();
        self.next += 1;
        let (provider, array) = self.arrays[place].clone();
        let (from, to) = (self.from, self.to);
        let mut metered = Metered {
            provider,
            array,
            from,
            to,
            buckets: BucketBatch::default(),
            events: 0,
            readings: 0,
            altered: Vec::new(),
        };
        if let Some(Array { meter, events, readings, altered }) = loaded {
            meter.put_out_hours(|_| (from.0..to.0).map(Hour), &mut metered.buckets);
            (metered.events, metered.readings, metered.altered) = (events, readings, altered);
        }
        Some(metered)
    }
}

pub(super) async fn load(client: &Client, chunk: &Chunk, meters: &Meters) -> Result<Loaded, Error> {
    let mut arrays: Vec<Option<Array>> = Vec::new();
    arrays.resize_with(chunk.arrays.len(), || None);
    let places: HashMap<(&str, &str), usize> =
        chunk.arrays.iter().enumerate().map(|(place, (provider, array))| ((&**provider, &**array), place)).collect();
    for (source, offsets) in &chunk.places {
        let mut rows = Borrowed::<EventRow<'_>>::of(client, events(client, chunk, source, offsets))?;
        while let Some(row) = rows.next().await? {
            let Some(&place) = places.get(&(row.provider, row.array)) else { continue };
            let array = arrays[place].get_or_insert_with(|| Array {
                meter: ArrayMeter::keeping_all(row.provider, row.array),
                events: 0,
                readings: 0,
                altered: Vec::new(),
            });
            array.take(&row, source, meters);
        }
    }
    Ok(Loaded { arrays: Arc::clone(&chunk.arrays), meters: arrays, from: chunk.from, to: chunk.to, next: 0 })
}

impl Array {
    fn take(&mut self, row: &EventRow<'_>, source: &Source, meters: &Meters) {
        let order = EventOrder {
            instant: Instant(row.time_ms),
            recorded: row.recorded_ms.map(Instant),
            generation: source.generation,
            offset: row.offset,
        };
        let readings = || {
            row.kinds.iter().enumerate().map(|(place, kind)| {
                // the column's type has no other numbers
                let kind = Kind::from_number(*kind as u8).unwrap_or(Kind::Array);
                let (resource, meter) = (row.resources[place], row.meters[place]);
                MeterReading {
                    kind,
                    resource,
                    meter,
                    customer: some(row.customers[place]),
                    tier: some(row.tiers[place]),
                    value: row.values[place],
                    series_hash: series_hash(kind, resource, meter),
                }
            })
        };
        let said = readings().map(|reading| (reading.series_hash, reading.customer, reading.tier, reading.value));
        if content_of(row.array, order.instant, said) != row.content {
            let position = (source.stream.clone(), source.partition, Offset(row.offset));
            self.altered.push((position, order.instant));
        }
        self.meter.restore(order, some(row.site), readings(), meters, Instant(i64::MIN));
        self.events += 1;
        self.readings += row.values.len() as u64;
    }
}

/// Tables keep an absent tag as the empty text, which no event can carry.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn events(client: &Client, chunk: &Chunk, source: &Source, offsets: &Range<u64>) -> Query {
    let sql = format!(
        "SELECT offset, toUnixTimestamp64Milli(assumeNotNull(time)) AS time_ms, \
         if(isNull(recorded_time), NULL, toUnixTimestamp64Milli(assumeNotNull(recorded_time))) AS recorded_ms, provider, array, site, content, \
         reading_kind AS kinds, reading_resource AS resources, reading_customer AS customers, reading_tier AS tiers, \
         reading_meter AS meters, reading_value AS values FROM usage_event FINAL \
         WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} AND offset >= {{first:UInt64}} AND offset < {{end:UInt64}} \
         AND disposition = 'accepted' AND time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') \
         AND time < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC'){} AND {}",
        conditions(chunk.provider.is_some(), chunk.names_arrays),
        counted("")
    );
    let names: Vec<&str> = match chunk.names_arrays {
        true => chunk.arrays.iter().map(|(_, array)| &**array).collect(),
        false => Vec::new(),
    };
    let query = chunk.void.bind(client.select(&sql));
    let query = query.param("stream", &source.stream.0).param("partition", source.partition.0);
    let query = query.param("first", offsets.start).param("end", offsets.end.min(source.below.0));
    let query = query.param("from", chunk.read_from.0.max(0)).param("to", chunk.to.start().0);
    query.param("provider", chunk.provider.as_deref().unwrap_or_default()).param("arrays", names)
}

pub(super) async fn arrays(
    client: &Client,
    cut: &Cut,
    void: &Void,
    provider: Option<&str>,
) -> Result<Vec<ArraySpan>, Error> {
    let mut spans: Vec<ArraySpan> = Vec::new();
    for source in cut.sources() {
        let sql = format!(
            "SELECT toString(provider) AS provider, toString(array) AS array, \
             toUnixTimestamp64Milli(min(assumeNotNull(time))) AS oldest, toUnixTimestamp64Milli(max(assumeNotNull(time))) AS newest \
             FROM usage_event WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} AND offset < {{below:UInt64}} \
             AND disposition = 'accepted'{} AND {} GROUP BY provider, array",
            conditions(provider.is_some(), false),
            counted("usage_event.")
        );
        let query =
            void.bind(client.select(&sql)).param("stream", &source.stream.0).param("partition", source.partition.0);
        let query = query.param("below", source.below.0).param("provider", provider.unwrap_or_default());
        let rows: Vec<SpanRow> = client.fetch_all(query).await?;
        spans.extend(rows.into_iter().map(|SpanRow { provider, array, oldest, newest }| ArraySpan {
            provider,
            array,
            oldest: Instant(oldest),
            newest: Instant(newest),
        }));
    }
    spans.sort_by(|a, b| (&a.provider, &a.array, a.oldest).cmp(&(&b.provider, &b.array, b.oldest)));
    // an array that changed partitions with a generation has a span in each
    spans.dedup_by(|next, kept| {
        let same = (&next.provider, &next.array) == (&kept.provider, &kept.array);
        if same {
            kept.newest = kept.newest.max(next.newest);
        }
        same
    });
    Ok(spans)
}
