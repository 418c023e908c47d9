//! placeholder while the decoder is written
#![allow(missing_docs)]
use crate::core::word::{Instant, Kind, Partition, Reason};
use serde::Deserialize;
use std::borrow::Cow;
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    pub key: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, &'a [u8])],
    pub value: &'a [u8],
}
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub id: Cow<'a, str>,
    pub source: Cow<'a, str>,
    pub time: Instant,
    pub recorded: Option<Instant>,
    pub provider: Cow<'a, str>,
    pub array: Cow<'a, str>,
    pub array_name: Option<Cow<'a, str>>,
    pub site: Option<Cow<'a, str>>,
    pub readings: Vec<Reading<'a>>,
}
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    pub kind: Kind,
    pub resource: Cow<'a, str>,
    pub name: Option<Cow<'a, str>>,
    pub customer: Option<Cow<'a, str>>,
    pub tier: Option<Cow<'a, str>>,
    pub meter: Cow<'a, str>,
    pub value: u64,
    pub series_hash: u64,
}
#[derive(Clone, Debug)]
pub struct Refusal {
    pub reason: Reason,
    pub detail: String,
    pub provider: Option<String>,
    pub array: Option<String>,
    pub time: Option<Instant>,
    pub source: Option<String>,
    pub id: Option<String>,
    pub readings: u32,
}
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub event_bytes: usize,
    pub readings: usize,
    pub id_bytes: usize,
}
#[derive(Deserialize)]
struct E<'a> {
    id: &'a str,
    source: &'a str,
    time: &'a str,
    data: D<'a>,
}
#[derive(Deserialize)]
struct D<'a> {
    provider: &'a str,
    #[serde(borrow)]
    array: A<'a>,
    #[serde(borrow)]
    readings: Vec<R<'a>>,
}
#[derive(Deserialize)]
struct A<'a> {
    id: &'a str,
    name: Option<&'a str>,
    site: Option<&'a str>,
}
#[derive(Deserialize)]
struct R<'a> {
    resource: &'a str,
    kind: Kind,
    name: Option<&'a str>,
    customer: Option<&'a str>,
    tier: Option<&'a str>,
    meter: &'a str,
    value: serde_json::Value,
}
pub fn series_hash(kind: Kind, resource: &str, meter: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(
        resource.as_bytes(),
        xxhash_rust::xxh3::xxh3_64_with_seed(meter.as_bytes(), kind as u64),
    )
}
pub fn decode<'a>(record: &RawRecord<'a>, _limits: &Limits) -> Result<Event<'a>, Refusal> {
    let refuse = |reason: Reason, detail: String| Refusal {
        reason,
        detail,
        provider: None,
        array: None,
        time: None,
        source: None,
        id: None,
        readings: 0,
    };
    let e: E<'a> = serde_json::from_slice(record.value).map_err(|e| refuse(Reason::Undecodable, e.to_string()))?;
    let time = chrono::DateTime::parse_from_rfc3339(e.time).map_err(|e| refuse(Reason::Schema, e.to_string()))?;
    let mut readings = Vec::new();
    for r in e.data.readings {
        let value = match &r.value {
            serde_json::Value::String(s) => s.parse().ok(),
            v => v.as_u64(),
        };
        let value = value.ok_or_else(|| refuse(Reason::Value, "value".into()))?;
        readings.push(Reading {
            kind: r.kind,
            resource: r.resource.into(),
            name: r.name.map(Into::into),
            customer: r.customer.map(Into::into),
            tier: r.tier.map(Into::into),
            meter: r.meter.into(),
            value,
            series_hash: series_hash(r.kind, r.resource, r.meter),
        });
    }
    Ok(Event {
        id: e.id.into(),
        source: e.source.into(),
        time: Instant(time.timestamp_millis()),
        recorded: None,
        provider: e.data.provider.into(),
        array: e.data.array.id.into(),
        array_name: e.data.array.name.map(Into::into),
        site: e.data.array.site.map(Into::into),
        readings,
    })
}
pub fn decision_header(record: &RawRecord<'_>) -> Option<Result<u64, std::num::ParseIntError>> {
    record.headers.iter().find(|(n, _)| *n == "plimsoll-decision").map(|(_, v)| String::from_utf8_lossy(v).parse())
}
pub fn partition_of(_key: &[u8], _partitions: u32) -> Partition {
    Partition(0)
}
pub fn identity(p: &str, a: &str, s: &str, i: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(format!("{p}\0{a}\0{s}\0{i}").as_bytes())
}
pub fn content(e: &Event<'_>) -> u64 {
    e.readings.iter().map(|r| r.value ^ r.series_hash).fold(e.time.0 as u64, u64::wrapping_add)
}
