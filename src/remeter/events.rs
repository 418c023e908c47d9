//! Accepted events of a chunk as the database hands them over: a block at a time, texts once a block.

use std::ops::Range;

use clickhouse::query::Query;

use super::chunk::{Chunk, conditions};
use super::cut::Source;
use crate::clickhouse::Client;
use crate::clickhouse::native::KIND;
use crate::clickhouse::read::column::{Column, Dictionary, Lack};
use crate::clickhouse::void::counted;
use crate::core::event::hash::{Said, content_of, customer_hash, meter_seed, series_of, tier_hash};
use crate::core::metering::array::MeterReading;
use crate::core::metering::held::EventOrder;
use crate::core::word::{Instant, Kind};

/// Events of a block. With it, blocks of events of usual size are a few MB; of the greatest events a block has what a chunk may have.
const BLOCK_EVENTS: usize = 1_024;
/// Numbers that kinds have, and one that none has.
const KINDS: usize = 7;

/// Some events.
pub(super) struct EventBlock {
    offsets: Vec<u64>,
    times: Vec<i64>,
    recorded: Vec<Option<i64>>,
    providers: Dictionary,
    arrays: Dictionary,
    sites: Dictionary,
    contents: Vec<u64>,
    ends: Vec<usize>,
    kinds: Vec<u8>,
    resources: Dictionary,
    customers: Dictionary,
    tiers: Dictionary,
    meters: Dictionary,
    values: Vec<u64>,
    /// By number of a meter and a kind: what the hash of a series begins with.
    seeds: Vec<[u64; KINDS]>,
    /// By number of a tag: its hash.
    customer_hashes: Vec<u64>,
    tier_hashes: Vec<u64>,
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Event<'b> {
    block: &'b EventBlock,
    row: usize,
}

impl EventBlock {
    /// The question of which these are the answer.
    pub fn query(client: &Client, chunk: &Chunk, source: &Source, offsets: &Range<u64>) -> Query {
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
        let query = chunk.void().bind(client.select(&sql)).with_setting("max_block_size", BLOCK_EVENTS.to_string());
        let query = query.param("stream", &source.stream.0).param("partition", source.partition.0);
        let query = query.param("first", offsets.start).param("end", offsets.end.min(source.below.0));
        let query = query.param("from", chunk.read_from.0.max(0)).param("to", chunk.to.start().0);
        query.param("provider", chunk.provider.as_deref().unwrap_or_default()).param("arrays", names)
    }

    /// Reads a block of the answer.
    pub fn read(columns: &mut Column<'_>) -> Result<Self, Lack> {
        let offsets = columns.numbers("UInt64")?.iter().map(|offset| u64::from_le_bytes(*offset)).collect();
        let times = columns.numbers("Int64")?.iter().map(|time| i64::from_le_bytes(*time)).collect();
        let (absent, recorded) = columns.maybe_numbers("Int64")?;
        let recorded = absent.iter().zip(recorded);
        let recorded = recorded.map(|(absent, time)| (*absent == 0).then(|| i64::from_le_bytes(*time))).collect();
        let (providers, arrays, sites) = (columns.dictionary()?, columns.dictionary()?, columns.dictionary()?);
        let contents = columns.numbers("UInt64")?.iter().map(|content| u64::from_le_bytes(*content)).collect();
        let (ends, kinds) = columns.number_arrays(KIND)?;
        let kinds: Vec<u8> = kinds.iter().map(|[kind]| *kind).collect();
        let mut texts = || -> Result<Dictionary, Lack> {
            let (own, texts) = columns.dictionary_arrays()?;
            // what is said of a reading stands at its place in each column
            if own == ends { Ok(texts) } else { Err(Lack::Wrong("readings of which something lacks".to_owned())) }
        };
        let (resources, customers, tiers, meters) = (texts()?, texts()?, texts()?, texts()?);
        let (own, values) = columns.number_arrays("UInt64")?;
        if own != ends {
            return Err(Lack::Wrong("readings without a value".to_owned()));
        }
        let values = values.iter().map(|value| u64::from_le_bytes(*value)).collect();
        let kind = |number: usize| u8::try_from(number).ok().and_then(Kind::from_number).unwrap_or(Kind::Array);
        let seeds = |meter: &String| std::array::from_fn(|number| meter_seed(kind(number), meter));
        Ok(Self {
            seeds: meters.texts.iter().map(seeds).collect(),
            customer_hashes: customers.texts.iter().map(|text| customer_hash(some(text))).collect(),
            tier_hashes: tiers.texts.iter().map(|text| tier_hash(some(text))).collect(),
            offsets,
            times,
            recorded,
            providers,
            arrays,
            sites,
            contents,
            ends,
            kinds,
            resources,
            customers,
            tiers,
            meters,
            values,
        })
    }

    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        (0..self.offsets.len()).map(|row| Event { block: self, row })
    }
}

impl<'b> Event<'b> {
    pub fn provider(self) -> &'b str {
        self.block.providers.get(self.row)
    }

    pub fn array(self) -> &'b str {
        self.block.arrays.get(self.row)
    }

    pub fn site(self) -> Option<&'b str> {
        some(self.block.sites.get(self.row))
    }

    /// Its place in the order of the meter function.
    pub fn order(self, generation: u32) -> EventOrder {
        EventOrder {
            instant: Instant(self.block.times[self.row]),
            recorded: self.block.recorded[self.row].map(Instant),
            generation,
            offset: self.block.offsets[self.row],
        }
    }

    fn places(self) -> Range<usize> {
        let start = if self.row == 0 { 0 } else { self.block.ends[self.row - 1] };
        start..self.block.ends[self.row]
    }

    /// Its readings, in their order.
    pub fn readings(self) -> impl Iterator<Item = MeterReading<'b>> {
        let block = self.block;
        self.places().map(move |place| {
            // the column's type has no other numbers
            let kind = Kind::from_number(block.kinds[place]).unwrap_or(Kind::Array);
            let resource = block.resources.get(place);
            let seed = block.seeds[block.meters.rows[place] as usize][kind as usize];
            MeterReading {
                kind,
                resource,
                meter: block.meters.get(place),
                customer: some(block.customers.get(place)),
                tier: some(block.tiers.get(place)),
                value: block.values[place],
                series_hash: series_of(seed, resource),
            }
        })
    }

    /// Whether its row says what was accepted, of which a hash is kept beside it.
    pub fn is_genuine(self, readings: &[MeterReading<'_>]) -> bool {
        let block = self.block;
        let said = self.places().zip(readings).map(|(place, reading)| Said {
            series_hash: reading.series_hash,
            customer_hash: block.customer_hashes[block.customers.rows[place] as usize],
            tier_hash: block.tier_hashes[block.tiers.rows[place] as usize],
            value: reading.value,
        });
        content_of(self.array(), Instant(block.times[self.row]), said) == block.contents[self.row]
    }
}

/// Tables keep an absent tag as the empty text, which no event can carry.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
