//! Ledger and quarantine rows as they are stored, whole: for whoever compares them with what the log gives.

use clickhouse::Row;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use super::borrowed::Borrowed;
use crate::clickhouse::{Client, Error};
use crate::core::ledger::batch::{LedgerBatch, MaybeInstants, QuarantineRow};
use crate::core::ledger::column::DictionaryColumn;
use crate::core::ledger::digest::raw_hash;
use crate::core::word::{Partition, StreamId};

/// A row of `usage_event`, borrowed from the answer.
#[derive(Debug, Row, Deserialize)]
pub struct StoredEvent<'a> {
    /// Its offset.
    pub offset: u64,
    append_time: i64,
    disposition: i8,
    reason: &'a str,
    provider: &'a str,
    array: &'a str,
    array_name: &'a str,
    site: &'a str,
    source: &'a str,
    id: &'a str,
    time: Option<i64>,
    recorded_time: Option<i64>,
    identity: u128,
    content: u64,
    decision: i64,
    readings: u32,
    reading_kind: Vec<i8>,
    #[serde(borrow)]
    reading_resource: Vec<&'a str>,
    #[serde(borrow)]
    reading_name: Vec<&'a str>,
    #[serde(borrow)]
    reading_customer: Vec<&'a str>,
    #[serde(borrow)]
    reading_tier: Vec<&'a str>,
    #[serde(borrow)]
    reading_meter: Vec<&'a str>,
    reading_value: Vec<u64>,
}

/// The columns of `usage_event` that a record decides, apart from stream and partition.
pub const EVENT_COLUMNS: &str = "offset, append_time, disposition, reason, provider, array, array_name, site, source, id, time, recorded_time, \
     identity, content, decision, readings, reading_kind, reading_resource, reading_name, reading_customer, reading_tier, reading_meter, \
     reading_value";

/// The same of `quarantine`.
pub const ASIDE_COLUMNS: &str =
    "offset, append_time, disposition, reason, detail, provider, array, key, header_name, header_value, raw, raw_hash";

impl StoredEvent<'_> {
    /// The first column in which this row is not what the record at this place of a batch became; none if it is the same.
    #[must_use]
    pub fn differs(&self, batch: &LedgerBatch, row: usize) -> Option<&'static str> {
        let text = |column: &DictionaryColumn, stored: &str| column.get(row) == stored.as_bytes();
        let instant = |column: &MaybeInstants, stored: Option<i64>| {
            (column.absent[row] == 1 && stored.is_none()) || (column.absent[row] == 0 && stored == Some(column.ms[row]))
        };
        let same = [
            ("append_time", batch.append_times[row] == self.append_time),
            ("disposition", i16::from(batch.dispositions[row]) == i16::from(self.disposition)),
            ("reason", text(&batch.reasons, self.reason)),
            ("provider", text(&batch.providers, self.provider)),
            ("array", text(&batch.arrays, self.array)),
            ("array_name", text(&batch.array_names, self.array_name)),
            ("site", text(&batch.sites, self.site)),
            ("source", text(&batch.sources, self.source)),
            ("id", batch.ids.get(row) == self.id.as_bytes()),
            ("time", instant(&batch.times, self.time)),
            ("recorded_time", instant(&batch.recorded_times, self.recorded_time)),
            ("identity", batch.identities[row] == self.identity),
            ("content", batch.contents[row] == self.content),
            ("decision", batch.decisions[row] == self.decision),
            ("readings", batch.reading_counts[row] == self.readings),
        ];
        same.iter().find(|(_, same)| !same).map(|(column, _)| *column).or_else(|| self.reading_differs(batch, row))
    }

    fn reading_differs(&self, batch: &LedgerBatch, row: usize) -> Option<&'static str> {
        let all = &batch.readings;
        let start = if row == 0 { 0 } else { all.ends[row - 1] as usize };
        let places = start..all.ends[row] as usize;
        let texts = |column: &DictionaryColumn, stored: &[&str]| {
            stored.len() == places.len()
                && places.clone().zip(stored).all(|(place, text)| column.get(place) == text.as_bytes())
        };
        let kinds = &all.kinds[places.clone()];
        let same_kinds =
            kinds.len() == self.reading_kind.len() && kinds.iter().zip(&self.reading_kind).all(|(a, b)| *a as i8 == *b);
        let same = [
            ("reading_kind", same_kinds),
            ("reading_resource", texts(&all.resources, &self.reading_resource)),
            ("reading_name", texts(&all.names, &self.reading_name)),
            ("reading_customer", texts(&all.customers, &self.reading_customer)),
            ("reading_tier", texts(&all.tiers, &self.reading_tier)),
            ("reading_meter", texts(&all.meters, &self.reading_meter)),
            ("reading_value", all.values[places.clone()] == self.reading_value),
        ];
        same.iter().find(|(_, same)| !same).map(|(column, _)| *column)
    }
}

