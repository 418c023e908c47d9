//! The same usage rated under two books, one contract and period at a time.

use super::{Rater, StatementError};
use crate::core::billing::document::Document;
use crate::core::billing::effect::{AmountError, ClosedPeriod, Effect, effect};
use crate::core::book::Book;
use crate::core::pricing::error::RateError;

/// How often two ratings are made while usage is folded between them: where it never stops, the second answer has to do.
const TRIES: usize = 2;

/// Why two books cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// There is no statement under one of them.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Amounts cannot be subtracted.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

impl ComparisonError {
    /// Whether it is the contract that cannot be rated, and not the database that cannot be read.
    #[must_use]
    pub fn is_of_contract(&self) -> bool {
        matches!(self, Self::Amount(_) | Self::Statement(StatementError::Rate(_) | StatementError::Document(_)))
    }
}

/// The book in force and another one.
#[derive(Clone, Debug)]
pub struct Comparison {
    now: Rater,
    then: Rater,
}

impl Comparison {
    /// Compares two raters of one database.
    #[must_use]
    pub fn new(now: Rater, then: Rater) -> Self {
        Self { now, then }
    }

    /// Both books.
    #[must_use]
    pub fn books(&self) -> [&Book; 2] {
        [self.now.book(), self.then.book()]
    }

    /// The contracts of both books in which the provider (or any) buys or sells, sorted.
    #[must_use]
    pub fn contracts(&self, provider: Option<&str>) -> Vec<String> {
        let of = |rater: &Rater| match provider {
            Some(provider) => rater.contracts_of(provider),
            None => rater.book().contracts.keys().cloned().collect(),
        };
        let mut contracts = of(&self.now);
        contracts.extend(of(&self.then));
        contracts.sort();
        contracts.dedup();
        contracts
    }

    /// The effect on a contract's statements in the period with this label.
    ///
    /// # Errors
    /// What cannot be priced, and the server's.
    pub async fn effect(
        &self,
        contract: &str,
        label: &str,
        closed: &[ClosedPeriod],
    ) -> Result<Vec<Effect>, ComparisonError> {
        let (mut now, mut then) = (Vec::new(), Vec::new());
        for _ in 0..TRIES {
            now = statements(&self.now, contract, label).await?;
            then = statements(&self.then, contract, label).await?;
            // usage that came between the two would look like an effect of the book
            let mut cuts = now.iter().chain(&then).map(|document| &document.proof.cut);
            let first = cuts.next();
            if cuts.all(|cut| Some(cut) == first) {
                break;
            }
        }
        Ok(effect(&now, &then, closed)?)
    }
}

/// The statements under one book; none where it has no such contract, or not in this period.
async fn statements(rater: &Rater, contract: &str, label: &str) -> Result<Vec<Document>, StatementError> {
    match rater.statements(contract, label).await {
        Err(StatementError::NoContract(_) | StatementError::Rate(RateError::NotInForce { .. })) => Ok(Vec::new()),
        statements => statements,
    }
}
