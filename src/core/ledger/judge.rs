//! The judge of one partition: gives each record its disposition, in log order.

use super::identity_set::{IdentitySet, Seen, remembered_until};
use super::rules::StreamRules;
use crate::core::event::{Event, RawRecord, Refusal, content, identity, partition_of};
use crate::core::word::{Disposition, Instant, Offset, Partition, Reason};
use crate::mutation::{Mutation, planted};

/// A record of the usage log under its position.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// Its offset.
    pub offset: Offset,
    /// When the broker appended it (LogAppendTime).
    pub append_time: Instant,
    /// What the producer sent.
    pub raw: RawRecord<'a>,
}

/// The decision that a record's header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedDecision {
    /// The record names none.
    None,
    /// It names a decision to send this very record again.
    Matching(Offset),
    /// It names something else, or nothing that exists.
    Unmatched,
}

/// What the judge found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the record.
    pub disposition: Disposition,
    /// The event's identity; 0 where it cannot be known.
    pub identity: u128,
    /// The hash of what is billed of it; 0 where it cannot be known.
    pub content: u64,
}

/// What the dispositions of a partition depend on.
#[derive(Clone, Debug)]
pub struct Judge {
    rules: StreamRules,
    partition: Partition,
    log_time: Instant,
    identities: IdentitySet,
}

impl Judge {
    /// The judge at a position: `log_time` is the greatest append time before it, `identities` those accepted before it.
    #[must_use]
    pub fn new(rules: StreamRules, partition: Partition, log_time: Instant, identities: IdentitySet) -> Self {
        Self { rules, partition, log_time, identities }
    }

    /// The greatest append time so far.
    #[must_use]
    pub fn log_time(&self) -> Instant {
        self.log_time
    }

    /// The identities that are remembered.
    #[must_use]
    pub fn identities(&self) -> &IdentitySet {
        &self.identities
    }

    /// Decides on the next record. An accepted identity is remembered at once.
    pub fn judge(
        &mut self,
        record: &LogRecord<'_>,
        decoded: &Result<Event<'_>, Box<Refusal>>,
        named: NamedDecision,
    ) -> Verdict {
        let said = decoded.as_ref().map_or(record.append_time, |event| event.time);
        let stamp = if planted(Mutation::CreateTimeTrusted) { said } else { record.append_time };
        self.log_time = if planted(Mutation::LogTimeFalls) { stamp } else { self.log_time.max(stamp) };
        self.identities.sweep(self.log_time);
        let event = match decoded {
            Ok(event) => event,
            Err(refusal) => {
                return Verdict { disposition: Disposition::Quarantined(refusal.reason), identity: 0, content: 0 };
            }
        };
        let identity = identity(&event.provider, &event.array, &event.source, &event.id);
        let content = content(event);
        let disposition = self.decide(record, event, identity, content, named);
        Verdict { disposition, identity, content }
    }

    /// The first that applies, in the order of DESIGN §3. An identity that is accepted is remembered in the same look-up.
    fn decide(
        &mut self,
        record: &LogRecord<'_>,
        event: &Event<'_>,
        identity: u128,
        content: u64,
        named: NamedDecision,
    ) -> Disposition {
        let routed = record.raw.key == Some(event.array.as_bytes())
            && partition_of(event.array.as_bytes(), self.rules.partitions) == self.partition;
        if !routed && !planted(Mutation::MisroutedAccepted) {
            return Disposition::Quarantined(Reason::Misrouted);
        }
        if self.rules.provider.as_deref().is_some_and(|own| own != event.provider) {
            return Disposition::Quarantined(Reason::ForeignProvider);
        }
        if named == NamedDecision::Unmatched {
            return Disposition::Quarantined(Reason::UnmatchedRetry);
        }
        let unless_seen = self.by_time(record, event, named);
        if planted(Mutation::LateAcceptTwice) && matches!(named, NamedDecision::Matching(_)) {
            return unless_seen;
        }
        let until = remembered_until(record.append_time, event.time, self.rules.acceptance_window_ms);
        let until = (unless_seen == Disposition::Accepted).then_some(until);
        match self.identities.meet(identity, content, self.log_time, until) {
            Seen::Same => Disposition::Duplicate,
            Seen::Different if planted(Mutation::ConflictAccepted) => unless_seen,
            Seen::Different => Disposition::Quarantined(Reason::Conflict),
            Seen::Never => unless_seen,
        }
    }

    /// What becomes of an event whose identity was not seen: when it was measured decides.
    fn by_time(&self, record: &LogRecord<'_>, event: &Event<'_>, named: NamedDecision) -> Disposition {
        if event.time > record.append_time.plus_ms(self.rules.future_limit_ms) && !planted(Mutation::FutureAccepted) {
            return Disposition::Quarantined(Reason::Future);
        }
        let waived = matches!(named, NamedDecision::Matching(_)) || planted(Mutation::LateAccepted);
        if event.time < self.log_time.plus_ms(-self.rules.acceptance_window_ms) && !waived {
            return Disposition::Late;
        }
        Disposition::Accepted
    }
}
