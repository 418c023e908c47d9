//! `plimsoll simulate --seed S --count N`: the fault simulator, in builds with the feature `sim`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

use clap::Args as ClapArgs;
use indicatif::ProgressBar;

use super::output::say;
use crate::load::rate;
use crate::sim::{Report, run, trace};

/// Schedules that a thread takes at a time.
const TAKE: u64 = 64;
/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug, ClapArgs)]
pub(super) struct Faults {
    /// Instead: inject faults into schedules of the fold, from this seed on
    #[arg(long, value_name = "S", conflicts_with_all = ["directory", "periods", "provider"])]
    pub(super) seed: Option<u64>,
    /// How many schedules; with one, its trace is printed
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "seed")]
    count: u64,
}

impl Faults {
    pub(super) fn run(&self, seed: u64) -> anyhow::Result<ExitCode> {
        if self.count == 1 {
            say(format_args!("{}", trace(seed).join("\n")))?;
        }
        let started = Moment::now();
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let report = self.run_all(seed, threads);
        let rate = report.schedules as f64 / started.elapsed().as_secs_f64();
        say(format_args!("{report}"))?;
        say(format_args!("{rate:.0} schedules/s on {threads} cores"))?;
        if let Some((first, _)) = report.failures.first().filter(|_| self.count > 1) {
            say(format_args!("{}", trace(*first).join("\n")))?;
        }
        for (seed, failure) in &report.failures {
            say(format_args!("seed {seed} fails: {:?}: {}", failure.broken, failure.text))?;
            say(format_args!("  again: plimsoll simulate --seed {seed} --count 1"))?;
        }
        Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn run_all(&self, seed: u64, threads: usize) -> Report {
        let bar = ProgressBar::new(self.count);
        if let Some(style) = rate::style("{bar:40} {pos}/{len} schedules  {rate}  {eta}") {
            bar.set_style(style);
        }
        let next = AtomicU64::new(0);
        let mut whole = Report::default();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.take_some(seed, &next, &bar))).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).for_each(|report| whole.merge(report));
        });
        bar.finish_and_clear();
        whole
    }

    fn take_some(&self, seed: u64, next: &AtomicU64, bar: &ProgressBar) -> Report {
        let mut report = Report::default();
        let mut said = Moment::now();
        loop {
            let first = next.fetch_add(TAKE, Ordering::Relaxed);
            if first >= self.count {
                return report;
            }
            let last = self.count.min(first + TAKE);
            (first..last).for_each(|number| run(seed.wrapping_add(number), &mut report));
            bar.inc(last - first);
            if bar.is_hidden() && said.elapsed() >= SAY_EVERY {
                eprintln!("{} of {} schedules", bar.position(), self.count);
                said = Moment::now();
            }
        }
    }
}
