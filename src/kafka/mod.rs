//! The shell around Kafka.

pub mod client;
