//! The fault simulator (DESIGN §10): the fold's own state machines over a simulated broker, database and clock, in processes that die,
//! stand still and come back, against an oracle that knows what was sent.
//!
//! A schedule is a function of its seed, so a seed that fails fails again, with its trace. In tests and with the feature `sim` only.

mod broker;
mod check;
mod closing;
mod database;
mod fault;
mod integral;
mod log;
mod oddity;
mod oracle;
mod plan;
mod process;
mod producer;
mod random;
mod report;
mod row;
mod schedule;
mod sent;
mod store;
#[cfg(test)]
mod tests;
mod trouble;
mod world;

pub use report::Report;
pub use world::{Broken, Failure};

/// Runs the schedule of a seed and adds it to the report. A failure is told with the trace of the schedule.
pub fn run(seed: u64, report: &mut Report) {
    let outcome = schedule::run(seed, false);
    report.add(seed, &outcome);
}

/// What happens in the schedule of a seed, line by line.
#[must_use]
pub fn trace(seed: u64) -> Vec<String> {
    schedule::run(seed, true).trace
}
