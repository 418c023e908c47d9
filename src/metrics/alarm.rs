//! What alarms and only the database knows: arrays that fell silent, records that wait for a decision.

use std::collections::BTreeMap;

use prometheus::{IntGauge, IntGaugeVec, Opts, Registry};

/// Silent arrays that have a series of their own; the count holds all of them.
pub const MOST_SILENT: usize = 1000;

/// An array that nothing was accepted of for longer than a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentArray {
    /// Who ran it when it was last heard of.
    pub provider: String,
    /// Its id.
    pub array: String,
    /// For how long nothing was accepted of it.
    pub seconds: i64,
}

/// How things stood in the database at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmFigures {
    /// When they were read, in seconds since 1970.
    pub read_at: i64,
    /// Silent arrays, those that were silent for longest first.
    pub silent: Vec<SilentArray>,
    /// Quarantined records that nobody has decided about, by provider; "" where nobody can tell whose they are.
    pub unresolved: BTreeMap<String, u64>,
    /// Providers that have arrays: each has its figures, be they 0.
    pub providers: Vec<String>,
}

pub(super) struct AlarmFamilies {
    silent: IntGaugeVec,
    silent_seconds: IntGaugeVec,
    unresolved: IntGaugeVec,
    read_at: IntGauge,
    registry: Registry,
}

impl AlarmFamilies {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        Ok(Self {
            silent: gauge(
                "plimsoll_arrays_silent",
                "Arrays that nothing was accepted of for a day, whatever else they are; plimsoll_arrays{state=\"silent\"} has those that are nothing else",
                &["provider"],
            )?,
            silent_seconds: gauge(
                "plimsoll_array_silent_seconds",
                "For how long nothing was accepted of an array; arrays that are not silent have no series",
                &["provider", "array"],
            )?,
            unresolved: gauge(
                "plimsoll_quarantine_unresolved",
                "Quarantined records that nobody has decided about; provider \"\" where nobody can tell whose they are",
                &["provider"],
            )?,
            read_at: IntGauge::new(
                "plimsoll_alarms_read_timestamp_seconds",
                "When silent arrays and unresolved records were last counted in the database",
            )?,
            registry: registry.clone(),
        })
    }

    pub(super) fn set(&self, figures: &AlarmFigures) -> Result<(), prometheus::Error> {
        // a process that never reads them must not look as if it had read them in 1970
        if self.read_at.get() == 0 {
            self.registry.register(Box::new(self.read_at.clone()))?;
        }
        self.read_at.set(figures.read_at);
        for family in [&self.silent, &self.silent_seconds, &self.unresolved] {
            family.reset();
        }
        for provider in &figures.providers {
            self.silent.with_label_values(&[provider]).set(0);
            self.unresolved.with_label_values(&[provider]).set(0);
        }
        for array in &figures.silent {
            self.silent.with_label_values(&[&array.provider]).inc();
        }
        for array in figures.silent.iter().take(MOST_SILENT) {
            self.silent_seconds.with_label_values(&[&array.provider, &array.array]).set(array.seconds);
        }
        for (provider, count) in &figures.unresolved {
            self.unresolved.with_label_values(&[provider]).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(figures: &[AlarmFigures]) -> String {
        let metrics = crate::metrics::Metrics::new().unwrap();
        figures.iter().for_each(|figures| metrics.alarms(figures));
        metrics.text().unwrap()
    }

    fn silent(count: usize) -> Vec<SilentArray> {
        let array = |n: usize| SilentArray { provider: "p".to_owned(), array: format!("a{n}"), seconds: 90_000 };
        (0..count).map(array).collect()
    }

    #[test]
    fn all_silent_arrays_are_counted_and_the_first_thousand_named() {
        let figures = AlarmFigures { read_at: 1, silent: silent(MOST_SILENT + 1), ..AlarmFigures::default() };
        let text = text(&[figures]);
        assert!(text.contains("plimsoll_arrays_silent{provider=\"p\"} 1001\n"), "{text}");
        assert_eq!(text.matches("\nplimsoll_array_silent_seconds{").count(), MOST_SILENT);
    }

    #[test]
    fn an_alarm_that_is_over_is_gone_and_its_provider_at_0() {
        let providers = vec!["p".to_owned()];
        let unresolved = BTreeMap::from([("p".to_owned(), 3), (String::new(), 1)]);
        let before = AlarmFigures { read_at: 1, silent: silent(1), unresolved, providers: providers.clone() };
        let after = AlarmFigures { read_at: 2, providers, ..AlarmFigures::default() };
        let now = text(std::slice::from_ref(&before));
        assert!(now.contains("plimsoll_array_silent_seconds{array=\"a0\",provider=\"p\"} 90000\n"), "{now}");
        assert!(now.contains("plimsoll_quarantine_unresolved{provider=\"\"} 1\n"), "{now}");
        let then = text(&[before, after]);
        assert!(!then.contains("plimsoll_array_silent_seconds{"), "{then}");
        assert!(then.contains("plimsoll_quarantine_unresolved{provider=\"p\"} 0\n"), "{then}");
        assert!(then.contains("plimsoll_alarms_read_timestamp_seconds 2\n"), "{then}");
        assert!(!text(&[]).contains("plimsoll_alarms_read"), "a process that reads none says nothing of it");
    }
}
