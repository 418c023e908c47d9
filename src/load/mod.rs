//! Synthetic usage: a plain load for measurements and tests ([`plain`]), the month of the demo ([`demo`]), and the way of both to
//! a stream's topic ([`publish`](publish::publish)).
//!
//! Both generators are pure: the same arguments give the same bytes. Only `publisher` and `publish` touch the outside.

pub mod demo;
pub mod envelope;
pub mod error;
pub mod plain;
pub mod publish;
pub mod publisher;
pub mod random;
pub mod rate;
pub mod record;
pub mod stamp;
pub mod template;

pub use demo::{DemoEvent, DemoMonth, Summary};
pub use error::LoadError;
pub use plain::{PlainLoad, PlainPlan};
pub use publish::{Published, publish};
pub use record::{Mode, UsageRecord};
