//! Issued documents of some months, whole, in the order of the log: a part at a time, so that neither end holds many.

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::programme::month::Months;

/// Rows of a block while headers are read.
const BLOCK_ROWS: usize = 2_048;

/// Which documents.
#[derive(Clone, Debug)]
pub struct DocumentsQuery {
    /// Of periods that begin in these months.
    pub months: Months,
    /// Of this provider's periods.
    pub provider: Option<String>,
    /// Of this seller.
    pub seller: Option<String>,
    /// To this buyer.
    pub buyer: Option<String>,
}

/// What the documents of one currency come to.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct TotalRow {
    /// ISO 4217.
    pub currency: String,
    /// How many.
    pub documents: u64,
    /// Their totals, in billionths.
    pub total: i128,
    /// The record that issued the last of them.
    pub last: u64,
}

/// Which documents come next.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct NumberRow {
    /// The record that issued it.
    pub decision: u64,
    /// Its number.
    pub number: String,
}

/// A document in its present state.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct WholeRow {
    /// The record that issued it.
    pub decision: u64,
    /// Its number.
    pub number: String,
    /// Its JSON.
    pub document: String,
}

impl DocumentsQuery {
    fn conditions(&self) -> String {
        let parties = [
            (&self.provider, " AND h.provider = {provider:String}"),
            (&self.seller, " AND h.seller = {seller:String}"),
            (&self.buyer, " AND h.buyer = {buyer:String}"),
        ];
        let months = "h.label >= {first:String} AND h.label <= {last:String}".to_owned();
        parties.iter().filter(|(party, _)| party.is_some()).fold(months, |all, (_, condition)| all + condition)
    }

    fn bind(&self, query: Query) -> Query {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let query = query.with_setting("max_block_size", BLOCK_ROWS.to_string());
        let query = query.param("first", self.months.first.to_string()).param("last", self.months.last.to_string());
        let query = query.param("provider", text(&self.provider)).param("seller", text(&self.seller));
        query.param("buyer", text(&self.buyer))
    }
}

/// What all of them come to, by currency.
///
/// # Errors
/// The server's.
pub async fn totals(client: &Client, query: &DocumentsQuery) -> Result<Vec<TotalRow>, Error> {
    let sql = format!(
        "SELECT toString(h.currency) AS currency, count() AS documents, sum(h.total) AS total, max(h.decision) AS last \
         FROM invoice_header AS h FINAL WHERE {} GROUP BY currency ORDER BY currency",
        query.conditions()
    );
    client.fetch_all(query.bind(client.select(&sql))).await
}

/// So many of them at most, issued by the records from one to another, both included.
///
/// # Errors
/// The server's.
pub async fn numbers(
    client: &Client,
    query: &DocumentsQuery,
    from: u64,
    to: u64,
    limit: usize,
) -> Result<Vec<NumberRow>, Error> {
    // rows of a document agree in all that is asked for here
    let sql = format!(
        "SELECT h.decision AS decision, h.number AS number FROM invoice_header AS h \
         WHERE h.decision >= {{from:UInt64}} AND h.decision <= {{to:UInt64}} AND {} \
         ORDER BY h.decision LIMIT 1 BY h.decision LIMIT {{limit:UInt64}}",
        query.conditions()
    );
    let select = query.bind(client.select(&sql)).param("from", from).param("to", to).param("limit", limit);
    client.fetch_all(select).await
}

/// The documents of these numbers, one after the other.
///
/// # Errors
/// A statement that cannot be sent.
pub fn whole(client: &Client, numbers: &[String]) -> Result<Rows<WholeRow>, Error> {
    let sql = "SELECT i.decision AS decision, i.number AS number, i.document AS document FROM invoice AS i \
               WHERE i.number IN {numbers:Array(String)} ORDER BY i.decision, i.version DESC LIMIT 1 BY i.decision";
    Rows::of(client, client.select(sql).param("numbers", numbers))
}
