//! From the spool to the stream's topic, in order, by the producer that makes Java's choice of partition and waits for all replicas.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::config::CollectConfig;
use super::error::SpoolError;
use super::spool::{Batch, Spool};
use crate::clickhouse::wait::longer;
use crate::config;
use crate::core::collect::event::CONTENT_TYPE;
use crate::core::ledger::rules::StreamRules;
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::load::publisher::Publisher;
use crate::load::{LoadError, UsageRecord};
use crate::metrics::CollectMetrics;

/// Between two looks at an empty spool, if nothing is said meanwhile.
const LOOK_WAIT: Duration = Duration::from_millis(500);
/// The longest pause while Kafka is away.
const RETRY_WAIT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Why a batch is not sent. The spool keeps it, and it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The control log is not read.
    #[error(transparent)]
    Control(#[from] SeamError),
    /// The stream is not open.
    #[error("no stream {0} is open: open it with `plimsoll stream open {0}`, or correct collect.stream")]
    NotOpen(String),
    /// The stream is another provider's.
    #[error("stream {stream} takes events of {bound} only, and collect.provider is {provider}: correct one of them")]
    Foreign {
        /// The stream's id.
        stream: String,
        /// Whose it is.
        bound: String,
        /// Who was to send.
        provider: String,
    },
    /// The broker did not take it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The spool does not give it.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Sends what the spool holds.
pub struct Sender {
    kafka: config::Kafka,
    stream: String,
    provider: String,
    spool: Arc<Spool>,
    metrics: CollectMetrics,
    is_over: Arc<AtomicBool>,
    control: Option<ControlFollower>,
    publisher: Option<Publisher>,
}

impl Sender {
    /// A sender; it connects when there is something to send.
    #[must_use]
    pub fn new(config: &CollectConfig, spool: Arc<Spool>, metrics: CollectMetrics, is_over: Arc<AtomicBool>) -> Self {
        Self {
            kafka: config.site.kafka.clone(),
            stream: config.collect.stream.clone(),
            provider: config.collect.provider.clone(),
            spool,
            metrics,
            is_over,
            control: None,
            publisher: None,
        }
    }

    /// Sends until told that it is over.
    pub fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        while !self.is_over.load(Ordering::Acquire) {
            match self.send_some() {
                Ok(0) => self.spool.wait(LOOK_WAIT),
                Ok(_) => pause = FIRST_PAUSE,
                Err(error) => {
                    // both may have seen better days: what is made anew looks at everything anew
                    self.forget();
                    self.metrics.send_failed();
                    let waiting_bytes = self.spool.bytes();
                    tracing::warn!(%error, waiting_bytes, again_in_ms = pause.as_millis(), "not sent, kept in the spool");
                    self.spool.pause(pause, &self.is_over);
                    pause = longer(pause, RETRY_WAIT);
                }
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.publisher = None;
        if let Some(control) = self.control.take() {
            control.stop();
        }
    }

    /// Sends a batch, if there is one; how many records it had.
    fn send_some(&mut self) -> Result<usize, SendError> {
        let Some(batch) = self.spool.batch()? else { return Ok(0) };
        let rules = self.rules()?;
        self.publish(&rules, &batch)?;
        self.spool.acknowledge(&batch)?;
        self.metrics.sent(batch.records.len() as u64);
        self.metrics.spool(self.spool.bytes(), self.spool.max_bytes());
        Ok(batch.records.len())
    }

    /// The rules of the stream's open generation: read anew for each batch, since it may have been opened again.
    fn rules(&mut self) -> Result<Arc<StreamRules>, SendError> {
        let control = match &self.control {
            Some(control) => control,
            None => self.control.insert(ControlFollower::start(&self.kafka)?),
        };
        control.read_to_end()?;
        let register = control.register();
        let open = register.named(&self.stream).ok_or_else(|| SendError::NotOpen(self.stream.clone()))?;
        match &open.rules.provider {
            Some(bound) if *bound != self.provider => Err(SendError::Foreign {
                stream: open.rules.stream.to_string(),
                bound: bound.clone(),
                provider: self.provider.clone(),
            }),
            _ => Ok(Arc::clone(&open.rules)),
        }
    }

    fn publish(&mut self, rules: &StreamRules, batch: &Batch) -> Result<(), SendError> {
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            None => self.publisher.insert(Publisher::new(&self.kafka)?),
        };
        for kept in &batch.records {
            let record = UsageRecord {
                key: kept.array.as_str().into(),
                headers: vec![("content-type", Cow::Borrowed(CONTENT_TYPE.as_bytes()))],
                value: kept.event.clone(),
            };
            publisher.send(rules, &record)?;
        }
        Ok(publisher.finish()?)
    }
}
