//! The series of one partition.

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::core::word::Reason;

const LABELS: [&str; 2] = ["stream", "partition"];

/// What is true of a partition, as its worker sees it. Counts are absolute since the worker took it over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartitionFigures {
    /// Records read from Kafka and folded, counted where they are read: one side of I1.
    pub consumed: u64,
    /// Holes in the log that a decision records.
    pub holes: u64,
    /// Accepted.
    pub accepted: u64,
    /// Duplicate.
    pub duplicate: u64,
    /// Late.
    pub late: u64,
    /// Quarantined, in the order of [`Reason::ALL`].
    pub quarantined: [u64; Reason::ALL.len()],
    /// Whether the partition is stopped until somebody mends it.
    pub halted: bool,
    /// Records in Kafka that are not folded yet.
    pub lag_events: u64,
    /// Age of the oldest record that is not under a checkpoint; 0 if there is none.
    pub oldest_unflushed_seconds: f64,
    /// The newest checkpoint: when it was made, in seconds since 1970; 0 before the first.
    pub checkpoint_timestamp_seconds: i64,
    /// Everything below this offset is under a checkpoint.
    pub checkpoint_offset: u64,
    /// Series-hours that wait for being metered again.
    pub marked_hours: u64,
    /// Identities remembered.
    pub identities: u64,
    /// Live series.
    pub series: u64,
    /// Topic retention less the age of the oldest record without a checkpoint; `None` where retention has no end.
    pub time_to_loss_seconds: Option<f64>,
}

/// The handles of one partition.
#[derive(Clone, Debug)]
pub struct PartitionMetrics {
    consumed: IntCounter,
    accepted: IntCounter,
    duplicate: IntCounter,
    late: IntCounter,
    quarantined: Vec<IntCounter>,
    halted: IntGauge,
    lag_events: IntGauge,
    oldest_unflushed: Gauge,
    checkpoint_timestamp: IntGauge,
    checkpoint_offset: IntGauge,
    marked_hours: IntGauge,
    identities: IntGauge,
    series: IntGauge,
    time_to_loss: Gauge,
    holes: IntGauge,
    violations: IntGauge,
}

impl PartitionMetrics {
    /// Shows the figures, and by how much conservation (I1) does not hold in them.
    pub fn set(&self, figures: &PartitionFigures) {
        raise(&self.consumed, figures.consumed);
        raise(&self.accepted, figures.accepted);
        raise(&self.duplicate, figures.duplicate);
        raise(&self.late, figures.late);
        for (counter, count) in self.quarantined.iter().zip(figures.quarantined) {
            raise(counter, count);
        }
        let judged = figures.accepted + figures.duplicate + figures.late + figures.quarantined.iter().sum::<u64>();
        // a hole stands on both sides: nothing was consumed there, and nothing was judged
        self.holes.set(whole(figures.holes));
        self.violations.set(whole((figures.consumed + figures.holes).abs_diff(judged + figures.holes)));
        self.halted.set(i64::from(figures.halted));
        self.lag_events.set(whole(figures.lag_events));
        self.oldest_unflushed.set(figures.oldest_unflushed_seconds);
        self.checkpoint_timestamp.set(figures.checkpoint_timestamp_seconds);
        self.checkpoint_offset.set(whole(figures.checkpoint_offset));
        self.marked_hours.set(whole(figures.marked_hours));
        self.identities.set(whole(figures.identities));
        self.series.set(whole(figures.series));
        self.time_to_loss.set(figures.time_to_loss_seconds.unwrap_or(f64::INFINITY));
    }
}

