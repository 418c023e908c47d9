//! What a collector tells: polls, failures and gaps by array, and how full its spool is.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The series of a collector. Cheap to clone.
#[derive(Clone)]
pub struct CollectMetrics {
    polls: IntCounterVec,
    failures: IntCounterVec,
    gaps: IntCounterVec,
    left_out: IntCounterVec,
    refused: IntCounterVec,
    last_success: IntGaugeVec,
    spool_bytes: IntGauge,
    spool_max_bytes: IntGauge,
    sent: IntCounter,
    send_failures: IntCounter,
}

impl CollectMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let last_success = IntGaugeVec::new(
            Opts::new("plimsoll_collect_last_success_timestamp_seconds", "When an array was last polled with success"),
            &["array"],
        )?;
        registry.register(Box::new(last_success.clone()))?;
        let array: &[&str] = &["array"];
        Ok(Self {
            polls: counters("plimsoll_collect_polls_total", "Instants of an array that are read and kept", array)?,
            failures: counters(
                "plimsoll_collect_failures_total",
                "Polls that gave nothing, by reason; each is tried again",
                &["array", "reason"],
            )?,
            gaps: counters(
                "plimsoll_collect_gaps_total",
                "Instants of an array that were not read and never will be",
                array,
            )?,
            left_out: counters(
                "plimsoll_collect_readings_left_out_total",
                "Readings that are wanted and that the array had no figure of",
                array,
            )?,
            refused: counters(
                "plimsoll_collect_spool_refused_total",
                "Polls that were not made because the spool is full",
                array,
            )?,
            last_success,
            spool_bytes: gauge("plimsoll_collect_spool_bytes", "Bytes of events that Kafka does not have yet")?,
            spool_max_bytes: gauge("plimsoll_collect_spool_max_bytes", "The most bytes that the spool may hold")?,
            sent: counter("plimsoll_collect_sent_total", "Events that Kafka acknowledged")?,
            send_failures: counter(
                "plimsoll_collect_send_failures_total",
                "Batches that Kafka did not acknowledge; each is sent again",
            )?,
        })
    }

    /// An array that is polled: its counters are there from the beginning, so that a first failure is seen as a step.
    pub fn known(&self, array: &str) {
        for family in [&self.polls, &self.gaps, &self.refused] {
            family.with_label_values(&[array]).inc_by(0);
        }
    }

    /// A poll that went well, at `now` in seconds since 1970.
    pub fn polled(&self, array: &str, now: i64, left_out: u64) {
        self.polls.with_label_values(&[array]).inc();
        self.left_out.with_label_values(&[array]).inc_by(left_out);
        self.last_success.with_label_values(&[array]).set(now);
    }

    /// A poll that gave nothing.
    pub fn failed(&self, array: &str, reason: &str) {
        self.failures.with_label_values(&[array, reason]).inc();
    }

    /// Instants that are given up.
    pub fn gap(&self, array: &str, instants: u64) {
        self.gaps.with_label_values(&[array]).inc_by(instants);
    }

    /// A poll that the spool has no room for.
    pub fn refused(&self, array: &str) {
        self.refused.with_label_values(&[array]).inc();
    }

    /// How full the spool is.
    pub fn spool(&self, bytes: u64, max_bytes: u64) {
        self.spool_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.spool_max_bytes.set(i64::try_from(max_bytes).unwrap_or(i64::MAX));
    }

    /// Events that Kafka acknowledged.
    pub fn sent(&self, events: u64) {
        self.sent.inc_by(events);
    }

    /// A batch that Kafka did not acknowledge.
    pub fn send_failed(&self) {
        self.send_failures.inc();
    }
}
