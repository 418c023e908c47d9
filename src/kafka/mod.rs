//! The shell around Kafka: clients, topics, the usage log of a partition and the control log.

pub mod broker;
pub mod client;
pub mod control;
pub mod control_writer;
pub mod group;
mod read_log;
pub mod reader;
pub mod topic;
pub mod usage_log;
