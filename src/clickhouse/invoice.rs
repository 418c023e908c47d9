//! The table `invoice`: issued documents in their present state.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it. Decimals are billionths, instants milliseconds, dates days since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct InvoiceRow {
    /// Its number.
    pub number: String,
    /// How many decisions name it: the greatest counts.
    pub version: u64,
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
    /// The period's first instant.
    pub period_start: i64,
    /// The first instant after it.
    pub period_end: i64,
    /// Its year and month.
    pub label: String,
    /// The close's revision.
    pub revision: u32,
    /// The record that issued it.
    pub decision: u64,
    /// When the broker appended that record.
    pub issued_at: i64,
    /// Local date of issue.
    pub issue_date: u16,
    /// Local date on which it is due.
    pub due_date: u16,
    /// ISO 4217.
    pub currency: String,
    /// Its total.
    pub total: i128,
    /// Its net amount.
    pub net: i128,
    /// Numbers of the documents that it corrects.
    pub corrects: Vec<String>,
    /// The close.
    pub rating_id: String,
    /// The document's digest.
    pub digest: String,
    /// The ERP's id of it; empty if none is known.
    pub erp: String,
    /// The document's JSON.
    pub document: String,
    /// JSON: what the printed page shows beside it.
    pub detail: String,
}

/// A row of the table `invoice_header`.
#[derive(Clone, Debug, Row, Serialize)]
struct HeaderRow {
    decision: u64,
    version: u64,
    number: String,
    document_type: String,
    state: String,
    seller: String,
    buyer: String,
    provider: String,
    contract: String,
    customer: String,
    label: String,
    issued_at: i64,
    issue_date: u16,
    due_date: u16,
    currency: String,
    total: i128,
    corrects: Vec<String>,
    erp: String,
}

impl From<&InvoiceRow> for HeaderRow {
    fn from(row: &InvoiceRow) -> Self {
        Self {
            decision: row.decision,
            version: row.version,
            number: row.number.clone(),
            document_type: row.document_type.clone(),
            state: row.state.clone(),
            seller: row.seller.clone(),
            buyer: row.buyer.clone(),
            provider: row.provider.clone(),
            contract: row.contract.clone(),
            customer: row.customer.clone(),
            label: row.label.clone(),
            issued_at: row.issued_at,
            issue_date: row.issue_date,
            due_date: row.due_date,
            currency: row.currency.clone(),
            total: row.total,
            corrects: row.corrects.clone(),
            erp: row.erp.clone(),
        }
    }
}

#[derive(Row, Deserialize)]
struct VersionRow {
    number: String,
    version: u64,
}

/// Writes documents; of one number the greatest version stays. Headers come first: a document without one would never be listed, and
/// whoever makes documents looks for documents.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[InvoiceRow]) -> Result<(), Error> {
    let headers: Vec<HeaderRow> = rows.iter().map(HeaderRow::from).collect();
    client.insert_rows("invoice_header", &headers).await?;
    client.insert_rows("invoice", rows).await
}

/// The versions of those of some numbers that are stored.
///
/// # Errors
/// The server's.
pub async fn versions(client: &Client, numbers: &[String]) -> Result<Vec<(String, u64)>, Error> {
    let sql = "SELECT number, max(i.version) AS version FROM invoice AS i WHERE number IN {numbers:Array(String)} GROUP BY number";
    let rows: Vec<VersionRow> = client.fetch_all(client.select(sql).param("numbers", numbers)).await?;
    Ok(rows.into_iter().map(|row| (row.number, row.version)).collect())
}
