//! What a proof found.

use serde::Serialize;

use super::difference::{Difference, MAX_LISTED};
use super::usage::Effort;
use crate::clickhouse::proof::ProofRow;
use crate::clickhouse::read::hole::Hole;
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::metrics::Metrics;
use crate::remeter::Position;
use crate::statement::Place;

/// One document, held against what was computed again.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The contract and customer.
    #[serde(flatten)]
    pub place: Place,
    /// The month in which its period begins.
    pub period: String,
    /// Its number, if it is issued.
    pub number: Option<String>,
    /// Whether everything is equal.
    pub proven: bool,
    /// The stored document's digest.
    pub digest: Option<String>,
    /// The digest of what was computed.
    pub computed: Option<String>,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Why it could not even be computed.
    pub refusal: Option<String>,
}

/// An event whose row in the ledger does not say any more what was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Altered {
    /// The stream.
    pub stream: StreamId,
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
}

/// What was read of the ledger, and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// How much.
    pub effort: Effort,
    /// The first [`MAX_LISTED`] rows that were altered.
    pub altered: Vec<Altered>,
}

impl Read {
    /// Notes rows that were altered, and how much has been read with them.
    pub fn take(&mut self, altered: &[(Position, Instant)], effort: Effort) {
        for ((stream, partition, offset), _) in altered {
            let row = Altered { stream: stream.clone(), partition: *partition, offset: *offset };
            // the hold before a chunk is read with two of them
            if self.altered.len() < MAX_LISTED && !self.altered.contains(&row) {
                self.altered.push(row);
            }
        }
        self.effort = effort;
    }
}

/// All documents that were looked at together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proof {
    /// Each of them.
    pub verdicts: Vec<Verdict>,
    /// Where the ledger lacks rows that a checkpoint counted: looked for if something differs.
    pub holes: Vec<Hole>,
    /// Rows of the ledger that do not say any more what was accepted: nothing is proven by them.
    pub altered: Vec<Altered>,
    /// What was read.
    pub effort: Effort,
    /// In how many seconds.
    pub seconds: f64,
}

impl Proof {
    /// Whether all of it is proven.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.altered.is_empty() && self.verdicts.iter().all(|verdict| verdict.proven)
    }

    /// Tells how many documents are proven and how many are not, beside those that were told before.
    pub fn tell(&self, metrics: &Metrics) {
        metrics.proved(self.verdicts.iter().filter(|verdict| verdict.proven).count(), self.verdicts.len());
    }

    /// What is stored of it, as the proof of a whole close at an instant.
    #[must_use]
    pub fn row(&self, rating_id: &str, at: Instant) -> ProofRow {
        ProofRow {
            rating_id: rating_id.to_owned(),
            proved_at: at.0,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            documents: self.verdicts.len() as u64,
            proven: self.verdicts.iter().filter(|verdict| verdict.proven).count() as u64,
            altered: self.altered.len() as u64,
        }
    }

    /// Notes rows that were altered, each once.
    pub fn altered(&mut self, rows: Vec<Altered>) {
        let new = rows.into_iter().filter(|row| !self.altered.contains(row)).collect::<Vec<_>>();
        self.altered.extend(new);
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.verdicts.extend(other.verdicts);
        self.holes.extend(other.holes);
        self.altered(other.altered);
        self.effort = self.effort.plus(other.effort);
        self.seconds += other.seconds;
        self
    }

    /// Readings that were metered in a second.
    #[must_use]
    pub fn readings_per_second(&self) -> f64 {
        self.effort.readings as f64 / self.seconds.max(1e-9)
    }
}
