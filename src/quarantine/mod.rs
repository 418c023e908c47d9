//! Records that were put aside, resolved by people: sent again under a recorded decision, or discarded by one (DESIGN §3).

pub mod batch;
pub mod error;
pub mod explanation;
pub mod forecast;
pub mod resend;
pub mod resolver;

pub use error::ResolveError;
pub use resolver::{Outcome, Resolver, State, Verb, Why};
