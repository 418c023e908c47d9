//! Rates contracts on demand from the newest published book.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::left::Left;
use super::place::Place;
use super::standing::{Run, Standing, maybe_closed, runs};
use super::{StatementError, batch};
use crate::clickhouse::Client;
use crate::clickhouse::read::{book, closed, credits, line_usage, rating};
use crate::core::billing::document::Document;
use crate::core::billing::proof::{CutPoint, Proof, Versions};
use crate::core::billing::statement::document;
use crate::core::book::Book;
use crate::core::book::model::{Buyer, Contract};
use crate::core::closing::register::Register;
use crate::core::decision::credit::Grants;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::period::period;
use crate::core::pricing::rating::rate;
use crate::core::pricing::selection::{LineSelection, selections};
use crate::core::pricing::usage::LineUsage;
use crate::core::word::Offset;

/// The version of pricing that this build implements.
pub const RATE_VERSION: u32 = 1;

/// Documents in memory at once.
const BATCH: usize = 4_096;

/// A book, and the database that it rates from.
#[derive(Clone, Debug)]
pub struct Rater {
    client: Client,
    book: Book,
    hash: String,
    after: u64,
    grants: Grants,
    /// Read once it is needed: where credits were granted, or the period may be closed.
    register: Arc<OnceCell<Register>>,
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
        let register = Arc::new(OnceCell::new());
        Ok(Self { client: client.clone(), book, hash, after, grants, register })
    }

    /// The book.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The book's hash.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Up to which decision, exclusive, it has looked at the control log.
    #[must_use]
    pub fn after(&self) -> Offset {
        Offset(self.after)
    }

    /// The database that it rates from.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn contract(&self, id: &str) -> Result<&Contract, StatementError> {
        self.book.contracts.get(id).ok_or_else(|| StatementError::NoContract(id.to_owned()))
    }

    async fn register(&self) -> Result<&Register, StatementError> {
        Ok(self.register.get_or_try_init(|| closed::register(&self.client)).await?)
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
        self.shown(&[place], label, |_, document, _| {
            found = Some(document);
            Ok::<(), StatementError>(())
        })
        .await?;
        found.unwrap_or_else(|| Err(StatementError::NoContract(contract.to_owned())))
    }

    /// Hands over the statements of many contracts, in order, with the documents that a closed period has already. One of a closed period
    /// is by its own book, with the credits that its revisions may use.
    ///
    /// # Errors
    /// The server's, and what `sink` says.
    pub async fn shown<E: From<StatementError>>(
        &self,
        places: &[Place],
        label: &str,
        mut sink: impl FnMut(&Place, Result<Document, StatementError>, &[Document]) -> Result<(), E>,
    ) -> Result<(), E> {
        if maybe_closed(&self.client, &self.book, places, label).await?.is_empty() {
            return self.each(places, label, |place, document| sink(place, document, &[])).await;
        }
        let runs = runs(&self.client, self.register().await?, &self.book, places, label).await?;
        for Run { standing, places } in runs {
            let Some(standing) = standing else {
                self.each(&places, label, |place, document| sink(place, document, &[])).await?;
                continue;
            };
            let own = Self { book: standing.book.clone(), hash: standing.hash.clone(), ..self.clone() };
            let each = own.rated(&places, label, Some(&standing), |place, rated| {
                let document = rated.and_then(|rated| Ok(standing.shown(place, rated)?));
                sink(place, document, standing.documents(place))
            });
            each.await?;
        }
        Ok(())
    }

    /// Hands over the ratings of many contracts with the rater's own book as if their periods were open, in order. Their usage is read
    /// together, as much at a time as memory may hold; a contract that cannot be rated does not keep the others from it.
    ///
    /// # Errors
    /// The server's, and what `sink` says.
    pub async fn each<E: From<StatementError>>(
        &self,
        places: &[Place],
        label: &str,
        sink: impl FnMut(&Place, Result<Document, StatementError>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rated(places, label, None, sink).await
    }

    async fn rated<E: From<StatementError>>(
        &self,
        places: &[Place],
        label: &str,
        standing: Option<&Standing>,
        mut sink: impl FnMut(&Place, Result<Document, StatementError>) -> Result<(), E>,
    ) -> Result<(), E> {
        // without a grant nothing can be left
        let is_granted = |place: &Place| self.grants.iter().any(|(_, grant, _)| grant.contract == place.contract);
        let register = if places.iter().any(is_granted) { Some(self.register().await?) } else { None };
        let left = Left { register, standing };
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
                    (place, usages.and_then(|usages| self.document(place, label, usages, (&proof, &left))))
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
        (proof, left): (&Proof, &Left<'_>),
    ) -> Result<Document, StatementError> {
        let Place { contract, customer } = place;
        let period = period(self.contract(contract)?, label)?;
        let rating = rate(&self.book, contract, customer.as_deref(), &period, usages)?;
        let credits = left.credits((&self.book, &self.grants, self.after), place, label, rating.currency.places)?;
        let rating = rating.credited(&credits, period.end)?;
        Ok(document(&self.book, &self.hash, contract, customer.as_deref(), &period, &rating, proof)?)
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
