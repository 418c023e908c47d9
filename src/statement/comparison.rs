//! The same usage rated under two books, some contracts of one period at a time.

use std::collections::BTreeMap;

use super::{Rater, StatementError};
use crate::core::billing::document::Document;
use crate::core::billing::effect::{AmountError, ClosedPeriod, Effect, effect};
use crate::core::book::Book;
use crate::core::pricing::error::RateError;

/// How often two ratings are made while usage is folded between them: where it never stops, the second answer has to do.
const TRIES: usize = 2;

/// Contracts that are compared at a time: the bound of the documents in memory.
pub const AT_ONCE: usize = 64;

/// A contract, and the effects on its statements or why there are none.
pub type Compared = (String, Result<Vec<Effect>, ComparisonError>);

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

    /// The effects on the statements of contracts in the period with this label, in the order of the contracts. The usage of all of
    /// them is read together, so give at most [`AT_ONCE`] of them.
    ///
    /// # Errors
    /// The server's; what cannot be rated of one contract stands beside it.
    pub async fn effects(
        &self,
        contracts: &[String],
        label: &str,
        closed: &[ClosedPeriod],
    ) -> Result<Vec<Compared>, ComparisonError> {
        let (mut now, mut then) = (Statements::new(), Statements::new());
        for _ in 0..TRIES {
            now = statements(&self.now, contracts, label).await?;
            then = statements(&self.then, contracts, label).await?;
            // usage that came between the two would look like an effect of the book
            let documents = now.values().chain(then.values()).flatten().flatten();
            let mut cuts = documents.map(|document| &document.proof.cut);
            let first = cuts.next();
            if cuts.all(|cut| Some(cut) == first) {
                break;
            }
        }
        let compared = |contract: &String| {
            let now = now.remove(contract).unwrap_or_else(|| Ok(Vec::new()));
            let then = then.remove(contract).unwrap_or_else(|| Ok(Vec::new()));
            let effects = now.and_then(|now| Ok((now, then?))).map_err(ComparisonError::from);
            (contract.clone(), effects.and_then(|(now, then)| Ok(effect(&now, &then, closed)?)))
        };
        Ok(contracts.iter().map(compared).collect())
    }
}

/// Statements by contract, or why there are none.
type Statements = BTreeMap<String, Result<Vec<Document>, StatementError>>;

/// The statements under one book; none where it has no such contract, or not in this period.
async fn statements(rater: &Rater, contracts: &[String], label: &str) -> Result<Statements, StatementError> {
    let known: Vec<String> =
        contracts.iter().filter(|contract| rater.book().contracts.contains_key(*contract)).cloned().collect();
    let mut statements: Statements = known.iter().map(|contract| (contract.clone(), Ok(Vec::new()))).collect();
    let places = rater.places(&known, label).await?;
    rater
        .each(&places, label, |place, document| {
            let of_contract = statements.entry(place.contract.clone()).or_insert_with(|| Ok(Vec::new()));
            match (document, &mut *of_contract) {
                (Ok(document), Ok(documents)) => documents.push(document),
                (Err(StatementError::Rate(RateError::NotInForce { .. })), _) | (Ok(_), Err(_)) => {}
                (Err(error), _) => *of_contract = Err(error),
            }
            Ok::<(), StatementError>(())
        })
        .await?;
    Ok(statements)
}