/// A row of `quarantine`.
#[derive(Debug, Row, Deserialize)]
pub struct StoredAside {
    /// Its offset.
    pub offset: u64,
    /// When it was appended, in milliseconds.
    pub append_time: i64,
    /// Disposition by number.
    pub disposition: i8,
    /// Reason code; empty for a late one.
    pub reason: String,
    detail: String,
    provider: String,
    array: String,
    key: ByteBuf,
    header_name: Vec<String>,
    header_value: Vec<ByteBuf>,
    raw: ByteBuf,
    raw_hash: u128,
}

impl StoredAside {
    /// Whether the hash beside the bytes is theirs.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let headers = self.header_name.iter().zip(&self.header_value);
        let headers: Vec<(&str, &[u8])> = headers.map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        self.header_name.len() == self.header_value.len() && raw_hash(&headers, &self.raw) == self.raw_hash
    }

    /// The bytes of the record's value.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The first column in which this row is not what the record became; none if it is the same. `own` is the provider of a bound stream.
    #[must_use]
    pub fn differs(&self, batch: &LedgerBatch, aside: &QuarantineRow, own: Option<&str>) -> Option<&'static str> {
        let row = aside.row;
        let headers = self.header_name.iter().zip(&self.header_value);
        let same_headers = self.header_name.len() == aside.headers.len()
            && self.header_value.len() == aside.headers.len()
            && headers.zip(&aside.headers).all(|((name, value), other)| *name == other.0 && ***value == *other.1);
        let provider = own.map_or(batch.providers.get(row), str::as_bytes);
        let same = [
            ("append_time", batch.append_times[row] == self.append_time),
            ("disposition", i16::from(batch.dispositions[row]) == i16::from(self.disposition)),
            ("reason", batch.reasons.get(row) == self.reason.as_bytes()),
            ("detail", aside.detail == self.detail),
            ("provider", provider == self.provider.as_bytes()),
            ("array", aside.array == self.array),
            ("key", aside.key == **self.key),
            ("headers", same_headers),
            ("raw", aside.raw == **self.raw),
            ("raw_hash", aside.raw_hash == self.raw_hash),
        ];
        same.iter().find(|(_, same)| !same).map(|(column, _)| *column)
    }
}

/// Offsets of one partition, [from, to).
#[derive(Clone, Debug)]
pub struct Offsets<'a> {
    /// The stream.
    pub stream: &'a StreamId,
    /// The partition.
    pub partition: Partition,
    /// The first.
    pub from: u64,
    /// The one after the last.
    pub to: u64,
}

impl Offsets<'_> {
    /// A query over these offsets; the text has to use all four parameters.
    pub(crate) fn select(&self, client: &Client, sql: &str) -> clickhouse::query::Query {
        let select = client.select(sql).param("stream", &self.stream.0).param("partition", self.partition.0);
        select.param("from", self.from).param("to", self.to)
    }
}

/// The condition of [`Offsets`].
pub const IN_OFFSETS: &str =
    "stream = {stream:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}";

/// Ledger rows in the order of their offsets.
///
/// # Errors
/// A statement that cannot be sent.
pub fn events(client: &Client, offsets: &Offsets<'_>) -> Result<Borrowed<StoredEvent<'static>>, Error> {
    let sql = format!("SELECT {EVENT_COLUMNS} FROM usage_event FINAL WHERE {IN_OFFSETS} ORDER BY offset, append_time");
    Borrowed::of(client, offsets.select(client, &sql))
}

/// Quarantine rows in the order of their offsets.
///
/// # Errors
/// A statement that cannot be sent.
pub fn asides(client: &Client, offsets: &Offsets<'_>) -> Result<super::rows::Rows<StoredAside>, Error> {
    let sql = format!("SELECT {ASIDE_COLUMNS} FROM quarantine FINAL WHERE {IN_OFFSETS} ORDER BY offset, append_time");
    super::rows::Rows::of(client, offsets.select(client, &sql))
}
