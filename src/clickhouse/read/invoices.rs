//! Issued documents for readers.

use chrono::{Days, NaiveDate};
use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::billing::document::DocumentState;
use crate::core::pricing::currency::Currency;

/// Whose documents somebody may read (PRICING §15). A vendor never sells to customers and a provider to nobody else, so a document is
/// wholesale if its seller is not the provider whose period it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SeenBy {
    /// Everybody's.
    #[default]
    All,
    /// What this vendor sold to providers.
    Vendor(String),
    /// What this provider bought and sold.
    Provider(String),
    /// What this customer bought from this provider.
    Customer {
        /// From whom.
        provider: String,
        /// Who.
        customer: String,
    },
}

impl SeenBy {
    fn condition(&self) -> &'static str {
        match self {
            SeenBy::All => "1",
            SeenBy::Vendor(_) => "i.seller = {own:String} AND i.provider != {own:String}",
            SeenBy::Provider(_) => "i.provider = {own:String}",
            SeenBy::Customer { .. } => {
                "i.provider = {own:String} AND i.seller = {own:String} AND i.buyer = {customer:String}"
            }
        }
    }

    fn parameters(&self) -> (&str, &str) {
        match self {
            SeenBy::All => ("", ""),
            SeenBy::Vendor(own) | SeenBy::Provider(own) => (own, ""),
            SeenBy::Customer { provider, customer } => (provider, customer),
        }
    }
}

/// Which documents.
#[derive(Clone, Debug, Default)]
pub struct InvoiceQuery {
    /// Whose, whatever else is asked for.
    pub seen_by: SeenBy,
    /// Of this provider's periods.
    pub provider: Option<String>,
    /// Of this seller.
    pub seller: Option<String>,
    /// To this buyer.
    pub buyer: Option<String>,
    /// Of periods that begin in this month.
    pub period: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Issued at this instant or later, in milliseconds.
    pub issued_since: Option<i64>,
    /// That correct the document with this number.
    pub corrects: Option<String>,
    /// Behind this one, by the record that issued it.
    pub after: Option<u64>,
    /// So many at most.
    pub limit: Option<usize>,
}

/// What a list shows of a document: its header without what only a closer and a proof ask of it.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct ListedRow {
    /// Its number.
    pub number: String,
    /// Invoice, adjustment or credit note.
    pub document_type: String,
    /// issued, partly_credited or credited.
    pub state: String,
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// Whose period.
    pub provider: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// Year and month of its period.
    pub label: String,
    /// The record that issued it.
    pub decision: u64,
    /// Days since 1970.
    pub issued_on: u16,
    /// Days since 1970.
    pub due_on: u16,
    /// ISO 4217.
    pub currency: String,
    /// Its total, in billionths.
    pub total: i128,
    /// Numbers of the documents that it corrects.
    pub corrects: Vec<String>,
    /// The ERP's id of it.
    pub erp: String,
}

impl ListedRow {
    /// The local date of issue.
    #[must_use]
    pub fn issue_date(&self) -> NaiveDate {
        NaiveDate::default() + Days::new(self.issued_on.into())
    }

    /// The local date on which it is due.
    #[must_use]
    pub fn due_date(&self) -> NaiveDate {
        NaiveDate::default() + Days::new(self.due_on.into())
    }

    /// The total as documents show it.
    #[must_use]
    pub fn shown_total(&self) -> String {
        match Currency::new(&self.currency) {
            Ok(currency) => currency.show(self.total / 10i128.pow(9u32.saturating_sub(currency.places))),
            Err(_) => self.total.to_string(),
        }
    }
}

/// A document as it is stored.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct DocumentRow {
    /// How many decisions name it.
    pub version: u64,
    /// Who sells.
    pub seller: String,
    /// Whose period.
    pub provider: String,
    /// Who buys.
    pub buyer: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// The document's digest.
    pub digest: String,
    /// Its JSON.
    pub document: String,
    /// JSON: what the printed page shows beside it.
    pub detail: String,
}

