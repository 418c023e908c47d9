//! Issued wholesale documents: those whose buyer is the provider itself.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};
use crate::core::billing::figure::Figure;
use crate::core::programme::month::{Month, Months};
use crate::core::programme::revenue::Booked;
use crate::core::programme::scorecard::LastInvoice;

/// Which documents.
#[derive(Clone, Debug, Default)]
pub struct WholesaleQuery {
    /// Of these providers only; none = all.
    pub providers: Option<Vec<String>>,
    /// Of this seller only.
    pub seller: Option<String>,
    /// That count in these months only.
    pub months: Option<Months>,
    /// Those too that were issued in these months, whenever they count.
    pub or_issued: bool,
    /// That records of billing-control from one offset to another issued, both included.
    pub records: Option<(u64, u64)>,
}

/// A document.
#[derive(Debug, Row, Deserialize)]
pub struct WholesaleRow {
    /// Its number.
    pub number: String,
    /// The rating under which its rows, or those that it credits, are allocated.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// JSON.
    pub document: String,
}

#[derive(Debug, Row, Deserialize)]
struct BookedRow {
    provider: String,
    contract: String,
    seller: String,
    label: String,
    issued: String,
    is_invoice: u8,
    currency: String,
    amount: String,
}

#[derive(Debug, Row, Deserialize)]
struct LastRow {
    provider: String,
    number: String,
    issued: String,
}

const WHERE: &str = "buyer = toString(provider) AND ({any_provider:UInt8} = 1 OR has({providers:Array(String)}, toString(provider))) \
     AND ({any_seller:UInt8} = 1 OR toString(seller) = {seller:String}) \
     AND ({any_month:UInt8} = 1 OR if(document_type = 'invoice', toString(label), formatDateTime(issue_date, '%Y-%m')) \
     BETWEEN {first:String} AND {last:String} \
     OR ({or_issued:UInt8} = 1 AND formatDateTime(issue_date, '%Y-%m') BETWEEN {first:String} AND {last:String})) \
     AND ({any_record:UInt8} = 1 OR decision BETWEEN {from_record:UInt64} AND {to_record:UInt64})";

impl WholesaleQuery {
    fn bind(&self, query: Query) -> Query {
        let months = self.months.map(|months| (months.first.to_string(), months.last.to_string()));
        let (first, last) = months.clone().unwrap_or_default();
        let (from, to) = self.records.unwrap_or_default();
        let query = query.param("any_record", u8::from(self.records.is_none()));
        let query = query.param("from_record", from).param("to_record", to);
        let query = query.param("any_provider", u8::from(self.providers.is_none()));
        let query = query.param("providers", self.providers.as_deref().unwrap_or_default());
        let query = query.param("any_seller", u8::from(self.seller.is_none()));
        let query = query.param("seller", self.seller.as_deref().unwrap_or_default());
        let query = query.param("or_issued", u8::from(self.or_issued));
        query.param("any_month", u8::from(months.is_none())).param("first", first).param("last", last)
    }
}

fn wrong(what: &str, text: &str) -> Error {
    Error::refusal(
        format!("{what} {text:?} of an issued document is none"),
        "use the Plimsoll that issued it or a later one",
    )
}

/// What was issued, by provider: a sum for each contract, seller, month, day of issue and currency.
///
/// # Errors
/// The server's, and documents that are none.
pub async fn booked(client: &Client, query: &WholesaleQuery) -> Result<BTreeMap<String, Vec<Booked>>, Error> {
    let sql = format!(
        "SELECT toString(provider) AS provider, toString(contract) AS contract, toString(seller) AS seller, toString(label) AS label, toString(issue_date) AS issued, \
         toUInt8(document_type = 'invoice') AS is_invoice, toString(currency) AS currency, \
         toString(sum(toDecimal128(JSONExtractString(document, 'subtotal'), 4))) AS amount FROM invoice FINAL WHERE {WHERE} \
         GROUP BY provider, contract, seller, label, issued, is_invoice, currency ORDER BY provider, label, issued"
    );
    let rows: Vec<BookedRow> = client.fetch_all(query.bind(client.select(&sql))).await?;
    let mut booked: BTreeMap<String, Vec<Booked>> = BTreeMap::new();
    for row in rows {
        let one = Booked {
            label: Month::parse(&row.label).ok_or_else(|| wrong("the period", &row.label))?,
            issued: row.issued.parse().map_err(|_| wrong("the date", &row.issued))?,
            amount: Figure::parse(&row.amount).map_err(|_| wrong("the sum", &row.amount))?,
            is_invoice: row.is_invoice == 1,
            contract: row.contract,
            seller: row.seller,
            currency: row.currency,
        };
        booked.entry(row.provider).or_default().push(one);
    }
    Ok(booked)
}

/// The newest document of each provider, of all that are issued or of those issued by a day.
///
/// # Errors
/// The server's.
pub async fn last(
    client: &Client,
    query: &WholesaleQuery,
    day: Option<NaiveDate>,
) -> Result<BTreeMap<String, LastInvoice>, Error> {
    let sql = format!(
        "SELECT toString(provider) AS provider, argMax(number, (issue_date, number)) AS number, toString(max(issue_date)) AS issued \
         FROM invoice FINAL WHERE {WHERE} \
         AND ({{any_day:UInt8}} = 1 OR issue_date <= toDate({{day:String}})) GROUP BY provider"
    );
    let select = query.bind(client.select(&sql)).param("any_day", u8::from(day.is_none()));
    let select = select.param("day", day.unwrap_or_default().to_string());
    let rows: Vec<LastRow> = client.fetch_all(select).await?;
    Ok(rows.into_iter().map(|row| (row.provider, LastInvoice { number: row.number, issue_date: row.issued })).collect())
}

/// A page of documents, by number.
///
/// # Errors
/// The server's.
pub async fn documents(
    client: &Client,
    query: &WholesaleQuery,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<WholesaleRow>, Error> {
    let sql = format!(
        "SELECT number, rating_id, toString(contract) AS contract, document FROM invoice FINAL WHERE {WHERE} \
         AND number > {{after:String}} ORDER BY number LIMIT {{limit:UInt64}}"
    );
    let select = query.bind(client.select(&sql)).param("after", after.unwrap_or_default()).param("limit", limit);
    client.fetch_all(select).await
}

/// The JSON of one document; none if no document has this number.
///
/// # Errors
/// The server's.
pub async fn document_of(client: &Client, number: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT document FROM invoice FINAL WHERE number = {number:String}";
    client.fetch_optional(client.select(sql).param("number", number)).await
}
