//! What the process tells Prometheus, as typed fields: a misspelt name does not compile.
//!
//! [`Metrics`] is the registry; [`PartitionMetrics`] are the series of one partition, [`AlarmFigures`] what the database alone knows. Nothing here reads a clock: whoever fills
//! in a figure says when it was true, and what has to be fresh at a scrape is set in [`Metrics::at_scrape`].

mod alarm;
mod collect;
pub mod gateway;
mod partition;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

pub use alarm::{AlarmFigures, MOST_SILENT, SilentArray};
pub use collect::CollectMetrics;
pub use partition::{PartitionFigures, PartitionMetrics};

use alarm::AlarmFamilies;
use gateway::GatewayMetrics;
use partition::PartitionFamilies;

/// Bounds of the buckets for times: 1 ms to 1 min.
const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Called before each scrape.
type Hook = Arc<dyn Fn(&Metrics) + Send + Sync>;

/// All metrics of a process.
pub struct Metrics {
    registry: Registry,
    partitions: PartitionFamilies,
    alarms: AlarmFamilies,
    /// Events over HTTP.
    pub gateway: GatewayMetrics,
    insert_seconds: HistogramVec,
    insert_rows: IntCounterVec,
    /// Inserts that were not acknowledged, by table: each is sent again.
    pub insert_failures: IntCounterVec,
    /// When ClickHouse last acknowledged an insert, in seconds since 1970.
    pub insert_last_success: IntGauge,
    /// Documents that were computed again and were equal, when documents were last proved.
    pub prove_proved: IntGauge,
    /// Documents that were not: whatever is above 0 wants a person.
    pub prove_failed: IntGauge,
    /// Closes whose proof ended in an error, so that nothing is known of their documents: each is tried again later.
    pub prove_errors: IntGauge,
    /// Arrays by state, when the programme was last looked at.
    pub arrays: IntGaugeVec,
    /// Providers of which nothing was accepted for long.
    pub providers_dormant: IntGauge,
    /// Providers whose figures attain less than the level that they were granted.
    pub providers_below_level: IntGauge,
    /// Certifications that end soon.
    pub certifications_expiring: IntGauge,
    /// 1 while account teams are credited more by one route than by the other.
    pub sales_credits_unequal: IntGauge,
    /// Periods past their grace that are not closed: holes keep them open.
    pub periods_overdue: IntGauge,
    /// Drafts of closed periods that are neither issued nor discarded.
    pub drafts_waiting: IntGauge,
    http_requests: IntCounterVec,
    http_seconds: HistogramVec,
    hooks: Mutex<Vec<Hook>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// An empty registry with all metrics in it.
    ///
    /// # Errors
    /// Two metrics of one name, which is a fault of this module.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| -> Result<HistogramVec, prometheus::Error> {
            let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let last =
            IntGauge::new("plimsoll_clickhouse_insert_last_success_timestamp_seconds", "Last acknowledged insert")?;
        registry.register(Box::new(last.clone()))?;
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let arrays = IntGaugeVec::new(
            Opts::new(
                "plimsoll_arrays",
                "Arrays, each in one state as `plimsoll health` tells it: a silent one that is orphaned, contested, moved or for demonstration is counted there, not as silent",
            ),
            &["state"],
        )?;
        registry.register(Box::new(arrays.clone()))?;
        let build = IntGaugeVec::new(Opts::new("plimsoll_build_info", "Which build this is; always 1"), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        Ok(Self {
            partitions: PartitionFamilies::new(&registry)?,
            alarms: AlarmFamilies::new(&registry)?,
            gateway: GatewayMetrics::new(&registry)?,
            insert_seconds: histogram(
                "plimsoll_clickhouse_insert_seconds",
                "Time of an acknowledged insert",
                &["table"],
            )?,
            insert_rows: counter(
                "plimsoll_clickhouse_insert_rows_total",
                "Rows that ClickHouse acknowledged",
                &["table"],
            )?,
            insert_failures: counter(
                "plimsoll_clickhouse_insert_failures_total",
                "Inserts without acknowledgement; each is sent again",
                &["table"],
            )?,
            insert_last_success: last,
            arrays,
            providers_dormant: gauge(
                "plimsoll_providers_dormant",
                "Providers without an accepted reading for 30 days",
            )?,
            providers_below_level: gauge(
                "plimsoll_providers_below_level",
                "Providers whose figures attain less than their granted level",
            )?,
            certifications_expiring: gauge(
                "plimsoll_certifications_expiring",
                "Certifications held that end within 90 days",
            )?,
            sales_credits_unequal: gauge(
                "plimsoll_sales_credits_unequal",
                "1 while account teams are credited more by one route than by the other",
            )?,
            prove_proved: gauge(
                "plimsoll_prove_proved",
                "Documents and drafts of closes that were computed again from the ledger, equal",
            )?,
            prove_failed: gauge(
                "plimsoll_prove_failed",
                "Documents and drafts of closes that were computed again and differ",
            )?,
            prove_errors: gauge("plimsoll_prove_errors", "Closes whose proof ended in an error; each is tried again")?,
            periods_overdue: gauge("plimsoll_periods_overdue", "Periods past their grace that are not closed")?,
            drafts_waiting: gauge("plimsoll_drafts_waiting", "Drafts that are neither issued nor discarded")?,
            http_requests: counter("plimsoll_http_requests_total", "Requests to the API", &["route", "status"])?,
            http_seconds: histogram("plimsoll_http_request_seconds", "Time of a request to the API", &["route"])?,
            hooks: Mutex::default(),
            registry,
        })
    }

    /// The series of one partition. Get it once and keep it: the lookup is not for a hot loop.
    #[must_use]
    pub fn partition(&self, stream: &str, partition: u32) -> PartitionMetrics {
        self.partitions.of(stream, partition)
    }

    /// The series of a collector: they are there from now on. A process that collects nothing has none.
    ///
    /// # Errors
    /// If it is called twice.
    pub fn collect(&self) -> Result<CollectMetrics, prometheus::Error> {
        CollectMetrics::new(&self.registry)
    }

    /// Takes a partition's series out, when another process has taken it over.
    pub fn forget(&self, stream: &str, partition: u32) {
        self.partitions.forget(stream, partition);
    }

    /// Shows how things stand in the database, in the place of how they stood before.
    pub fn alarms(&self, figures: &AlarmFigures) {
        if let Err(error) = self.alarms.set(figures) {
            tracing::error!(%error, "cannot show what alarms");
        }
    }

    /// An insert that ClickHouse has acknowledged, at `now` in seconds since 1970.
    pub fn inserted(&self, table: &str, rows: u64, took: Duration, now: i64) {
        self.insert_seconds.with_label_values(&[table]).observe(took.as_secs_f64());
        self.insert_rows.with_label_values(&[table]).inc_by(rows);
        self.insert_last_success.set(now);
    }

    /// Documents were proved: adds them to those that are proven, and to those that are not.
    pub fn proved(&self, proven: usize, all: usize) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.prove_proved.add(gauge(proven));
        self.prove_failed.add(gauge(all.saturating_sub(proven)));
    }

    /// A request to the API that has been answered.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.http_requests.with_label_values(&[route, &status.to_string()]).inc();
        self.http_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Has `hook` called before each scrape, for figures that depend on the time.
    pub fn at_scrape(&self, hook: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(hook));
    }

    /// Everything in Prometheus' text form.
    ///
    /// # Errors
    /// A metric that cannot be written, which is a fault of this module.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hooks.iter().for_each(|hook| hook(self));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