/// A counter at an absolute count. A smaller one is a new beginning, which Prometheus understands as a reset.
fn raise(counter: &IntCounter, to: u64) {
    if to < counter.get() {
        counter.reset();
    }
    counter.inc_by(to - counter.get());
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The families that partitions have a series each in.
pub(super) struct PartitionFamilies {
    consumed: IntCounterVec,
    accepted: IntCounterVec,
    duplicate: IntCounterVec,
    late: IntCounterVec,
    quarantined: IntCounterVec,
    halted: IntGaugeVec,
    lag_events: IntGaugeVec,
    oldest_unflushed: GaugeVec,
    checkpoint_timestamp: IntGaugeVec,
    checkpoint_offset: IntGaugeVec,
    marked_hours: IntGaugeVec,
    identities: IntGaugeVec,
    series: IntGaugeVec,
    time_to_loss: GaugeVec,
    holes: IntGaugeVec,
    violations: IntGaugeVec,
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGaugeVec, prometheus::Error> {
    let metric = IntGaugeVec::new(Opts::new(name, help), &LABELS)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn time(registry: &Registry, name: &str, help: &str) -> Result<GaugeVec, prometheus::Error> {
    let metric = GaugeVec::new(Opts::new(name, help), &LABELS)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

impl PartitionFamilies {
    pub(super) fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let by_reason = ["stream", "partition", "reason"];
        Ok(Self {
            consumed: counter(r, "plimsoll_consumed_events_total", "Records read from Kafka", &LABELS)?,
            accepted: counter(r, "plimsoll_accepted_events_total", "Events accepted", &LABELS)?,
            duplicate: counter(r, "plimsoll_duplicate_events_total", "Events accepted before", &LABELS)?,
            late: counter(r, "plimsoll_late_events_total", "Events older than the acceptance window", &LABELS)?,
            quarantined: counter(r, "plimsoll_quarantined_events_total", "Records put aside, by reason", &by_reason)?,
            halted: gauge(r, "plimsoll_partition_halted", "1 while the partition is stopped until somebody mends it")?,
            lag_events: gauge(r, "plimsoll_lag_events", "Records in Kafka that are not folded yet")?,
            oldest_unflushed: time(
                r,
                "plimsoll_oldest_unflushed_seconds",
                "Age of the oldest record that is not under a checkpoint",
            )?,
            checkpoint_timestamp: gauge(
                r,
                "plimsoll_checkpoint_timestamp_seconds",
                "When the newest checkpoint was made",
            )?,
            checkpoint_offset: gauge(r, "plimsoll_checkpoint_offset", "Everything below is under a checkpoint")?,
            marked_hours: gauge(r, "plimsoll_marked_hours", "Series-hours that wait for being metered again")?,
            identities: gauge(r, "plimsoll_identities", "Identities remembered")?,
            series: gauge(r, "plimsoll_live_series", "Series in memory")?,
            time_to_loss: time(
                r,
                "plimsoll_time_to_loss_seconds",
                "Topic retention less the age of the oldest record without a checkpoint",
            )?,
            holes: gauge(
                r,
                "plimsoll_recorded_holes",
                "Offsets that are recorded as lost, passed over since the worker began",
            )?,
            violations: gauge(
                r,
                "plimsoll_conservation_violations",
                "I1: records consumed and recorded holes, less accepted, duplicate, late and quarantined; 0 or something is lost",
            )?,
        })
    }

    pub(super) fn of(&self, stream: &str, partition: u32) -> PartitionMetrics {
        let number = partition.to_string();
        let labels = [stream, number.as_str()];
        let reasons = Reason::ALL.iter();
        PartitionMetrics {
            consumed: self.consumed.with_label_values(&labels),
            accepted: self.accepted.with_label_values(&labels),
            duplicate: self.duplicate.with_label_values(&labels),
            late: self.late.with_label_values(&labels),
            quarantined: reasons
                .map(|reason| self.quarantined.with_label_values(&[stream, &number, reason.as_str()]))
                .collect(),
            halted: self.halted.with_label_values(&labels),
            lag_events: self.lag_events.with_label_values(&labels),
            oldest_unflushed: self.oldest_unflushed.with_label_values(&labels),
            checkpoint_timestamp: self.checkpoint_timestamp.with_label_values(&labels),
            checkpoint_offset: self.checkpoint_offset.with_label_values(&labels),
            marked_hours: self.marked_hours.with_label_values(&labels),
            identities: self.identities.with_label_values(&labels),
            series: self.series.with_label_values(&labels),
            time_to_loss: self.time_to_loss.with_label_values(&labels),
            holes: self.holes.with_label_values(&labels),
            violations: self.violations.with_label_values(&labels),
        }
    }

    /// A series that is not there is gone already: nothing to report.
    pub(super) fn forget(&self, stream: &str, partition: u32) {
        let number = partition.to_string();
        let labels = [stream, number.as_str()];
        for family in [&self.consumed, &self.accepted, &self.duplicate, &self.late] {
            let _ = family.remove_label_values(&labels);
        }
        for reason in Reason::ALL {
            let _ = self.quarantined.remove_label_values(&[stream, &number, reason.as_str()]);
        }
        let gauges = [
            &self.halted,
            &self.lag_events,
            &self.checkpoint_timestamp,
            &self.checkpoint_offset,
            &self.marked_hours,
            &self.identities,
            &self.series,
            &self.holes,
            &self.violations,
        ];
        for family in gauges {
            let _ = family.remove_label_values(&labels);
        }
        for family in [&self.oldest_unflushed, &self.time_to_loss] {
            let _ = family.remove_label_values(&labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_partition_shows_its_figures_until_it_is_forgotten() {
        let metrics = Metrics::new().unwrap();
        let mut figures = PartitionFigures { consumed: 10, accepted: 7, duplicate: 1, late: 1, ..Default::default() };
        figures.quarantined[Reason::Schema as usize] = 1;
        metrics.partition("usage-1", 3).set(&figures);
        let text = metrics.text().unwrap();
        for line in [
            "plimsoll_consumed_events_total{partition=\"3\",stream=\"usage-1\"} 10",
            "plimsoll_quarantined_events_total{partition=\"3\",reason=\"schema\",stream=\"usage-1\"} 1",
            "plimsoll_conservation_violations{partition=\"3\",stream=\"usage-1\"} 0",
            "plimsoll_time_to_loss_seconds{partition=\"3\",stream=\"usage-1\"} inf",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        figures.consumed = 12;
        metrics.partition("usage-1", 3).set(&figures);
        assert!(
            metrics.text().unwrap().contains("plimsoll_conservation_violations{partition=\"3\",stream=\"usage-1\"} 2")
        );
        metrics.forget("usage-1", 3);
        assert!(!metrics.text().unwrap().contains("usage-1"));
    }

    #[test]
    fn figures_of_a_rebuilt_state_start_anew() {
        let metrics = Metrics::new().unwrap();
        let partition = metrics.partition("usage-1", 0);
        partition.set(&PartitionFigures { consumed: 10, accepted: 10, ..Default::default() });
        partition.set(&PartitionFigures { consumed: 4, accepted: 4, ..Default::default() });
        assert!(
            metrics.text().unwrap().contains("plimsoll_consumed_events_total{partition=\"0\",stream=\"usage-1\"} 4")
        );
    }
}
