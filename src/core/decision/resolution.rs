//! What was decided about records that were put aside: the first decision about a position counts (DESIGN §3).

use std::collections::BTreeMap;

use super::Decision;
use crate::core::word::{Offset, Partition, StreamId};

/// Where a record lies.
pub type Position = (StreamId, Partition, Offset);

/// What was decided about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The decision's own offset in the control log.
    pub decision: Offset,
    /// Whether the record is sent again; else it was discarded.
    pub resent: bool,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub actor: String,
}

/// The resolutions among decisions in the order of the log.
pub fn resolutions<'d>(decisions: impl Iterator<Item = (Offset, &'d Decision)>) -> BTreeMap<Position, Resolution> {
    let mut resolved = BTreeMap::new();
    for (at, decision) in decisions {
        let (Decision::RecordResent { stream, partition, offset, reason, actor, .. }
        | Decision::RecordDiscarded { stream, partition, offset, reason, actor, .. }) = decision
        else {
            continue;
        };
        let resent = matches!(decision, Decision::RecordResent { .. });
        let resolution = Resolution { decision: at, resent, reason: reason.clone(), actor: actor.clone() };
        resolved.entry((stream.clone(), *partition, *offset)).or_insert(resolution);
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_decision_about_a_record_counts() {
        let (stream, partition, offset) = (StreamId("usage-1".to_owned()), Partition(2), Offset(7));
        let (raw_hash, actor) = ("00".to_owned(), "me".to_owned());
        let discarded = |reason: &str| Decision::RecordDiscarded {
            stream: stream.clone(),
            partition,
            offset,
            raw_hash: raw_hash.clone(),
            reason: reason.to_owned(),
            actor: actor.clone(),
        };
        let resent = Decision::RecordResent {
            stream: stream.clone(),
            partition,
            offset,
            raw_hash: raw_hash.clone(),
            reason: "again".to_owned(),
            actor: actor.clone(),
            nonce: String::new(),
        };
        let decisions = [discarded("noise"), resent, discarded("noise again")];
        let found = resolutions(decisions.iter().enumerate().map(|(at, decision)| (Offset(at as u64), decision)));
        let resolution = &found[&(stream, partition, offset)];
        assert_eq!((found.len(), resolution.resent, &*resolution.reason), (1, false, "noise"));
    }
}
