//! Audits and repairs: what is stored, held against itself and against the log (DESIGN §10: I1, I2, I3, I8).
//!
//! For closes: [`ahead`](close::ahead) runs the audits that are due, a bounded number at a time; [`green`](close::green) names what keeps a
//! close from being green. Both work on array days ([`day::ArrayDay`]): the table `audit` has a row of each run of each day.

pub mod auditor;
pub mod chain;
pub mod close;
pub mod conservation;
pub mod day;
pub mod decision;
pub mod error;
pub mod finding;
pub mod inspection;
pub mod lane;
pub mod log;
mod look;
pub mod mend;
pub mod mend_bucket;
pub mod mend_lane;
pub mod position;
pub mod record;
pub mod refold;
pub mod repair;
pub mod report;
mod span;
pub mod stray;
pub mod sums;
pub mod vector;

pub use error::AuditError;
