//! The integration tests, in one binary: one link instead of many. Tests that need the real parts fetch them by the
//! project's script; none is ever skipped. Those that need a tool beside (a browser, Prometheus, kcat) say so where it is not to be had.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on should say so where it stands

mod api;
mod aside;
mod audit;
mod cases;
mod catalog;
mod close;
mod collect;
mod console;
mod decoder;
mod deploy;
mod dev;
mod doctor;
mod engine;
mod export;
mod gateway;
mod guards;
mod handover;
mod house;
mod limits;
mod margin;
mod memory;
mod migration;
mod principals;
mod print;
mod producers;
mod programme;
mod prometheus;
mod prove;
mod quote;
mod rating;
mod rebuild;
mod resolve;
mod restart;
mod soak;
mod sql;
mod stage;
mod stop;
mod transaction;
mod words;
mod worker;
