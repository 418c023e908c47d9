//! Drafts by the short ids under which people name them.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};

/// Whose a draft is.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct DraftRow {
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// Whose period.
    pub provider: String,
}

/// Whose a draft is; none if none is stored under this id. Whether its close counts is the control log's to say.
///
/// # Errors
/// The server's.
pub async fn one(client: &Client, id: &str) -> Result<Option<DraftRow>, Error> {
    let sql = "SELECT toString(seller) AS seller, buyer, toString(provider) AS provider FROM rating WHERE draft = {draft:String} LIMIT 1";
    client.fetch_optional(client.select(sql).param("draft", id)).await
}
