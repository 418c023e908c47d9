//! The documents of a close as they are stored, and those of the revisions before it.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::ProveError;
use super::closed::{Closed, Number};
use super::rerate::name;
use crate::clickhouse::read::rows::Rows;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::issue;
use crate::core::decision::closing::Close;
use crate::statement::Place;

/// Issued documents that are asked for at once.
const NUMBERS: usize = 1_000;

/// Documents by contract and customer.
pub type Documents = BTreeMap<Place, Document>;

#[derive(Debug, Row, Deserialize)]
struct DocumentRow {
    contract: String,
    customer: String,
    document: String,
}

impl Closed<'_> {
    /// The drafts of a rating as they are stored.
    pub(super) async fn stored(&self, rating_id: &str, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let sql = "SELECT toString(contract) AS contract, customer, document FROM rating FINAL WHERE rating_id = {rating:String}";
        self.documents(self.client.select(sql).param("rating", rating_id), only).await
    }

    /// Whether a draft of a place is stored for the close.
    pub(crate) async fn has_draft(&self, place: &Place) -> Result<bool, ProveError> {
        let sql = "SELECT toUInt64(1) FROM rating AS t WHERE t.rating_id = {rating:String} AND t.contract = {contract:String} \
                   AND t.customer = {customer:String} LIMIT 1";
        let query = self.client.select(sql).param("rating", &self.close.rating_id).param("contract", &place.contract);
        let query = query.param("customer", place.customer.as_deref().unwrap_or_default());
        let found: Option<u64> = self.client.fetch_optional(query).await?;
        Ok(found.is_some())
    }

    /// The issued documents of the close as they are stored.
    pub(crate) async fn numbered(&self, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let own = self.issued.iter().filter(|(draft, _)| draft.rating_id == self.close.rating_id);
        let numbers: Vec<&str> = own.map(|(_, number)| number.number.as_str()).collect();
        let sql = "SELECT toString(contract) AS contract, customer, document FROM invoice FINAL WHERE has({numbers:Array(String)}, number)";
        let mut documents = Documents::new();
        for numbers in numbers.chunks(NUMBERS) {
            documents.extend(self.documents(self.client.select(sql).param("numbers", numbers), only).await?);
        }
        Ok(documents)
    }

    /// An issued document over one of the close, as it is stored: a credit note.
    pub(crate) async fn stored_note(&self, number: &str) -> Result<Option<Document>, ProveError> {
        let place = Place { contract: number.to_owned(), customer: None };
        let sql = "SELECT toString(i.number) AS contract, '' AS customer, i.document AS document FROM invoice AS i FINAL \
                   WHERE i.number = {number:String}";
        let query = self.client.select(sql).param("number", number);
        Ok(self.documents(query, None).await?.remove(&place))
    }

    async fn documents(&self, query: Query, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let mut rows: Rows<DocumentRow> = Rows::of(self.client, query)?;
        let mut documents = Documents::new();
        while let Some(row) = rows.next().await? {
            let customer = Some(row.customer).filter(|customer| !customer.is_empty());
            let place = Place { contract: row.contract, customer };
            if only.is_none_or(|only| only.contains(&place)) {
                let document =
                    as_stored(&row.document).map_err(|error| ProveError::Document { place: name(&place), error })?;
                documents.insert(place, document);
            }
        }
        Ok(documents)
    }

    /// The documents of the revisions before, by age, under the numbers that they were given. They are proved on their own.
    pub(super) async fn earlier(&self, only: Option<&[Place]>) -> Result<BTreeMap<Place, Vec<Document>>, ProveError> {
        let mut earlier: BTreeMap<Place, Vec<Document>> = BTreeMap::new();
        for close in self.before.iter().filter(|close| close.period == self.close.period) {
            for (place, draft) in self.stored(&close.rating_id, only).await? {
                let key = place.draft(&close.rating_id);
                // it counts as nothing issued
                if self.register.discarded_below(&key, self.close.after) {
                    continue;
                }
                let before = earlier.entry(place.clone()).or_default();
                let document = match self.number(close, &place) {
                    Some(number) => self.issued_as(draft, &place, number, before)?,
                    None => draft,
                };
                before.push(document);
            }
        }
        Ok(earlier)
    }

    pub(super) fn number(&self, close: &Close, place: &Place) -> Option<&Number> {
        self.issued.get(&place.draft(&close.rating_id))
    }

    pub(super) fn issued_as(
        &self,
        draft: Document,
        place: &Place,
        number: &Number,
        before: &[Document],
    ) -> Result<Document, ProveError> {
        let corrects = before.iter().filter_map(|document| document.number.clone()).collect();
        let Number { number, at, zone, payment_days } = number.clone();
        let issued = issue::issued(draft, number, at, zone, payment_days, corrects);
        issued.map_err(|error| ProveError::Document { place: name(place), error })
    }
}

/// A document as it is stored, also one that was altered: what was altered in it will be named, since it cannot be what is computed.
pub(super) fn as_stored(json: &str) -> Result<Document, DocumentError> {
    match Document::from_json(json) {
        Err(DocumentError::Digest { .. }) => serde_json::from_str(json).map_err(DocumentError::from),
        document => document,
    }
}
