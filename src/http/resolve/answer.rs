//! What is answered: record by record, and how many had which outcome.

use serde::Serialize;
use utoipa::ToSchema;

use super::question::Resolve;
use crate::clickhouse::read::aside::AsideRow;
use crate::quarantine::Outcome;

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resolved {
    /// Whether nothing was done.
    dry_run: bool,
    /// By outcome.
    pub(super) counts: ResolvedCounts,
    /// Record by record, by position.
    data: Vec<ResolvedRecord>,
    /// For the next portion; null after the last.
    next_cursor: Option<String>,
}

/// How many records had which outcome.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ResolvedCounts {
    decided: usize,
    sent_again: usize,
    resolved_before: usize,
    accepted_already: usize,
    not_found: usize,
}

/// One record's outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResolvedRecord {
    /// STREAM/PARTITION/OFFSET.
    position: String,
    /// What was done, or would be.
    outcome: ResolvedAs,
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResolveOutcome)]
pub enum ResolvedAs {
    /// It is decided now, and sent if that is the decision.
    Decided,
    /// It was decided before and not met by a worker yet: it is sent once more under the same decision.
    SentAgain,
    /// It was resolved before.
    ResolvedBefore,
    /// An event of its identity is accepted already: it is left alone.
    AcceptedAlready,
    /// No such record was put aside, or it is another's.
    NotFound,
}

impl Resolved {
    /// The answer about a portion.
    pub(super) fn of(body: &Resolve, dry_run: bool, data: &[(AsideRow, Outcome)], next_cursor: Option<String>) -> Self {
        let mut records: Vec<ResolvedRecord> = data
            .iter()
            .map(|(row, outcome)| ResolvedRecord {
                position: row.label(),
                outcome: match outcome {
                    Outcome::Decided => ResolvedAs::Decided,
                    Outcome::SentAgain => ResolvedAs::SentAgain,
                    Outcome::ResolvedBefore => ResolvedAs::ResolvedBefore,
                    Outcome::AcceptedAlready => ResolvedAs::AcceptedAlready,
                },
            })
            .collect();
        // of positions that go on in another portion nobody can say yet
        if next_cursor.is_none() && body.cursor.is_none() {
            let missing =
                body.positions.iter().flatten().filter(|asked| !data.iter().any(|(row, _)| row.label() == **asked));
            let missing =
                missing.map(|asked| ResolvedRecord { position: asked.clone(), outcome: ResolvedAs::NotFound });
            records.extend(missing.collect::<Vec<_>>());
        }
        let mut counts = ResolvedCounts::default();
        for record in &records {
            match record.outcome {
                ResolvedAs::Decided => counts.decided += 1,
                ResolvedAs::SentAgain => counts.sent_again += 1,
                ResolvedAs::ResolvedBefore => counts.resolved_before += 1,
                ResolvedAs::AcceptedAlready => counts.accepted_already += 1,
                ResolvedAs::NotFound => counts.not_found += 1,
            }
        }
        Self { dry_run, counts, data: records, next_cursor }
    }
}