/// Rows of a block while a page is read: with the server's own of 65,536 a page of a hundred costs a hundred times as much.
const BLOCK_ROWS: usize = 2_048;

/// The headers of documents, in the order in which they were issued.
///
/// # Errors
/// The server's.
pub fn list(client: &Client, query: &InvoiceQuery) -> Result<Rows<ListedRow>, Error> {
    let sql = format!(
        "SELECT number, toString(document_type) AS document_type, toString(i.state) AS state, toString(seller) AS seller, buyer, \
         toString(provider) AS provider, toString(contract) AS contract, customer, toString(label) AS label, decision, \
         issue_date AS issued_on, due_date AS due_on, toString(currency) AS currency, total, corrects, erp \
         FROM invoice_header AS i FINAL WHERE {} ORDER BY i.decision{}",
        conditions(query),
        limit(query)
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (own, customer) = query.seen_by.parameters();
    let select = client.select(&sql).with_setting("max_block_size", BLOCK_ROWS.to_string());
    let select = select.param("own", own).param("customer", customer);
    let select = select.param("provider", text(&query.provider)).param("seller", text(&query.seller));
    let select = select.param("buyer", text(&query.buyer)).param("label", text(&query.period));
    let select =
        select.param("state", text(&query.state)).param("since", query.issued_since.unwrap_or_default().max(0));
    let select = select.param("corrects", text(&query.corrects));
    let select = select.param("after", query.after.unwrap_or_default()).param("limit", query.limit.unwrap_or_default());
    Rows::of(client, select)
}

/// All rows of a document agree in everything but its state and what an ERP calls it. So whose it is and when it was issued is asked of the
/// rows as they lie, with indices and columns of their own, and only what is left is read whole, newest rows alone. A state that is rare
/// narrows as well: where the newest row has it, some row has it.
fn conditions(query: &InvoiceQuery) -> String {
    let after = query.after.map_or("1", |_| "i.decision > {after:UInt64}");
    let fixed: Vec<&str> = [
        (query.seen_by != SeenBy::All, query.seen_by.condition()),
        (query.provider.is_some(), "i.provider = {provider:String}"),
        (query.seller.is_some(), "i.seller = {seller:String}"),
        (query.buyer.is_some(), "i.buyer = {buyer:String}"),
        (query.period.is_some(), "i.label = {label:String}"),
        (query.corrects.is_some(), "has(i.corrects, {corrects:String})"),
        (query.issued_since.is_some(), "i.issued_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"),
    ]
    .into_iter()
    .filter_map(|(set, condition)| set.then_some(condition))
    .collect();
    const STATE: &str = "i.state = {state:String}";
    let is_rare = query.state.as_deref().is_some_and(|state| state != DocumentState::Issued.as_str());
    let narrow: Vec<&str> = fixed.into_iter().chain(is_rare.then_some(STATE)).collect();
    let state = if query.state.is_some() { STATE } else { "1" };
    if narrow.is_empty() {
        return format!("{after} AND {state}");
    }
    // a document whose state has moved on is dropped afterwards, so that a page of one state cannot be counted out before
    let page = match query.state {
        None => format!(" ORDER BY i.decision LIMIT 1 BY i.decision{}", limit(query)),
        Some(_) => String::new(),
    };
    let narrow = narrow.join(" AND ");
    format!(
        "{after} AND {state} AND i.decision IN (SELECT i.decision FROM invoice_header AS i WHERE {after} AND {narrow}{page})"
    )
}

fn limit(query: &InvoiceQuery) -> &'static str {
    if query.limit.is_some() { " LIMIT {limit:UInt64}" } else { "" }
}

/// One document in its present state.
///
/// # Errors
/// The server's.
pub async fn one(client: &Client, number: &str) -> Result<Option<DocumentRow>, Error> {
    let sql = "SELECT version, toString(seller) AS seller, toString(provider) AS provider, buyer, toString(contract) AS contract, customer, \
               digest, document, detail FROM invoice AS i WHERE number = {number:String} ORDER BY i.version DESC LIMIT 1";
    client.fetch_optional(client.select(sql).param("number", number)).await
}
