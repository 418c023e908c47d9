//! A record sent again: the same bytes, rightly routed, with a header that names the decision.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::ResolveError;
use crate::clickhouse::read::aside::AsideRow;
use crate::config;
use crate::core::event::{DECISION_HEADER, Limits, RawRecord, decode, partition_of};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Offset;
use crate::fold::error::SeamError;
use crate::kafka::client::client_config;
use crate::kafka::topic::USAGE_MAX_MESSAGE_BYTES;

/// How long the broker may take to acknowledge a record.
const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(60);

/// A producer of usage records.
pub struct Resender(FutureProducer);

impl Resender {
    /// Connects when the first record is sent.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, ResolveError> {
        let producer = client_config(kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.max.bytes", USAGE_MAX_MESSAGE_BYTES.to_string())
            .create()
            .map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        Ok(Self(producer))
    }

    /// Sends a record again under a decision; the broker has it when this returns.
    ///
    /// # Errors
    /// If the broker did not acknowledge it.
    pub async fn send(&self, row: &AsideRow, rules: &Arc<StreamRules>, decision: Offset) -> Result<(), ResolveError> {
        let key = right_key(row);
        let partition = partition_of(&key, rules.partitions);
        let named = decision.0.to_string();
        let mut headers = OwnedHeaders::new();
        for (key, value) in row.header_names.iter().zip(&row.header_values).filter(|(name, _)| *name != DECISION_HEADER)
        {
            headers = headers.insert(Header { key, value: Some(value.as_slice()) });
        }
        headers = headers.insert(Header { key: DECISION_HEADER, value: Some(&named) });
        let record = FutureRecord::to(&rules.topic)
            .partition(i32::try_from(partition.0).unwrap_or_default())
            .key(&key)
            .payload(&row.raw)
            .headers(headers);
        match self.0.send(record, ACKNOWLEDGE_WAIT).await {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(ResolveError::Unacknowledged { label: row.label(), error }),
        }
    }
}

/// The key that routes the record to where its array belongs: the array's id, if the event can be read, else the key it had.
fn right_key(row: &AsideRow) -> Vec<u8> {
    let headers: Vec<(&str, &[u8])> = row
        .header_names
        .iter()
        .map(String::as_str)
        .zip(row.header_values.iter().map(|value| value.as_slice()))
        .collect();
    let record = RawRecord { key: Some(&row.key), headers: &headers, value: &row.raw };
    match decode(&record, &Limits::default()) {
        Ok(event) => event.array.as_bytes().to_vec(),
        Err(refusal) => refusal.array.map_or_else(|| row.key.clone(), String::into_bytes),
    }
}
