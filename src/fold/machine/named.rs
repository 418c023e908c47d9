//! The decision that a record's header names.

use crate::core::decision::{Decision, Recorded};
use crate::core::event::{DecisionName, decision_header};
use crate::core::ledger::digest::raw_hash;
use crate::core::ledger::judge::{LogRecord, NamedDecision};
use crate::core::word::Offset;
use crate::fold::error::SeamError;
use crate::fold::seam::ControlLog;
use crate::mutation::{Mutation, planted};

/// What the decision in a record's header means for it. Control is read to its end first if the decision lies further than was
/// read: the record came after the decision, so the decision is there to be seen. A decision that is made later at the offset that a
/// header names has another hash, so what a header means never changes.
///
/// # Errors
/// Retryable while the control log is away.
pub fn named_decision(control: &mut impl ControlLog, record: &LogRecord<'_>) -> Result<NamedDecision, SeamError> {
    let DecisionName { offset, hash } = match decision_header(&record.raw) {
        None => return Ok(NamedDecision::None),
        Some(None) => return Ok(NamedDecision::Unmatched),
        Some(Some(named)) => named,
    };
    let offset = Offset(offset);
    let is_named = |recorded: &str| recorded == hash || planted(Mutation::DecisionByOffsetAlone);
    let said = format!("{:032x}", raw_hash(record.raw.headers, record.raw.value));
    Ok(match control.decision(offset)? {
        _ if planted(Mutation::RetryWithoutDecision) => NamedDecision::Matching(offset),
        Some(Recorded { decision: Decision::RecordResent { raw_hash, .. }, hash })
            if raw_hash == said && is_named(&hash) =>
        {
            NamedDecision::Matching(offset)
        }
        _ => NamedDecision::Unmatched,
    })
}
