//! Rows of closes and of issued documents as they lie in their tables, unmerged ones too: for whoever holds each of them against what it must be.

use clickhouse::query::Query;

use super::rows::Rows;
use crate::clickhouse::allocation::AllocationRow;
use crate::clickhouse::invoice::InvoiceRow;
use crate::clickhouse::invoice_header::InvoiceHeaderRow;
use crate::clickhouse::rated_line::RatedLineRow;
use crate::clickhouse::rating::RatingRow;
use crate::clickhouse::{Client, Error};

/// A contract and its customer, empty if it has none.
pub type At<'a> = (&'a str, &'a str);

/// Rows of a rating, whoever they are of.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The rating.
    pub rating_id: &'a str,
    /// Which of them.
    pub part: Part<'a>,
}

/// Which rows of a rating.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Those of one contract and customer.
    Of(At<'a>),
    /// Those from one contract and customer on, or from the first, and below another, or to the last.
    Between(Option<At<'a>>, Option<At<'a>>),
}

impl Page<'_> {
    fn query(&self, client: &Client, columns: &str, table: &str) -> Query {
        let of = " AND t.contract = {contract:String} AND t.customer = {customer:String}";
        let from = " AND (t.contract > {contract:String} OR (t.contract = {contract:String} AND t.customer >= {customer:String}))";
        let below = " AND (t.contract < {below:String} OR (t.contract = {below:String} AND t.customer < {below_customer:String}))";
        let (first, first_sql, last) = match self.part {
            Part::Of(at) => (Some(at), of, None),
            Part::Between(at, end) => (at, from, end),
        };
        let mut sql = format!("SELECT {columns} FROM {table} AS t WHERE t.rating_id = {{rating:String}}");
        sql.push_str(first.map_or("", |_| first_sql));
        sql.push_str(last.map_or("", |_| below));
        let mut query = client.select(&sql).param("rating", self.rating_id);
        if let Some((contract, customer)) = first {
            query = query.param("contract", contract).param("customer", customer);
        }
        if let Some((contract, customer)) = last {
            query = query.param("below", contract).param("below_customer", customer);
        }
        query
    }

    /// The headers on the page.
    ///
    /// # Errors
    /// The server's.
    pub async fn ratings(&self, client: &Client) -> Result<Vec<RatingRow>, Error> {
        let columns = "t.rating_id AS rating_id, toString(t.contract) AS contract, t.customer AS customer, toString(t.provider) AS provider, \
                       toUnixTimestamp64Milli(t.period_start) AS period_start, toUnixTimestamp64Milli(t.period_end) AS period_end, \
                       t.revision AS revision, t.draft AS draft, toString(t.document_type) AS document_type, toString(t.seller) AS seller, \
                       t.buyer AS buyer, toString(t.currency) AS currency, t.total AS total, t.rows AS rows, t.digest AS digest, \
                       t.blocked AS blocked, t.document AS document, t.detail AS detail";
        client.fetch_all(self.query(client, columns, "rating")).await
    }

    /// The rows on the page.
    ///
    /// # Errors
    /// The server's.
    pub async fn lines(&self, client: &Client) -> Result<Vec<RatedLineRow>, Error> {
        let columns = "t.rating_id AS rating_id, toString(t.contract) AS contract, t.customer AS customer, t.no AS no, toString(t.line) AS line, \
                       toString(t.kind) AS kind, t.description AS description, toString(t.meter) AS meter, \
                       toString(t.statistic) AS statistic, t.quantity AS quantity, toString(t.unit) AS unit, t.list_price AS list_price, \
                       t.price AS price, t.amount AS amount, t.body AS body";
        client.fetch_all(self.query(client, columns, "rated_line")).await
    }
}

/// The allocation of a rating: of one contract or of all.
///
/// # Errors
/// A statement that cannot be sent.
pub fn allocation(client: &Client, rating_id: &str, contract: Option<&str>) -> Result<Rows<AllocationRow>, Error> {
    let of = if contract.is_some() { " AND t.contract = {contract:String}" } else { "" };
    let sql = format!(
        "SELECT t.rating_id AS rating_id, toString(t.contract) AS contract, t.no AS no, toString(t.line) AS line, toString(t.kind) AS kind, \
         t.customer AS customer, t.quantity AS quantity, toString(t.unit) AS unit, t.weight AS weight, t.amount AS amount, \
         toString(t.currency) AS currency, t.over_attributed AS over_attributed FROM allocation AS t \
         WHERE t.rating_id = {{rating:String}}{of}"
    );
    let query = client.select(&sql).param("rating", rating_id);
    Rows::of(client, contract.into_iter().fold(query, |query, contract| query.param("contract", contract)))
}

/// The rows of issued documents of these numbers, older states too.
///
/// # Errors
/// The server's.
pub async fn invoices(client: &Client, numbers: &[String]) -> Result<Vec<InvoiceRow>, Error> {
    let sql = "SELECT t.number AS number, t.version AS version, toString(t.document_type) AS document_type, toString(t.state) AS state, \
               toString(t.seller) AS seller, t.buyer AS buyer, toString(t.provider) AS provider, toString(t.contract) AS contract, \
               t.customer AS customer, toUnixTimestamp64Milli(t.period_start) AS period_start, \
               toUnixTimestamp64Milli(t.period_end) AS period_end, toString(t.label) AS label, t.revision AS revision, \
               t.decision AS decision, toUnixTimestamp64Milli(t.issued_at) AS issued_at, toUInt16(t.issue_date) AS issue_date, \
               toUInt16(t.due_date) AS due_date, toString(t.currency) AS currency, t.total AS total, t.net AS net, t.corrects AS corrects, \
               t.rating_id AS rating_id, t.digest AS digest, t.erp AS erp, t.document AS document, t.detail AS detail \
               FROM invoice AS t WHERE t.number IN {numbers:Array(String)}";
    client.fetch_all(client.select(sql).param("numbers", numbers)).await
}

/// The headers of documents that these records issued, older states too.
///
/// # Errors
/// The server's.
pub async fn headers(client: &Client, decisions: &[u64]) -> Result<Vec<InvoiceHeaderRow>, Error> {
    let sql = "SELECT t.decision AS decision, t.version AS version, t.number AS number, toString(t.document_type) AS document_type, \
               toString(t.state) AS state, toString(t.seller) AS seller, t.buyer AS buyer, toString(t.provider) AS provider, \
               toString(t.contract) AS contract, t.customer AS customer, toString(t.label) AS label, \
               toUnixTimestamp64Milli(t.issued_at) AS issued_at, toUInt16(t.issue_date) AS issue_date, toUInt16(t.due_date) AS due_date, \
               toString(t.currency) AS currency, t.total AS total, t.corrects AS corrects, t.erp AS erp \
               FROM invoice_header AS t WHERE t.decision IN {decisions:Array(UInt64)}";
    client.fetch_all(client.select(sql).param("decisions", decisions)).await
}
