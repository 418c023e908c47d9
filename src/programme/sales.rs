//! Sales credits of issued documents, a few documents at a time.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProgrammeError;
use super::books::Books;
use crate::clickhouse::read::wholesale::{WholesaleQuery, WholesaleRow, document_of, documents};
use crate::clickhouse::{Client, allocation};
use crate::core::billing::document::Document;
use crate::core::programme::credit::{Credit, Credits, Holder, Part, Sale};
use crate::core::programme::group::{Groups, Key};
use crate::core::programme::neutrality::{Neutrality, name};

/// Documents in memory at once; of one of them what its rows were allocated to.
const DOCUMENTS_BATCH: usize = 50;

/// Documents that are looked through, by number.
pub struct Documents {
    client: Client,
    query: WholesaleQuery,
    books: Books,
    after: Option<String>,
    read: VecDeque<WholesaleRow>,
}

/// One sales credit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Line {
    /// The document.
    pub number: String,
    /// Its row.
    pub no: usize,
    /// The provider.
    pub provider: String,
    /// Whose part of the row.
    pub holder: Holder,
    /// The customer, if it is disclosed.
    pub customer: Option<String>,
    /// Who is credited.
    pub team: String,
    /// As what.
    pub role: String,
    /// `as_a_service` or `resale`.
    pub route: String,
    /// The registered deal.
    pub deal: Option<String>,
    /// The month in which it counts.
    pub month: String,
    /// ISO 4217.
    pub currency: String,
    /// What the credit is a percentage of.
    pub basis: String,
    /// The credit.
    pub credit: String,
}

/// Sales credits put together, and the check.
pub struct Summary {
    /// By the keys asked for.
    pub groups: Groups,
    /// The neutrality check.
    pub neutrality: Neutrality,
}

impl From<Credit> for Line {
    fn from(credit: Credit) -> Self {
        Self {
            number: credit.number,
            no: credit.no,
            provider: credit.provider,
            holder: credit.holder,
            customer: credit.customer,
            team: credit.team,
            role: credit.role,
            route: name(credit.route).to_owned(),
            deal: credit.deal,
            month: credit.month.to_string(),
            currency: credit.currency,
            basis: credit.basis.to_string(),
            credit: credit.credit.to_string(),
        }
    }
}

/// Where a page of lines begins: behind this document, so many lines into the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The last document of which all lines were on earlier pages.
    pub after: Option<String>,
    /// Lines of the next one that were.
    pub skip: usize,
}

impl Documents {
    /// The documents of a query behind one, by number.
    #[must_use]
    pub fn new(client: &Client, query: WholesaleQuery, after: Option<String>) -> Self {
        Self { client: client.clone(), query, books: Books::new(client), after, read: VecDeque::new() }
    }

    /// The number and the sales credits of the next document; none behind the last.
    ///
    /// # Errors
    /// A document that is not what was issued, and the server's.
    pub async fn next(&mut self) -> Result<Option<(String, Credits)>, ProgrammeError> {
        if self.read.is_empty() {
            self.read = documents(&self.client, &self.query, self.after.as_deref(), DOCUMENTS_BATCH).await?.into();
        }
        let Some(row) = self.read.pop_front() else { return Ok(None) };
        let wrong = |error| ProgrammeError::Document { number: row.number.clone(), error };
        let mut document = Document::from_json(&row.document).map_err(wrong)?;
        let corrected = self.corrected(&row.number, &document).await?;
        let hash = corrected.last().map_or(&document, |first| first).proof.price_book.clone();
        let book = self.books.of(&row.number, &hash).await?;
        if let Some(first) = corrected.last() {
            document.route = first.route;
        }
        let is_split = book.providers.get(&document.buyer.id).is_some_and(|provider| provider.disclose_customers);
        let parts = if is_split { self.parts(&row).await? } else { BTreeMap::new() };
        // a credit note over a document has a reason, a revision has none
        let original = corrected.first().filter(|_| document.reason.is_some());
        let sale = Sale { book: &book, document: &document, original, parts: &parts };
        let credits = sale.credits()?;
        self.after = Some(row.number.clone());
        Ok(Some((row.number, credits)))
    }

    /// The document that this one corrects, the one that that corrects, and so on. By the book of the last, with which the period was billed
    /// first, all of them credit: else what a re-pricing takes back is taken from teams that were never given it.
    async fn corrected(&self, number: &str, document: &Document) -> Result<Vec<Document>, ProgrammeError> {
        let mut corrected: Vec<Document> = Vec::new();
        while let Some(original) = corrected.last().unwrap_or(document).references.corrects.first().cloned() {
            let text = document_of(&self.client, &original).await?;
            let missing = || ProgrammeError::NoOriginal { number: number.to_owned(), original: original.clone() };
            let read = Document::from_json(&text.ok_or_else(missing)?);
            corrected.push(read.map_err(|error| ProgrammeError::Document { number: original.clone(), error })?);
        }
        Ok(corrected)
    }

    /// What the document's rows were allocated to.
    async fn parts(&self, row: &WholesaleRow) -> Result<BTreeMap<usize, Vec<Part>>, ProgrammeError> {
        let mut parts: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
        for stored in allocation::read(&self.client, std::slice::from_ref(&row.rating_id)).await? {
            if stored.contract == row.contract {
                let customer = Some(stored.customer).filter(|customer| !customer.is_empty());
                parts.entry(stored.no as usize).or_default().push(Part { customer, weight: stored.weight });
            }
        }
        // what is unallocated last, so that ties are split as they were allocated
        for part in parts.values_mut() {
            part.sort_by(|one, other| {
                (one.customer.is_none(), &one.customer).cmp(&(other.customer.is_none(), &other.customer))
            });
        }
        Ok(parts)
    }

    /// All of them, grouped.
    ///
    /// # Errors
    /// As [`Self::next`], and more groups than memory should hold.
    pub async fn summary(mut self, keys: Vec<Key>) -> Result<Summary, ProgrammeError> {
        let mut summary = Summary { groups: Groups::new(keys), neutrality: Neutrality::default() };
        while let Some((_, credits)) = self.next().await? {
            summary.neutrality.add(&credits)?;
            credits.credits.iter().try_for_each(|credit| summary.groups.add(credit))?;
        }
        Ok(summary)
    }
}

/// A page of lines, by document, row and customer, and where the next one begins.
///
/// # Errors
/// As [`Documents::next`].
pub async fn page(
    client: &Client,
    query: WholesaleQuery,
    from: Place,
    limit: usize,
) -> Result<(Vec<Line>, Option<Place>), ProgrammeError> {
    let Place { mut after, mut skip } = from;
    let mut documents = Documents::new(client, query, after.clone());
    let mut lines = Vec::new();
    while let Some((number, credits)) = documents.next().await? {
        let own = credits.credits.len();
        let taken = own.saturating_sub(skip).min(limit - lines.len());
        lines.extend(credits.credits.into_iter().skip(skip).take(taken).map(Line::from));
        if skip + taken < own {
            return Ok((lines, Some(Place { after, skip: skip + taken })));
        }
        (after, skip) = (Some(number), 0);
    }
    Ok((lines, None))
}
