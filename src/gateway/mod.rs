//! Usage events over HTTP on their way to the log: everything of the gateway that is no HTTP (`http/gateway/` is).
//!
//! A request's body is held under a [`Budget`] from its first byte until Kafka has acknowledged every event of it. It is inflated,
//! split ([`Form`]), decoded by the decoder that the fold uses, and sent to its provider's stream; either all of its events are
//! sent or none.

pub mod allowance;
pub mod budget;
pub mod error;
pub mod form;
mod inflate;
pub mod intake;
mod route;
mod sender;
mod stream;

pub use allowance::Allowances;
pub use budget::{Budget, Held};
pub use error::{Away, EventRefusal, GatewayError, Refusal};
pub use form::Form;
pub use intake::{Body, Intake};
pub use route::Sends;
