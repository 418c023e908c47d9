//! What is read of the ledger, held against the checkpoints that vouch for it.

use super::checkpoint::Checkpoint;
use super::error::SeamError;
use super::ledger::LedgerSpan;
use super::seam::Store;
use crate::core::ledger::digest::SpanDigest;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{HOUR_MS, Partition};
use crate::mutation::{Mutation, planted};

/// How far back the ledger is verified against its checkpoints when a partition is taken over, in milliseconds of log time.
pub const VERIFY_MS: i64 = HOUR_MS;

/// Compares the ledger with the counts and digests of the checkpoints: a set that is not whole would accept a duplicate.
pub(super) fn verify(
    store: &mut dyn Store,
    rules: &StreamRules,
    partition: Partition,
    checkpoints: &[Checkpoint],
) -> Result<(), SeamError> {
    for checkpoint in checkpoints.iter().filter(|_| !planted(Mutation::LaggingReplicaTrusted)) {
        let (mut digest, mut rows) = (SpanDigest::default(), 0u64);
        let span = LedgerSpan { rules, partition, from: checkpoint.from, below: checkpoint.next };
        store.rows(span, &mut |row| {
            digest.add(row.offset, row.disposition, row.identity, row.content, row.readings);
            rows += 1;
        })?;
        if rows != checkpoint.consumed
            || (digest.finish() != checkpoint.digest && !planted(Mutation::DigestNotVerified))
        {
            return Err(SeamError::retryable(format!(
                "{}: the ledger has {rows} rows in [{}, {}) where its checkpoint counted {}: waiting for the replica to catch up; if \
                 it does not, rows were lost: run an audit",
                rules.label(partition),
                checkpoint.from.0,
                checkpoint.next.0,
                checkpoint.consumed
            )));
        }
    }
    Ok(())
}
