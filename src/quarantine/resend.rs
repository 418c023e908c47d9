//! A record sent again: the same bytes, rightly routed, with a header that names the decision.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::ResolveError;
use crate::clickhouse::read::aside::AsideRow;
use crate::config;
use crate::core::event::{DECISION_HEADER, DecisionName, Limits, RawRecord, decode, partition_of};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Offset;
use crate::fold::error::SeamError;
use crate::kafka::client::client_config;
use crate::kafka::topic::USAGE_MAX_MESSAGE_BYTES;

/// How long the broker may take to acknowledge a record.
const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(30);

/// KiB that wait for the broker: a batch of the greatest size, with room.
const QUEUE_KBYTES: u64 = 128 << 10;

/// A producer of usage records.
pub struct Resender(FutureProducer);

impl Resender {
    /// Connects when the first record is sent.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, ResolveError> {
        let producer =
            settings(kafka).create().map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        Ok(Self(producer))
    }

    /// Sends a record again under a decision, which its header names by offset and hash; the broker has it when this returns.
    ///
    /// # Errors
    /// If the broker did not acknowledge it.
    pub async fn send(
        &self,
        row: &AsideRow,
        rules: &Arc<StreamRules>,
        decision: Offset,
        hash: &str,
    ) -> Result<(), ResolveError> {
        let key = right_key(row);
        let partition = partition_of(&key, rules.partitions);
        let named = DecisionName { offset: decision.0, hash }.to_string();
        let mut headers = OwnedHeaders::new();
        let is_kept = |name: &str| !name.eq_ignore_ascii_case(DECISION_HEADER);
        for (key, value) in row.header_names.iter().zip(&row.header_values).filter(|(name, _)| is_kept(name)) {
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

fn settings(kafka: &config::Kafka) -> ClientConfig {
    let mut settings = client_config(kafka);
    settings
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("message.max.bytes", USAGE_MAX_MESSAGE_BYTES.to_string())
        .set("message.timeout.ms", ACKNOWLEDGE_WAIT.as_millis().to_string())
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string());
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};
    use crate::quarantine::batch::BATCH_BYTES;

    /// librdkafka enforces these itself: the test is that it is told, and that it takes them.
    #[test]
    fn the_producer_is_told_its_bounds() {
        let settings = settings(&Config::from_parts(Source::Defaults, "", []).unwrap().kafka);
        for (name, value) in [
            ("message.max.bytes", USAGE_MAX_MESSAGE_BYTES),
            ("message.timeout.ms", 30_000),
            ("queue.buffering.max.kbytes", QUEUE_KBYTES),
        ] {
            assert_eq!(settings.get(name), Some(&*value.to_string()), "{name}");
        }
        drop(settings.create::<FutureProducer>().unwrap());
        assert!(QUEUE_KBYTES << 10 >= BATCH_BYTES as u64 + USAGE_MAX_MESSAGE_BYTES, "a batch fits");
    }
}
