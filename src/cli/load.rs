//! `plimsoll load`: synthetic usage for measurements and tests.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use clap::Args as ClapArgs;

use super::control::follow;
use super::instant::instant;
use super::output::say;
use super::refusal::refuse;
use crate::config::Config;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Instant;
use crate::load::{Mode, PlainLoad, PlainPlan, publish};

/// Whose arrays they are on a shared stream, if nobody says: a provider of the sample book.
const SHARED_PROVIDER: &str = "northwind";

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  plimsoll load --stream usage --events 1000000 --readings 1 --arrays 400\n\nAn event is a function of \
                  seed, array, instant and --readings. So a second run makes duplicates of what is there already, and new events of the time since; with \
                  other --readings the instants that are there already end in quarantine as conflicts: give another --seed then."
)]
pub(super) struct Args {
    /// The stream, by its topic or its id
    #[arg(long, value_name = "STREAM")]
    stream: String,
    /// How many events in all
    #[arg(long, value_name = "N")]
    events: u64,
    /// Readings in each event: effective_used of volumes, and from 2 on their read_bytes as well
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    readings: u32,
    /// How many arrays take turns
    #[arg(long, value_name = "A", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    arrays: u32,
    /// Whose arrays they are [default: the stream's provider, northwind on a shared stream]
    #[arg(long, value_name = "P")]
    provider: Option<String>,
    /// At most so many events a second [default: as fast as it goes]
    #[arg(long, value_name = "EVENTS_PER_S", value_parser = rate)]
    rate: Option<f64>,
    /// Another seed gives other arrays and values
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// When the first poll was: an instant in RFC 3339, or a date (UTC) [default: so that the last poll is about now]
    #[arg(long, value_name = "T", value_parser = instant)]
    start: Option<Instant>,
    /// From one poll of an array to its next: 5m, 30s, 1h
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = step_ms)]
    step: i64,
    /// CloudEvents in Kafka's binary mode instead of the structured one
    #[arg(long)]
    binary: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "write a number above 0: 5000".to_owned())
}

fn step_ms(text: &str) -> Result<i64, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let parsed = units.into_iter().find_map(|(unit, ms)| text.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(ms));
    match parsed {
        Some(ms) if (1..=31 * 86_400_000).contains(&ms) => Ok(ms),
        _ => Err("write a number and ms, s, m, h or d, at most 31d: 5m".to_owned()),
    }
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let stream = find(config, &self.stream)?;
        let plan = self.plan(&stream, Instant(Utc::now().timestamp_millis()));
        warn_of_strange_times(&plan, &stream);
        let expected = plan.events;
        let records = PlainLoad::new(plan).map(|record| (&*stream, record));
        let published = publish(&config.kafka, records, expected, self.rate)?;
        say(format_args!("{}: {published}, {:.0} readings/s", stream.stream, {
            published.events_per_second() * f64::from(self.readings)
        }))?;
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self, stream: &StreamRules, now: Instant) -> PlainPlan {
        let provider = self.provider.clone().or_else(|| stream.provider.clone());
        let plan = PlainPlan {
            events: self.events,
            readings: self.readings,
            arrays: self.arrays,
            provider: provider.unwrap_or_else(|| SHARED_PROVIDER.to_owned()),
            seed: self.seed,
            start: now,
            step_ms: self.step,
            mode: if self.binary { Mode::Binary } else { Mode::Structured },
        };
        let start = self.start.unwrap_or_else(|| plan.start_to_end_at(now));
        PlainPlan { start, ..plan }
    }
}

/// The open stream of this topic or id.
pub(super) fn find(config: &Config, name: &str) -> anyhow::Result<Arc<StreamRules>> {
    let control = follow(config)?;
    let (register, streams) = (control.register(), control.streams());
    control.stop();
    if let Some(open) = register.named(name) {
        return Ok(Arc::clone(&open.rules));
    }
    let open: Vec<&str> = streams.iter().map(|rules| rules.topic.as_str()).collect();
    match open.is_empty() {
        true => {
            refuse(format!("no stream is open: open it with `plimsoll stream open {name} --shared --partitions 4`"))
        }
        false => refuse(format!("no stream {name} is open: name one of {}", open.join(", "))),
    }
}

/// Events outside the window are not metered: whoever measures should know.
fn warn_of_strange_times(plan: &PlainPlan, stream: &StreamRules) {
    let now = Instant(Utc::now().timestamp_millis());
    if plan.start < now.plus_ms(-stream.acceptance_window_ms) {
        tracing::warn!(start = %plan.start, "the first events lie before the stream's acceptance window and will be late");
    }
    if plan.last() > now.plus_ms(stream.future_limit_ms) {
        tracing::warn!(last = %plan.last(), "the last events lie in the future and will be quarantined");
    }
}
