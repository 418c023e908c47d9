//! Why events are not taken: the request has to change, or the same request comes later.

use thiserror::Error;

use crate::core::event::batch::BatchError;

/// Events of a request whose refusals are told one by one.
pub const EVENTS_TOLD_MAX: usize = 100;

/// Either kind.
#[derive(Clone, Debug, Error)]
pub enum GatewayError {
    /// The request has to change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The same request may come again later: nothing is counted twice.
    #[error(transparent)]
    Away(#[from] Away),
}

/// What the same request would be told again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No form of a CloudEvent that is read.
    #[error("{0}")]
    Form(String),
    /// An attribute in a header that is not written as CloudEvents says.
    #[error("{0}")]
    Attribute(String),
    /// A body that is encoded in another way than it says.
    #[error("{0}")]
    Encoding(String),
    /// More bytes than are taken.
    #[error("the body has more than {most} bytes {how}: send fewer events at once")]
    TooLarge {
        /// How many may be.
        most: usize,
        /// As they are sent, or once they are inflated.
        how: &'static str,
    },
    /// No batch, or one of too many events.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Events that could never be usage: none of the request is sent.
    #[error("{count} of {of} events are refused, so none is sent; the first is event {}: {}", first.index, first.detail)]
    Events {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
        /// The first of them.
        first: EventRefusal,
        /// The first ones, [`EVENTS_TOLD_MAX`] at most.
        told: Vec<EventRefusal>,
    },
    /// No stream takes this provider's events, or several do.
    #[error("{0}")]
    Stream(String),
}

/// Why an event is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRefusal {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// A word for programs: the reason code under which the fold would put it aside.
    pub reason: &'static str,
    /// Where and what, for a person.
    pub detail: String,
}

/// What goes by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Away {
    /// Too many bytes wait for Kafka.
    #[error("too many events wait for Kafka: send the same request again later")]
    Full,
    /// Kafka did not acknowledge all events. Some may be in the log all the same.
    #[error("Kafka did not acknowledge the events: send the same request again later, nothing is counted twice")]
    Kafka(String),
}
