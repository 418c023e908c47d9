//! What collectors do, without doing it: which instants are due ([`schedule`]), what an array's answers say ([`flasharray`],
//! [`flashblade`], [`exposition`] with [`rule`]), the usage event of them ([`event`]), and how it lies in the spool ([`frame`]).
//!
//! An event is a function of array, scheduled instant and answers. So whoever polls an array again, after a crash or beside another
//! collector, makes the same identity: a duplicate where the answers are the same, never a second reading.

pub mod customers;
pub mod error;
pub mod event;
pub mod exposition;
pub mod flasharray;
pub mod flashblade;
pub mod frame;
pub mod page;
pub mod rule;
pub mod schedule;
pub mod snapshot;

#[cfg(test)]
mod tests;

pub use customers::Customers;
pub use error::ReadError;
pub use event::Subject;
pub use rule::Rule;
pub use schedule::{Gap, Plan, Schedule};
pub use snapshot::{Snapshot, Taken};
