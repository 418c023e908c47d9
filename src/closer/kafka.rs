//! The closer's log over Kafka: decisions, the ends of usage logs, and the topic of issued documents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::runtime::Handle;

use super::seam::BillLog;
use crate::config;
use crate::core::closing::stand::Ends;
use crate::core::decision::Decision;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::error::SeamError;
use crate::kafka::client::client_config;
use crate::kafka::control::ControlFollower;
use crate::kafka::control_writer::ControlWriter;
use crate::kafka::topic::{Purpose, Topics};

/// The longest wait for the broker to name the end of a partition.
const END_WAIT: Duration = Duration::from_secs(10);
/// The longest wait for the broker to take a document.
const PUBLISH_WAIT: Duration = Duration::from_secs(30);
/// Greatest document in the topic, as the topic itself is made: some 50,000 rows.
pub const INVOICE_MAX_RECORD_BYTES: usize = 32 << 20;

/// Makes the topic of issued documents, unless it is there already.
///
/// # Errors
/// Retryable while the broker is away; permanent if it refuses.
pub async fn ensure_topic(kafka: &config::Kafka, topics: &Topics) -> Result<(), SeamError> {
    match topics.partitions(&kafka.invoice_topic)? {
        Some(_) => Ok(()),
        None => topics.create(&kafka.invoice_topic, 1, Purpose::Control).await,
    }
}

/// Kafka as the closer sees it.
pub struct KafkaBilling {
    control: Arc<ControlFollower>,
    writer: ControlWriter,
    usage: BaseConsumer,
    documents: FutureProducer,
    topic: String,
    runtime: Handle,
}

impl KafkaBilling {
    /// Connects when the first call is made.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka, control: Arc<ControlFollower>, runtime: Handle) -> Result<Self, SeamError> {
        let refused = |error| SeamError::refused(format!("kafka settings: {error}"));
        let mut producer = client_config(kafka);
        producer
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.max.bytes", INVOICE_MAX_RECORD_BYTES.to_string())
            .set("message.timeout.ms", PUBLISH_WAIT.as_millis().to_string());
        Ok(Self {
            control,
            writer: ControlWriter::new(kafka)?,
            usage: client_config(kafka).create().map_err(refused)?,
            documents: producer.create().map_err(refused)?,
            topic: kafka.invoice_topic.clone(),
            runtime,
        })
    }
}

impl BillLog for KafkaBilling {
    fn read(&mut self, from: Offset, visit: &mut dyn FnMut(Offset, Instant, &Decision)) -> Result<(), SeamError> {
        self.control.read_to_end()?;
        self.control.look(from, |records| {
            records.iter().for_each(|record| visit(record.offset, record.append_time, &record.decision));
        });
        Ok(())
    }

    fn append(&mut self, decision: &Decision) -> Result<Offset, SeamError> {
        self.runtime.block_on(self.writer.append(decision))
    }

    fn ends(&mut self, streams: &[Arc<StreamRules>]) -> Result<Ends, SeamError> {
        let mut ends = BTreeMap::new();
        for rules in streams {
            for number in 0..rules.partitions {
                let partition = i32::try_from(number).unwrap_or(i32::MAX);
                let marks = self.usage.fetch_watermarks(&rules.topic, partition, END_WAIT);
                let (_, end) = marks.map_err(|error| {
                    SeamError::retryable(format!("partition {number} of {}: kafka: {error}", rules.topic))
                })?;
                let end = Offset(u64::try_from(end).unwrap_or_default());
                ends.insert((rules.stream.clone(), Partition(number)), end);
            }
        }
        Ok(ends)
    }

    fn publish(&mut self, number: &str, document: &str) -> Result<(), SeamError> {
        let record = FutureRecord::to(&self.topic).key(number).payload(document);
        match self.runtime.block_on(self.documents.send(record, PUBLISH_WAIT)) {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(SeamError::retryable(format!("{}: kafka: {error}", self.topic))),
        }
    }
}
