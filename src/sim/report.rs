//! What many schedules came to.

use std::fmt;

use super::closing::Tally;
use super::fault::{Coverage, Fault};
use super::schedule::Outcome;
use super::world::{Broken, Failure};

/// Failing seeds that are kept; the rest is counted.
const KEPT: usize = 5;
/// The steps of a machine, in their order, and what happens outside of them.
const STEPS: [&str; 13] = [
    "load",
    "back-meter",
    "start",
    "seek",
    "fold",
    "flush",
    "buckets",
    "marks",
    "checkpoint",
    "close",
    "decide",
    "document",
    "-",
];

/// Schedules, faults and failures, summed up.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many schedules were run.
    pub schedules: u64,
    /// How many lost a record.
    pub lost: u64,
    /// How many doubled one.
    pub doubled: u64,
    /// How many were wrong otherwise.
    pub wrong: u64,
    /// The first seeds that failed, and why.
    pub failures: Vec<(u64, Failure)>,
    coverage: Coverage,
    tally: Tally,
}

impl Report {
    pub(super) fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.schedules += 1;
        self.coverage.add(&outcome.coverage);
        self.tally.add(outcome.tally);
        if let Some(failure) = &outcome.failure {
            match failure.broken {
                Broken::Lost => self.lost += 1,
                Broken::Doubled => self.doubled += 1,
                Broken::Wrong => self.wrong += 1,
            }
            if self.failures.len() < KEPT {
                self.failures.push((seed, failure.clone()));
            }
        }
    }

    /// Adds another report.
    pub fn merge(&mut self, other: Report) {
        self.schedules += other.schedules;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.wrong += other.wrong;
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|(seed, _)| *seed);
        self.failures.truncate(KEPT);
        self.coverage.add(&other.coverage);
        self.tally.add(other.tally);
    }

    /// How many schedules failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.lost + self.doubled + self.wrong
    }

    /// How often a fault struck, wherever.
    fn total(&self, fault: Fault) -> u64 {
        self.coverage.0.iter().filter(|((_, other), _)| *other == fault).map(|(_, count)| count).sum()
    }

    /// The faults that never struck, and what closers never had to do.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let faults = Fault::ALL.into_iter().filter(|fault| self.total(*fault) == 0).map(Fault::name);
        faults.chain((self.tally.on_decisions == 0).then_some("a close on decisions alone")).collect()
    }
}

/// The table of faults by step, then the counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28}{:>11}", "fault", "injected")?;
        STEPS.iter().try_for_each(|step| write!(f, "{step:>11}"))?;
        writeln!(f)?;
        for fault in Fault::ALL {
            write!(f, "{:<28}{:>11}", fault.name(), self.total(fault))?;
            for step in STEPS {
                match self.coverage.0.get(&(step, fault)) {
                    Some(count) => write!(f, "{count:>11}")?,
                    None => write!(f, "{:>11}", "")?,
                }
            }
            writeln!(f)?;
        }
        let Tally { closes, corrections, void, on_decisions, numbers } = self.tally;
        writeln!(
            f,
            "{closes} closes count, {corrections} of them corrections, {on_decisions} on decisions alone; {void} do not; \
             {numbers} documents have a number"
        )?;
        let Self { schedules, lost, doubled, wrong, .. } = self;
        write!(f, "{schedules} schedules: {lost} lost, {doubled} doubled, {wrong} wrong")
    }
}
