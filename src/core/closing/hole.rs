//! What keeps a period from closing, in words (DESIGN §7). Refusing to close with a known hole is a feature.

use std::fmt;

use crate::core::billing::gap::ArrayGap;
use crate::core::pricing::decimal::Decimal;
use crate::core::word::{Instant, Offset, Partition, StreamId};

/// One reason why a period cannot be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hole {
    /// It has not ended.
    NotEnded {
        /// When it does.
        end: Instant,
    },
    /// Its grace still runs.
    Grace {
        /// Until then.
        until: Instant,
    },
    /// A partition's ledger does not reach far enough.
    Behind {
        /// The stream.
        stream: StreamId,
        /// The partition.
        partition: Partition,
        /// Up to when it is durable; none if nothing of it is.
        at: Option<Instant>,
        /// Up to when it has to be.
        needs: Instant,
    },
    /// A partition of a closed generation is not folded to its end.
    Unfinished {
        /// The stream.
        stream: StreamId,
        /// The partition.
        partition: Partition,
        /// Where it is.
        at: Offset,
        /// Where it ends.
        end: Offset,
    },
    /// Nothing that may hold records of the provider was ever opened, and its contracts price usage.
    NoStream {
        /// Whose.
        provider: String,
    },
    /// No partition that may hold records of the provider has a checkpoint: no close has anything to rest on yet. Or nothing was ever sent
    /// to any of them, and its contracts price usage.
    NoCheckpoint {
        /// Whose.
        provider: String,
        /// Whether nothing was ever sent.
        is_empty: bool,
    },
    /// Workers have not taken in a decision that concerns the provider.
    Undecided {
        /// Up to which decision all checkpoints have read.
        at: Offset,
        /// The last one that concerns the provider.
        decision: Offset,
    },
    /// Events of the provider were put aside and nobody has decided what becomes of them.
    Quarantined {
        /// The array that they name; none where they name none.
        array: Option<String>,
        /// How many.
        events: u64,
        /// Why, by count.
        reasons: Vec<String>,
    },
    /// Events that were sent again and are not folded yet.
    Resent {
        /// How many.
        events: u64,
    },
    /// Too little of what a wholesale line prices was measured.
    Coverage {
        /// The contract.
        contract: String,
        /// The line.
        line: String,
        /// What was measured.
        coverage: Decimal,
        /// What the contract asks for.
        needs: Decimal,
        /// Arrays of which most is missing.
        arrays: Vec<ArrayGap>,
        /// How many more have gaps.
        others: usize,
    },
    /// Nothing that a wholesale contract prices was measured (PRICING §16).
    NoUsage {
        /// The contract.
        contract: String,
        /// What it bills all the same, in words.
        bills: String,
    },
    /// A day's buckets are not known to be what the ledger says.
    Audit {
        /// The array.
        array: String,
        /// The day, in UTC.
        day: String,
        /// Why.
        why: String,
    },
    /// An earlier draft of a contract that would be corrected is neither issued nor discarded.
    DraftWaits {
        /// The contract.
        contract: String,
        /// The draft's short id.
        draft: String,
    },
}

impl Hole {
    /// The kind's name: what an override names.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Hole::NotEnded { .. } => "not_ended",
            Hole::Grace { .. } => "grace",
            Hole::Behind { .. } | Hole::Unfinished { .. } => "behind",
            Hole::NoStream { .. } => "no_stream",
            Hole::NoCheckpoint { .. } => "no_checkpoint",
            Hole::Undecided { .. } => "undecided",
            Hole::Quarantined { .. } | Hole::Resent { .. } => "quarantine",
            Hole::Coverage { .. } => "coverage",
            Hole::NoUsage { .. } => "no_usage",
            Hole::Audit { .. } => "audit",
            Hole::DraftWaits { .. } => "draft_waits",
        }
    }

    /// Of too little coverage: the arrays of which most is missing.
    #[must_use]
    pub fn arrays(&self) -> &[ArrayGap] {
        if let Hole::Coverage { arrays, .. } = self { arrays } else { &[] }
    }

    /// Whether folding on mends it, without anybody.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Hole::Behind { .. }
                | Hole::Unfinished { .. }
                | Hole::NoCheckpoint { is_empty: false, .. }
                | Hole::Undecided { .. }
                | Hole::Resent { .. }
        )
    }

    /// Whether somebody may close in spite of it, with a reason on record. What is not over cannot be closed, nor what lies in the log and no
    /// checkpoint says anything of; what was decided cannot be passed over, and a draft that waits leaves open what a correction is the difference to.
    #[must_use]
    pub fn is_waivable(&self) -> bool {
        !matches!(
            self,
            Hole::NotEnded { .. }
                | Hole::NoCheckpoint { is_empty: false, .. }
                | Hole::Undecided { .. }
                | Hole::DraftWaits { .. }
        )
    }
}

