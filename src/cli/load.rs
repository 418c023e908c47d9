//! `plimsoll load`: produces synthetic usage at a given rate and size.

use std::process::ExitCode;
use std::time::{Duration, Instant as Moment};

use anyhow::bail;
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};

use super::stream::{Window, follow, window_ms};
use crate::config::Config;
use crate::core::event::time::parse;
use crate::core::word::Instant;
use crate::load::plain::PlainLoad;
use crate::load::publish::Publisher;

/// Most events of one load: a bound for slips of the finger.
const MAX_EVENTS: u64 = 1_000_000_000;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  plimsoll load --stream usage --events 1000000 --readings 1 --arrays 400")]
pub(super) struct Args {
    /// The stream's topic
    #[arg(long)]
    stream: String,
    /// How many events
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_EVENTS))]
    events: u64,
    /// Readings an event
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    readings: u32,
    /// Arrays that take turns
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    arrays: u64,
    /// Whose arrays; else the stream's provider, else "northwind"
    #[arg(long)]
    provider: Option<String>,
    /// Events a second; else as fast as possible
    #[arg(long)]
    rate: Option<u32>,
    /// Of names and values: the same seed gives the same load
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the first event was measured (RFC 3339); else so that the last is measured now
    #[arg(long)]
    start: Option<String>,
    /// Between two polls of an array
    #[arg(long, value_parser = window_ms, default_value = "5m")]
    step: Window,
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let streams = follow(config)?.streams();
        let Some(rules) = streams.iter().find(|rules| rules.topic == self.stream) else {
            bail!("no stream {} is open: plimsoll stream open {} --shared --partitions 4", self.stream, self.stream)
        };
        let provider = self.provider.clone().or_else(|| rules.provider.clone());
        let load = PlainLoad {
            provider: provider.unwrap_or_else(|| "northwind".to_owned()),
            arrays: self.arrays,
            readings: self.readings,
            start: self.start()?,
            step_ms: self.step.0,
            seed: self.seed,
        };
        let publisher = Publisher::new(&config.kafka, &self.stream, rules.partitions)?;
        let bar = bar(self.events);
        let started = Moment::now();
        for number in 0..self.events {
            publisher.send(&load.event(number))?;
            bar.inc(1);
            if let Some(rate) = self.rate {
                let due = Duration::from_secs_f64(number as f64 / f64::from(rate.max(1)));
                std::thread::sleep(due.saturating_sub(started.elapsed()));
            }
        }
        publisher.finish()?;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        let (events, readings) =
            (self.events as f64 / seconds, self.events as f64 * f64::from(self.readings) / seconds);
        println!(
            "{} events acknowledged in {seconds:.1} s: {events:.0} events/s, {readings:.0} readings/s",
            self.events
        );
        Ok(ExitCode::SUCCESS)
    }

    fn start(&self) -> anyhow::Result<Instant> {
        let span_ms = self.step.0.saturating_mul(i64::try_from(self.events / self.arrays).unwrap_or(i64::MAX));
        match &self.start {
            Some(text) => match parse(text) {
                Some(start) => Ok(start),
                None => bail!("--start is no instant: write it as 2026-10-01T00:00:00Z"),
            },
            None => {
                let now = chrono::Utc::now().timestamp_millis();
                Ok(Instant((now - span_ms) / 1000 * 1000))
            }
        }
    }
}

/// A bar on a terminal; indicatif hides it elsewhere.
pub(super) fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} events  {per_sec}  {eta}") {
        bar.set_style(style);
    }
    bar
}
