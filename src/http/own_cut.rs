//! The cut of what is rated for one reader: the streams that may hold the provider's records, as in a document that is issued. How much others send
//! is not theirs to know (PRICING §15).

use super::Api;
use super::error::ApiError;
use crate::clickhouse::read::void;
use crate::core::billing::document::Document;
use crate::core::billing::proof::CutPoint;
use crate::core::book::Book;
use crate::core::closing::stand::may_hold;
use crate::core::decision::stream::StreamRegister;
use crate::core::pricing::party;
use crate::statement::StatementError;

/// What is known of streams.
pub(super) struct OwnCut(StreamRegister);

impl OwnCut {
    /// As far as decisions are mirrored.
    pub(super) async fn read(api: &Api) -> Result<Self, ApiError> {
        Ok(Self(void::register(&api.client).await?))
    }

    /// Leaves the points that concern a provider.
    pub(super) fn keep(&self, provider: &str, cut: &mut Vec<CutPoint>) {
        cut.retain(|point| self.0.get(&point.stream).is_some_and(|generation| may_hold(generation, provider)));
    }

    /// A document with the points that concern its provider.
    pub(super) fn document(&self, book: &Book, mut document: Document) -> Result<Document, ApiError> {
        let terms = book.contracts.get(&document.contract).ok_or(ApiError::NotFound)?;
        self.keep(party::provider(terms), &mut document.proof.cut);
        match document.proof.digest {
            Some(_) => document.sealed().map_err(|error| StatementError::from(error).into()),
            None => Ok(document),
        }
    }
}
