//! Rates contracts on demand from the newest published book.

use serde::{Deserialize, Serialize};

use super::{StatementError, batch};
use crate::clickhouse::Client;
use crate::clickhouse::read::{book, credits, line_usage, rating};
use crate::core::billing::document::Document;
use crate::core::billing::proof::{CutPoint, Proof, Versions};
use crate::core::billing::statement::document;
use crate::core::book::Book;
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Contract, Seller};
use crate::core::decision::closing::DraftKey;
use crate::core::decision::credit::Grants;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::error::RateError;
use crate::core::pricing::party;
use crate::core::pricing::period::{Period, period};
use crate::core::pricing::rating::rate;
use crate::core::pricing::selection::{LineSelection, selections};
use crate::core::pricing::usage::LineUsage;

/// The version of pricing that this build implements.
pub const RATE_VERSION: u32 = 1;

/// Documents in memory at once.
const BATCH: usize = 4_096;

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

    /// The place of which a draft is.
    #[must_use]
    pub fn of(draft: &DraftKey) -> Self {
        Self { contract: draft.contract.clone(), customer: draft.customer.clone() }
    }
}

/// A book, and the database that it rates from.
#[derive(Clone, Debug)]
pub struct Rater {
    client: Client,
    book: Book,
    hash: String,
    after: u64,
    grants: Grants,
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
        Self::with_book(client, book, published.hash).await
    }

    /// A rater with a book that need not be published.
    ///
    /// # Errors
    /// The server's.
    pub async fn with_book(client: &Client, book: Book, hash: String) -> Result<Self, StatementError> {
        let after = rating::next_decision(client).await?;
        let grants = credits::read(client, after).await?;
        Ok(Self { client: client.clone(), book, hash, after, grants })
    }

    /// The book.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The database that it rates from.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
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
        if self.contract(contract)?.buyer == Buyer::EachCustomer && customer.is_none() {
            return Err(StatementError::CustomerNeeded(contract.to_owned()));
        }
        let place = self.place(contract, customer, label).await?;
        let mut found = None;
        self.each(&[place], label, |_, document| {
            found = Some(document);
            Ok::<(), StatementError>(())
        })
        .await?;
        found.unwrap_or_else(|| Err(StatementError::NoContract(contract.to_owned())))
    }

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
        if let Some(owner) = claim::owners(&self.book, provider).get(customer).filter(|owner| **owner != customer) {
            return Err(StatementError::Tag { tag: customer.to_owned(), customer: (*owner).to_owned() });
        }
        if self.customers(contract, label).await?.iter().any(|one| one == customer) {
            return Ok(());
        }
        let (contract, customer, label) = (contract.to_owned(), customer.to_owned(), label.to_owned());
        Err(StatementError::NoReading { contract, customer, label })
    }

    /// Hands over the statements of many contracts, in order. Their usage is read together, as much at a time as memory may hold;
    /// a contract that cannot be rated does not keep the others from it.
    ///
    /// # Errors
    /// The server's, and what `sink` says.
    pub async fn each<E: From<StatementError>>(
        &self,
        places: &[Place],
        label: &str,
        mut sink: impl FnMut(&Place, Result<Document, StatementError>) -> Result<(), E>,
    ) -> Result<(), E> {
        // the vector first: buckets may be newer than it says, never older
        let cut = rating::vector(&self.client).await.map_err(StatementError::from)?;
        let cut = cut.into_iter().map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect();
        let proof = Proof { cut, after: self.after, versions: Versions { fold: FOLD_VERSION, rate: RATE_VERSION } };
        let mut rest = places;
        while !rest.is_empty() {
            let (wanted, lines) = self.wanted(rest, label);
            let usages = line_usage::read(&self.client, &wanted).await.map_err(StatementError::from)?;
            let mut usages = usages.as_slice();
            let (now, later) = rest.split_at(lines.len());
            rest = later;
            let own = |(place, lines): (_, Result<usize, StatementError>)| {
                (place, lines.map(|lines| usages.split_off(..lines).unwrap_or_default()))
            };
            let mut places = now.iter().zip(lines).map(own);
            loop {
                let batch: Vec<_> = places.by_ref().take(BATCH).collect();
                if batch.is_empty() {
                    break;
                }
                let document = |(place, usages): (_, Result<&[LineUsage], StatementError>)| {
                    (place, usages.and_then(|usages| self.document(place, label, usages, &proof)))
                };
                for (place, document) in batch::on_all_cores(batch, document) {
                    sink(place, document)?;
                }
            }
        }
        Ok(())
    }

    /// What the first of these places ask for, as many of them as may be read at once, and how many lines each of them has.
    fn wanted(&self, places: &[Place], label: &str) -> (Vec<LineSelection>, Vec<Result<usize, StatementError>>) {
        let (mut wanted, mut slots, mut lines) = (Vec::new(), 0, Vec::new());
        for place in places {
            let asked = self.asked(place, label);
            slots += asked.iter().flatten().map(line_usage::slots).sum::<usize>();
            if !line_usage::may_join(lines.len(), slots) {
                break;
            }
            lines.push(asked.map(|mut asked| {
                let count = asked.len();
                wanted.append(&mut asked);
                count
            }));
        }
        (wanted, lines)
    }

    fn asked(&self, Place { contract, customer }: &Place, label: &str) -> Result<Vec<LineSelection>, StatementError> {
        let period = period(self.contract(contract)?, label)?;
        Ok(selections(&self.book, contract, customer.as_deref(), &period)?)
    }

    /// The document of usages that have been read.
    fn document(
        &self,
        place: &Place,
        label: &str,
        usages: &[LineUsage],
        proof: &Proof,
    ) -> Result<Document, StatementError> {
        let Place { contract, customer } = place;
        let period = period(self.contract(contract)?, label)?;
        let rating = rate(&self.book, contract, customer.as_deref(), &period, usages)?;
        let credits = self.grants.of(contract, customer.as_deref(), rating.currency.places);
        let rating = rating.credited(&credits, period.end)?;
        Ok(document(&self.book, &self.hash, contract, customer.as_deref(), &period, &rating, proof)?)
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
        let owners = claim::owners(&self.book, provider);
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

    /// All statements of one contract: one, or one for each customer of a `"*"` contract.
    ///
    /// # Errors
    /// What cannot be priced, and the server's.
    pub async fn statements(&self, contract: &str, label: &str) -> Result<Vec<Document>, StatementError> {
        let places = self.places(&[contract.to_owned()], label).await?;
        let mut documents = Vec::with_capacity(places.len());
        self.each(&places, label, |_, document| {
            documents.push(document?);
            Ok::<(), StatementError>(())
        })
        .await?;
        Ok(documents)
    }
}