/// Whether a hole does not count, since a decision waives its kind.
#[must_use]
pub fn is_waived(hole: &Hole, waived: &[&str]) -> bool {
    hole.is_waivable() && waived.contains(&hole.kind())
}

impl fmt::Display for Hole {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hole::NotEnded { end } => write!(out, "the period ends at {end}"),
            Hole::Grace { until } => write!(out, "grace runs until {until}"),
            Hole::Behind { stream, partition, at: Some(at), needs } => {
                write!(out, "partition {} of {stream} is at {at}, needs {needs}", partition.0)
            }
            Hole::Behind { stream, partition, at: None, needs } => {
                write!(out, "nothing of partition {} of {stream} is folded, needs {needs}", partition.0)
            }
            Hole::Unfinished { stream, partition, at, end } => {
                write!(out, "partition {} of {stream} is at offset {}, needs {}", partition.0, at.0, end.0)
            }
            Hole::NoStream { provider } => write!(
                out,
                "no stream that may hold usage of {provider} was ever opened: open one with `plimsoll stream open NAME --provider {provider} --partitions N`"
            ),
            Hole::NoCheckpoint { provider, is_empty: false } => {
                write!(out, "no stream that may hold usage of {provider} has a checkpoint: `plimsoll run` writes one")
            }
            Hole::NoCheckpoint { provider, is_empty: true } => write!(
                out,
                "nothing was ever sent to a stream that may hold usage of {provider}, whose contracts price some: look whether its producers send"
            ),
            Hole::Undecided { at, decision } => write!(
                out,
                "decision {} concerns the provider, and checkpoints have read decisions below {} only: `plimsoll run` takes it in",
                decision.0, at.0
            ),
            Hole::Quarantined { array, events, reasons } => {
                let none = if *events == 1 { "that names no array" } else { "that name no array" };
                let of = array.as_ref().map_or(none.to_owned(), |array| format!("of array {array}"));
                write!(out, "{events} quarantined {} {of}: {}", word(*events), reasons.join(", "))
            }
            Hole::Resent { events } => write!(out, "{events} {} sent again and not folded yet", word(*events)),
            Hole::Coverage { contract, line, coverage, needs, arrays, others } => {
                write!(out, "coverage {coverage} of line {line} of {contract} is below {needs}")?;
                let arrays: Vec<String> = arrays.iter().map(ToString::to_string).collect();
                if !arrays.is_empty() {
                    write!(out, ": {}", arrays.join(", "))?;
                }
                if *others > 0 { write!(out, " and {others} more") } else { Ok(()) }
            }
            Hole::NoUsage { contract, bills } => write!(out, "no usage of contract {contract} in this period: {bills}"),
            Hole::Audit { array, day, why } => write!(out, "array {array} on {day}: {why}"),
            Hole::DraftWaits { contract, draft } => {
                write!(out, "draft {draft} of {contract} waits: issue or discard it first")
            }
        }
    }
}

