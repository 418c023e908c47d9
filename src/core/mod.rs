//! The pure core: plain functions over plain data. No async, clock, I/O, randomness or client library in here
//! (`tests/it/house.rs` checks it).
//!
//! Downwards: `fold` uses `ledger`, `metering` and `event`; `programme` uses `closing` and `billing`, which uses `pricing`, which uses `book`; all of them use `word`. `collect` uses `event`.

pub mod billing;
pub mod book;
pub mod closing;
pub mod collect;
pub mod cut;
pub mod decision;
pub mod event;
pub mod ledger;
pub mod metering;
pub mod nearest;
pub mod pricing;
pub mod programme;
pub mod quote;
pub mod word;
