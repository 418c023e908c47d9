//! Who has a statement: contracts, and of those for each customer whoever has a reading that no other contract covers.

use serde::{Deserialize, Serialize};

use super::{Rater, StatementError};
use crate::clickhouse::read::rating;
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Contract, Seller};
use crate::core::decision::closing::DraftKey;
use crate::core::pricing::error::RateError;
use crate::core::pricing::party;
use crate::core::pricing::period::{Period, period};
use crate::core::pricing::selection::selections;

/// What has a statement of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The contract.
    pub contract: String,
    /// The customer of a `"*"` contract, by id or unknown tag.
    pub customer: Option<String>,
}

impl Place {
    /// The draft that a close made of it.
    #[must_use]
    pub fn draft(&self, rating_id: &str) -> DraftKey {
        let Self { contract, customer } = self.clone();
        DraftKey { rating_id: rating_id.to_owned(), contract, customer }
    }

    /// Its customer as tables have it: empty where the contract has one buyer.
    #[must_use]
    pub fn customer(&self) -> &str {
        self.customer.as_deref().unwrap_or_default()
    }

    /// The place of which a draft is.
    #[must_use]
    pub fn of(draft: &DraftKey) -> Self {
        Self { contract: draft.contract.clone(), customer: draft.customer.clone() }
    }
}

impl Rater {
    /// The place of one statement.
    ///
    /// # Errors
    /// Whoever has no document there, and the server's.
    pub async fn place(&self, contract: &str, customer: Option<&str>, label: &str) -> Result<Place, StatementError> {
        if let (Buyer::EachCustomer, Some(customer)) = (&self.contract(contract)?.buyer, customer) {
            self.has_document(contract, customer, label).await?;
        }
        Ok(Place { contract: contract.to_owned(), customer: customer.map(str::to_owned) })
    }

    /// Refuses who is no customer of a `"*"` contract in a period: a claimed tag stands for its customer, and without a reading there is
    /// no document.
    async fn has_document(&self, contract: &str, customer: &str, label: &str) -> Result<(), StatementError> {
        let provider = party::provider(self.contract(contract)?);
        if let Some(owner) = claim::owners(self.book(), provider).get(customer).filter(|owner| **owner != customer) {
            return Err(StatementError::Tag { tag: customer.to_owned(), customer: (*owner).to_owned() });
        }
        if self.customers(contract, label).await?.iter().any(|one| one == customer) {
            return Ok(());
        }
        let (contract, customer, label) = (contract.to_owned(), customer.to_owned(), label.to_owned());
        Err(StatementError::NoReading { contract, customer, label })
    }

    /// The customers for whom a `"*"` contract has a statement: those with a reading in the period whom no other contract then in
    /// force names. Unknown tags stand for themselves.
    ///
    /// # Errors
    /// What is unknown, and the server's.
    pub async fn customers(&self, contract: &str, label: &str) -> Result<Vec<String>, StatementError> {
        let terms = self.contract(contract)?;
        let Seller::Provider(provider) = &terms.seller else { return Ok(Vec::new()) };
        let period = period(terms, label)?;
        let tags = rating::tags(self.client(), provider, period.start, period.end).await?;
        let owners = claim::owners(self.book(), provider);
        let mut customers: Vec<String> = Vec::new();
        for tag in tags.into_iter().filter(|tag| !tag.is_empty()) {
            let customer = owners.get(&tag).map_or(tag.clone(), |owner| (*owner).to_owned());
            if !customers.contains(&customer) && self.is_rated(contract, &customer, &period)? {
                customers.push(customer);
            }
        }
        customers.sort();
        Ok(customers)
    }

    fn is_rated(&self, contract: &str, customer: &str, period: &Period) -> Result<bool, StatementError> {
        match selections(self.book(), contract, Some(customer), period) {
            Ok(_) => Ok(true),
            Err(RateError::NotInForce { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The contracts in which a provider buys or sells, wholesale first.
    #[must_use]
    pub fn contracts_of(&self, provider: &str) -> Vec<String> {
        let buys = |contract: &Contract| contract.buyer == Buyer::Provider(provider.to_owned());
        let sells = |contract: &Contract| contract.seller == Seller::Provider(provider.to_owned());
        let wholesale = self.book().contracts.iter().filter(|(_, contract)| buys(contract));
        let retail = self.book().contracts.iter().filter(|(_, contract)| sells(contract));
        wholesale.chain(retail).map(|(id, _)| id.clone()).collect()
    }

    /// What has a statement of its own: each contract, and each customer of a `"*"` contract.
    ///
    /// # Errors
    /// What is unknown, and the server's.
    pub async fn places(&self, contracts: &[String], label: &str) -> Result<Vec<Place>, StatementError> {
        let mut places = Vec::new();
        for contract in contracts {
            if self.contract(contract)?.buyer == Buyer::EachCustomer {
                let customers = self.customers(contract, label).await?.into_iter().map(Some);
                places.extend(customers.map(|customer| Place { contract: contract.clone(), customer }));
            } else {
                places.push(Place { contract: contract.clone(), customer: None });
            }
        }
        Ok(places)
    }
}
