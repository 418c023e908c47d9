//! The usage event of a snapshot.

use serde::Serialize;

use super::error::ReadError;
use super::snapshot::{Snapshot, Taken};
use crate::core::event::{Limits, RawRecord, USAGE_TYPE, decode};
use crate::core::word::Instant;

/// The header of every event in structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// Whose event it is.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Who runs the array.
    pub provider: &'a str,
    /// The array's id.
    pub array: &'a str,
    /// What it is called, where the array does not say.
    pub name: &'a str,
    /// Where it stands.
    pub site: Option<&'a str>,
}

#[derive(Serialize)]
struct Whole<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: &'static str,
    subject: &'a str,
    time: String,
    recordedtime: String,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    provider: &'a str,
    array: Array<'a>,
    readings: Vec<Reading<'a>>,
}

#[derive(Serialize)]
struct Array<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
}

#[derive(Serialize)]
struct Reading<'a> {
    resource: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'a str>,
    meter: &'a str,
    value: u64,
}

impl<'a> From<&'a Taken> for Reading<'a> {
    fn from(taken: &'a Taken) -> Self {
        Self {
            resource: &taken.resource,
            kind: taken.kind.as_str(),
            name: taken.name.as_deref(),
            customer: taken.customer.as_deref(),
            tier: taken.tier.as_deref(),
            meter: &taken.meter,
            value: taken.value,
        }
    }
}

/// The event of an array at a scheduled instant, in structured mode. Its identity is array and instant; when it was recorded is no part
/// of its content.
///
/// # Errors
/// If it would be quarantined: it is decoded here as the pipeline will, so that a fault shows where it can be mended.
pub fn encode(
    subject: &Subject<'_>,
    instant: Instant,
    recorded: Instant,
    snapshot: &Snapshot,
) -> Result<Vec<u8>, ReadError> {
    let mut taken: Vec<&Taken> = snapshot.readings.iter().collect();
    taken.sort();
    let whole = Whole {
        specversion: "1.0",
        id: format!("{}/{}", subject.array, instant.rfc3339()),
        source: format!("urn:plimsoll:array:{}", subject.array),
        r#type: USAGE_TYPE,
        subject: subject.array,
        time: instant.rfc3339(),
        recordedtime: recorded.rfc3339(),
        datacontenttype: "application/json",
        data: Data {
            provider: subject.provider,
            array: Array {
                id: subject.array,
                name: snapshot.name.as_deref().unwrap_or(subject.name),
                site: subject.site,
            },
            readings: taken.into_iter().map(Reading::from).collect(),
        },
    };
    let unacceptable = |reason, detail: String| ReadError::Unacceptable { reason, detail };
    let value = serde_json::to_vec(&whole).map_err(|error| unacceptable("undecodable", error.to_string()))?;
    let headers = [("content-type", CONTENT_TYPE.as_bytes())];
    let record = RawRecord { key: Some(subject.array.as_bytes()), headers: &headers, value: &value };
    if let Err(refusal) = decode(&record, &Limits::default()) {
        return Err(unacceptable(refusal.reason.as_str(), refusal.detail));
    }
    Ok(value)
}
