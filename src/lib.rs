//! Plimsoll: metering and billing for storage sold by consumption.
//!
//! The pure core ([`core`]) decides; thin shells around it talk to Kafka, ClickHouse and people.
//! Imports go downwards only: a shell may use the core, never the other way round.

pub mod alarm;
pub mod audit;
pub mod cli;
pub mod clickhouse;
pub mod closer;
pub mod collect;
pub mod config;
pub mod core;
pub mod dev;
pub mod doctor;
pub mod engine;
pub mod export;
pub mod fold;
pub mod gateway;
pub mod http;
pub mod kafka;
pub mod load;
pub mod margin;
pub mod metrics;
pub mod mutation;
pub mod programme;
pub mod prove;
pub mod quarantine;
pub mod remeter;
pub mod run;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod statement;
pub mod trace;
