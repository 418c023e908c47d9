//! What the gateway tells: events that Kafka has, requests that were refused and why, time, memory.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

/// Why a request with events is refused. Each has its series from the start, so that a rate over it is one.
pub const REASONS: [&str; 13] = [
    "unauthorized",
    "forbidden",
    "foreign_provider",
    "too_fast",
    "too_large",
    "slow",
    "gone",
    "unread",
    "malformed",
    "refused_events",
    "no_stream",
    "full",
    "unavailable",
];

/// Bounds of the buckets for the time of a request: 1 ms to 1 min.
const SECONDS: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// The gateway's metrics.
pub struct GatewayMetrics {
    events: IntCounterVec,
    refused: IntCounterVec,
    seconds: Histogram,
    /// Bytes of bodies that are read and not acknowledged yet.
    pub in_flight_bytes: IntGauge,
}

impl GatewayMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, label: &str| -> Result<IntCounterVec, prometheus::Error> {
            let metric = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let name = "plimsoll_gateway_request_seconds";
        let options = HistogramOpts::new(name, "Time of a request whose events Kafka has");
        let seconds = Histogram::with_opts(options.buckets(SECONDS.to_vec()))?;
        registry.register(Box::new(seconds.clone()))?;
        let in_flight_bytes =
            IntGauge::new("plimsoll_gateway_in_flight_bytes", "Bodies that Kafka has not acknowledged")?;
        registry.register(Box::new(in_flight_bytes.clone()))?;
        let events = "plimsoll_gateway_accepted_events_total";
        let metrics = Self {
            events: counter(events, "Events over HTTP that Kafka has", "credential")?,
            refused: counter(
                "plimsoll_gateway_refused_requests_total",
                "Requests whose events were not taken",
                "reason",
            )?,
            seconds,
            in_flight_bytes,
        };
        for reason in REASONS {
            metrics.refused.with_label_values(&[reason]);
        }
        Ok(metrics)
    }

    /// Events of a request that Kafka has.
    pub fn accepted(&self, credential: &str, events: usize, took: Duration) {
        self.events.with_label_values(&[credential]).inc_by(events as u64);
        self.seconds.observe(took.as_secs_f64());
    }

    /// A request whose events were not taken.
    pub fn refused(&self, reason: &str) {
        self.refused.with_label_values(&[reason]).inc();
    }
}
