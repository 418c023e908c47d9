//! Reads the events of a chunk into the meters of its arrays.

use std::collections::HashMap;
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::chunk::{ArrayName, Chunk, conditions};
use super::cut::{Cut, Source};
use super::events::{Event, EventBlock};
use super::{Metered, Position};
use crate::clickhouse::read::block::Blocks;
use crate::clickhouse::void::{Void, counted};
use crate::clickhouse::{Client, Error};
use crate::core::metering::array::{ArrayMeter, MeterReading};
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::Meters;
use crate::core::word::{Hour, Instant, Offset};
use crate::fold::ledger::ArraySpan;

#[derive(Row, Deserialize)]
struct SpanRow {
    provider: String,
    array: String,
    oldest: i64,
    newest: i64,
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
        let query = EventBlock::query(client, chunk, source, offsets);
        let mut blocks = Blocks::of(client, query, EventBlock::read)?;
        while let Some(block) = blocks.next().await? {
            let mut readings = Vec::new();
            for event in block.iter() {
                let Some(&place) = places.get(&(event.provider(), event.array())) else { continue };
                let array = arrays[place].get_or_insert_with(|| Array {
                    meter: ArrayMeter::keeping_all(event.provider(), event.array()),
                    events: 0,
                    readings: 0,
                    altered: Vec::new(),
                });
                array.take(event, &mut readings, source, meters);
            }
        }
    }
    Ok(Loaded { arrays: Arc::clone(&chunk.arrays), meters: arrays, from: chunk.from, to: chunk.to, next: 0 })
}

impl Array {
    /// Takes in an event; `readings` is room for what it says.
    fn take<'b>(&mut self, event: Event<'b>, readings: &mut Vec<MeterReading<'b>>, source: &Source, meters: &Meters) {
        let order = event.order(source.generation);
        readings.clear();
        readings.extend(event.readings());
        if !event.is_genuine(readings) {
            let position = (source.stream.clone(), source.partition, Offset(order.offset));
            self.altered.push((position, order.instant));
        }
        self.events += 1;
        self.readings += readings.len() as u64;
        self.meter.restore(order, event.site(), readings.iter().copied(), meters, Instant(i64::MIN));
    }
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