fn word(events: u64) -> &'static str {
    if events == 1 { "event" } else { "events" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::at;

    #[test]
    fn each_hole_is_told_in_words() {
        let (stream, partition) = (StreamId("usage-1".to_owned()), Partition(3));
        let (midnight, noon) = (at("2026-11-01T00:00:00Z"), at("2026-10-31T12:04:00Z"));
        let decimal = |text| Decimal::parse(text).unwrap();
        let name = |text: &str| text.to_owned();
        let gap = |array, silent_since: Option<&str>| ArrayGap {
            array: name(array),
            coverage: name("0.7"),
            silent_since: silent_since.map(str::to_owned),
        };
        let holes = [
            Hole::NotEnded { end: midnight },
            Hole::Grace { until: midnight },
            Hole::Behind { stream: stream.clone(), partition, at: Some(noon), needs: midnight },
            Hole::Behind { stream: stream.clone(), partition, at: None, needs: midnight },
            Hole::Unfinished { stream, partition, at: Offset(5), end: Offset(9) },
            Hole::NoStream { provider: name("p") },
            Hole::NoCheckpoint { provider: name("p"), is_empty: false },
            Hole::NoCheckpoint { provider: name("p"), is_empty: true },
            Hole::Undecided { at: Offset(4), decision: Offset(6) },
            Hole::Quarantined { array: Some(name("X")), events: 2, reasons: vec![name("2 conflict")] },
            Hole::Quarantined { array: None, events: 1, reasons: vec![name("1 undecodable")] },
            Hole::Resent { events: 1 },
            Hole::Coverage {
                contract: name("c"),
                line: name("block"),
                coverage: decimal("0.91"),
                needs: decimal("0.95"),
                arrays: vec![gap("FA-2", Some("2026-10-28")), gap("FA-3", None)],
                others: 4,
            },
            Hole::NoUsage { contract: name("c"), bills: name("it bills 500.00 EUR all the same (minimum 500.00)") },
            Hole::Audit { array: name("X"), day: name("2026-10-03"), why: name("not audited yet") },
            Hole::DraftWaits { contract: name("c"), draft: name("3f1c") },
        ];
        // an earlier period that only waits for workers keeps the later ones waiting
        let passing: Vec<&str> = holes.iter().filter(|hole| hole.passes()).map(Hole::kind).collect();
        assert_eq!(passing, ["behind", "behind", "behind", "no_checkpoint", "undecided", "quarantine"]);
        let told: Vec<String> =
            holes.iter().map(|hole| format!("{} {}: {hole}", hole.kind(), u8::from(hole.is_waivable()))).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        not_ended 0: the period ends at 2026-11-01T00:00:00Z
        grace 1: grace runs until 2026-11-01T00:00:00Z
        behind 1: partition 3 of usage-1 is at 2026-10-31T12:04:00Z, needs 2026-11-01T00:00:00Z
        behind 1: nothing of partition 3 of usage-1 is folded, needs 2026-11-01T00:00:00Z
        behind 1: partition 3 of usage-1 is at offset 5, needs 9
        no_stream 1: no stream that may hold usage of p was ever opened: open one with `plimsoll stream open NAME --provider p --partitions N`
        no_checkpoint 0: no stream that may hold usage of p has a checkpoint: `plimsoll run` writes one
        no_checkpoint 1: nothing was ever sent to a stream that may hold usage of p, whose contracts price some: look whether its producers send
        undecided 0: decision 6 concerns the provider, and checkpoints have read decisions below 4 only: `plimsoll run` takes it in
        quarantine 1: 2 quarantined events of array X: 2 conflict
        quarantine 1: 1 quarantined event that names no array: 1 undecodable
        quarantine 1: 1 event sent again and not folded yet
        coverage 1: coverage 0.91 of line block of c is below 0.95: array FA-2 silent since 2026-10-28 (0.7), array FA-3 with gaps (0.7) and 4 more
        no_usage 1: no usage of contract c in this period: it bills 500.00 EUR all the same (minimum 500.00)
        audit 1: array X on 2026-10-03: not audited yet
        draft_waits 0: draft 3f1c of c waits: issue or discard it first
        ");
        assert!(is_waived(&holes[1], &["grace"]) && !is_waived(&holes[0], &["not_ended"]));
        assert!(!is_waived(&holes[9], &["grace"]));
    }
}
