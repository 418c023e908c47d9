//! Synthetic usage: plain load for measurements and tests, and the month of the demo. Everything is a function of its seed.

pub mod demo;
pub mod error;
pub mod fleet;
pub mod plain;
pub mod publish;
pub mod random;

/// An event ready to be produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadEvent {
    /// The record's key: the array's id.
    pub key: String,
    /// The record's value: a CloudEvent in structured mode.
    pub value: Vec<u8>,
    /// How many readings it holds.
    pub readings: u32,
}
