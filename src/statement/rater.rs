//! Rates contracts on demand from the newest published book.

use super::StatementError;
use crate::clickhouse::Client;
use crate::clickhouse::read::{book, rating};
use crate::core::billing::document::Document;
use crate::core::billing::proof::{CutPoint, Proof, Versions};
use crate::core::billing::statement::document;
use crate::core::book::Book;
use crate::core::book::model::{Buyer, Contract, Seller};
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::{Period, period};
use crate::core::pricing::rating::rate;
use crate::core::pricing::selection::selections;

/// The version of pricing that this build implements.
pub const RATE_VERSION: u32 = 1;

/// A book, and the database that it rates from.
#[derive(Clone, Debug)]
pub struct Rater {
    client: Client,
    book: Book,
    hash: String,
    after: u64,
}

impl Rater {
    /// A rater with the newest book that is mirrored.
    ///
    /// # Errors
    /// If none is published; the server's.
    pub async fn newest(client: &Client) -> Result<Self, StatementError> {
        let offset = book::newest_offset(client).await?.ok_or(StatementError::NoBook)?;
        let published = book::read(client, offset).await?;
        let book = Book::from_canonical(&published.book).map_err(StatementError::Book)?;
        let after = rating::next_decision(client).await?;
        Ok(Self { client: client.clone(), book, hash: published.hash, after })
    }

    /// The book.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    fn contract(&self, id: &str) -> Result<&Contract, StatementError> {
        self.book.contracts.get(id).ok_or_else(|| StatementError::NoContract(id.to_owned()))
    }

    /// The statement of a contract (of a `"*"` contract: for one customer, by id or unknown tag) in the period with this label.
    ///
    /// # Errors
    /// What is unknown, what cannot be priced, and the server's.
    pub async fn statement(
        &self,
        contract: &str,
        customer: Option<&str>,
        label: &str,
    ) -> Result<Document, StatementError> {
        let terms = self.contract(contract)?;
        if terms.buyer == Buyer::EachCustomer && customer.is_none() {
            return Err(StatementError::CustomerNeeded(contract.to_owned()));
        }
        let period = period(terms, label)?;
        // the vector first: buckets may be newer than it says, never older
        let cut = rating::vector(&self.client).await?;
        let cut = cut.into_iter().map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect();
        let mut usages = Vec::new();
        for selection in selections(&self.book, contract, customer, &period)? {
            usages.push(rating::line_usage(&self.client, &selection).await?);
        }
        let rating = rate(&self.book, contract, customer, &period, &usages)?;
        let proof = Proof { cut, after: self.after, versions: Versions { fold: FOLD_VERSION, rate: RATE_VERSION } };
        Ok(document(&self.book, &self.hash, contract, customer, &period, &rating, &proof)?)
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
        let tags = rating::tags(&self.client, provider, period.start, period.end).await?;
        let mut customers: Vec<String> = Vec::new();
        for tag in tags.into_iter().filter(|tag| !tag.is_empty()) {
            let known =
                self.book.customers.iter().find(|(_, known)| known.provider == *provider && known.tags.contains(&tag));
            let customer = known.map_or(tag, |(id, _)| id.clone());
            if !customers.contains(&customer) && self.is_rated(contract, &customer, &period)? {
                customers.push(customer);
            }
        }
        customers.sort();
        Ok(customers)
    }

    fn is_rated(&self, contract: &str, customer: &str, period: &Period) -> Result<bool, StatementError> {
        match selections(&self.book, contract, Some(customer), period) {
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
        let wholesale = self.book.contracts.iter().filter(|(_, contract)| buys(contract));
        let retail = self.book.contracts.iter().filter(|(_, contract)| sells(contract));
        wholesale.chain(retail).map(|(id, _)| id.clone()).collect()
    }

    /// All statements of one contract: one, or one for each customer of a `"*"` contract. None where the contract is not in force.
    ///
    /// # Errors
    /// What cannot be priced, and the server's.
    pub async fn statements(&self, contract: &str, label: &str) -> Result<Vec<Document>, StatementError> {
        let mut documents = Vec::new();
        if self.contract(contract)?.buyer == Buyer::EachCustomer {
            for customer in self.customers(contract, label).await? {
                documents.push(self.statement(contract, Some(&customer), label).await?);
            }
        } else {
            documents.push(self.statement(contract, None, label).await?);
        }
        Ok(documents)
    }
}
