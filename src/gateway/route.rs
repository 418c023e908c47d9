//! Where an event goes: decoded as the fold decodes it, held against whose events may be sent, and given to its provider's stream.

use std::sync::Arc;

use super::error::{EVENTS_TOLD_MAX, EventRefusal, GatewayError, Refusal};
use super::{form, stream};
use crate::core::decision::stream::StreamRegister;
use crate::core::event::{self, Limits, decode};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Reason;

/// Whose events somebody may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sends {
    /// Everybody's.
    All,
    /// One provider's.
    Of(String),
}

/// An event that can be sent.
pub(super) struct Routed<'b> {
    pub(super) stream: Arc<StreamRules>,
    pub(super) array: String,
    pub(super) value: &'b [u8],
}

/// Why an event goes nowhere.
enum Unrouted {
    /// It is told beside others.
    Event(Reason, String),
    /// None of the request can go anywhere.
    Request(Refusal),
}

impl From<Box<event::Refusal>> for Unrouted {
    fn from(refusal: Box<event::Refusal>) -> Self {
        Unrouted::Event(refusal.reason, refusal.detail)
    }
}

impl From<Refusal> for Unrouted {
    fn from(refusal: Refusal) -> Self {
        Unrouted::Request(refusal)
    }
}

/// What decides about it.
pub(super) struct Route<'a> {
    /// The streams as decisions stand.
    pub(super) register: &'a StreamRegister,
    /// Where a provider's events go that has no stream of its own.
    pub(super) shared: Option<&'a str>,
    /// Whose events may be sent.
    pub(super) sends: &'a Sends,
}

impl Route<'_> {
    /// Where each event goes; if one cannot go anywhere, none does.
    pub(super) fn all<'b>(
        &self,
        events: &[&'b [u8]],
        headers: &[(&str, &[u8])],
    ) -> Result<Vec<Routed<'b>>, GatewayError> {
        let (mut routed, mut told, mut count) = (Vec::with_capacity(events.len()), Vec::new(), 0);
        for (index, value) in events.iter().enumerate() {
            match self.one(headers, value) {
                Ok(event) => routed.push(event),
                Err(Unrouted::Request(refusal)) => return Err(refusal.into()),
                Err(Unrouted::Event(reason, detail)) => {
                    count += 1;
                    if told.len() < EVENTS_TOLD_MAX {
                        told.push(EventRefusal { index, reason: reason.as_str(), detail });
                    }
                }
            }
        }
        match told.first().cloned() {
            None => Ok(routed),
            Some(first) => Err(Refusal::Events { count, of: events.len(), first, told }.into()),
        }
    }

    /// The stream and array of an event, or the reason for which the fold would put it aside. What only the log can say (a repetition,
    /// a conflict, late, in the future) is left to the fold.
    fn one<'b>(&self, headers: &[(&str, &[u8])], value: &'b [u8]) -> Result<Routed<'b>, Unrouted> {
        let record = form::record(headers, value);
        let event = decode(&record, &Limits::default())?;
        if let Sends::Of(own) = self.sends
            && *own != event.provider
        {
            let detail = format!("it names the provider {}, and this token sends events of {own} only", event.provider);
            return Err(Unrouted::Event(Reason::ForeignProvider, detail));
        }
        let stream = stream::of(self.register, &event.provider, self.shared)?;
        // a stream may have narrower limits than the decoder
        let limits = Limits {
            event_bytes: usize::try_from(stream.max_event_bytes).unwrap_or(usize::MAX),
            readings: stream.max_event_readings as usize,
            id_bytes: stream.max_id_bytes as usize,
        };
        if limits != Limits::default() {
            decode(&record, &limits)?;
        }
        Ok(Routed { stream, array: event.array.into_owned(), value })
    }
}
