//! The table `invoice_header`: issued documents as lists show them, in the order of the log.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

/// A row of it. Decimals are billionths, instants milliseconds, dates days since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct InvoiceHeaderRow {
    /// The record that issued it.
    pub decision: u64,
    /// How many decisions name it: the greatest counts.
    pub version: u64,
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
    /// The period's year and month.
    pub label: String,
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
    /// Numbers of the documents that it corrects.
    pub corrects: Vec<String>,
    /// The ERP's id of it; empty if none is known.
    pub erp: String,
}
