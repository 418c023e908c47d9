//! Columns of materialised rows as a proof compares and shows them: decimals, instants and dates in words, not as tables count them.

use chrono::{Days, NaiveDate};
use clickhouse::Row as _;
use serde_json::{Value, json};

use crate::clickhouse::allocation::AllocationRow;
use crate::clickhouse::invoice::InvoiceRow;
use crate::clickhouse::invoice_header::InvoiceHeaderRow;
use crate::clickhouse::rated_line::RatedLineRow;
use crate::clickhouse::rating::RatingRow;
use crate::core::billing::figure::Figure;
use crate::core::word::Instant;

/// A row's columns, by name.
pub(super) type Columns = Vec<(&'static str, Value)>;

/// A column of a table: its name, and what it shows of a row. There are as many of a table as its rows have, so that none that is added is
/// forgotten.
type Column<R> = (&'static str, fn(&R) -> Value);

/// Columns that hold JSON: what differs in them is named place by place.
pub(super) const JSON: [&str; 3] = ["document", "detail", "body"];

/// What the columns of a table show of a row.
pub(super) fn shown<R>(table: &[Column<R>], row: &R) -> Columns {
    table.iter().map(|(name, show)| (*name, show(row))).collect()
}

/// A header of a rating.
pub(super) const RATING: [Column<RatingRow>; RatingRow::COLUMN_COUNT] = [
    ("rating_id", |row| json!(row.rating_id)),
    ("contract", |row| json!(row.contract)),
    ("customer", |row| json!(row.customer)),
    ("provider", |row| json!(row.provider)),
    ("period_start", |row| instant(row.period_start)),
    ("period_end", |row| instant(row.period_end)),
    ("revision", |row| json!(row.revision)),
    ("draft", |row| json!(row.draft)),
    ("document_type", |row| json!(row.document_type)),
    ("seller", |row| json!(row.seller)),
    ("buyer", |row| json!(row.buyer)),
    ("currency", |row| json!(row.currency)),
    ("total", |row| decimal(row.total)),
    ("rows", |row| json!(row.rows)),
    ("digest", |row| json!(row.digest)),
    ("blocked", |row| json!(row.blocked)),
    ("document", |row| json!(row.document)),
    ("detail", |row| json!(row.detail)),
];

/// A row of a rating.
pub(super) const RATED_LINE: [Column<RatedLineRow>; RatedLineRow::COLUMN_COUNT] = [
    ("rating_id", |row| json!(row.rating_id)),
    ("contract", |row| json!(row.contract)),
    ("customer", |row| json!(row.customer)),
    ("no", |row| json!(row.no)),
    ("line", |row| json!(row.line)),
    ("kind", |row| json!(row.kind)),
    ("description", |row| json!(row.description)),
    ("meter", |row| json!(row.meter)),
    ("statistic", |row| json!(row.statistic)),
    ("quantity", |row| decimal_or_null(row.quantity)),
    ("unit", |row| json!(row.unit)),
    ("list_price", |row| decimal_or_null(row.list_price)),
    ("price", |row| decimal_or_null(row.price)),
    ("amount", |row| decimal(row.amount)),
    ("body", |row| json!(row.body)),
];

/// An issued document.
pub(super) const INVOICE: [Column<InvoiceRow>; InvoiceRow::COLUMN_COUNT] = [
    ("number", |row| json!(row.number)),
    ("version", |row| json!(row.version)),
    ("document_type", |row| json!(row.document_type)),
    ("state", |row| json!(row.state)),
    ("seller", |row| json!(row.seller)),
    ("buyer", |row| json!(row.buyer)),
    ("provider", |row| json!(row.provider)),
    ("contract", |row| json!(row.contract)),
    ("customer", |row| json!(row.customer)),
    ("period_start", |row| instant(row.period_start)),
    ("period_end", |row| instant(row.period_end)),
    ("label", |row| json!(row.label)),
    ("revision", |row| json!(row.revision)),
    ("decision", |row| json!(row.decision)),
    ("issued_at", |row| instant(row.issued_at)),
    ("issue_date", |row| date(row.issue_date)),
    ("due_date", |row| date(row.due_date)),
    ("currency", |row| json!(row.currency)),
    ("total", |row| decimal(row.total)),
    ("net", |row| decimal(row.net)),
    ("corrects", |row| json!(row.corrects)),
    ("rating_id", |row| json!(row.rating_id)),
    ("digest", |row| json!(row.digest)),
    ("erp", |row| json!(row.erp)),
    ("document", |row| json!(row.document)),
    ("detail", |row| json!(row.detail)),
];

/// An issued document in lists.
pub(super) const INVOICE_HEADER: [Column<InvoiceHeaderRow>; InvoiceHeaderRow::COLUMN_COUNT] = [
    ("decision", |row| json!(row.decision)),
    ("version", |row| json!(row.version)),
    ("number", |row| json!(row.number)),
    ("document_type", |row| json!(row.document_type)),
    ("state", |row| json!(row.state)),
    ("seller", |row| json!(row.seller)),
    ("buyer", |row| json!(row.buyer)),
    ("provider", |row| json!(row.provider)),
    ("contract", |row| json!(row.contract)),
    ("customer", |row| json!(row.customer)),
    ("label", |row| json!(row.label)),
    ("issued_at", |row| instant(row.issued_at)),
    ("issue_date", |row| date(row.issue_date)),
    ("due_date", |row| date(row.due_date)),
    ("currency", |row| json!(row.currency)),
    ("total", |row| decimal(row.total)),
    ("corrects", |row| json!(row.corrects)),
    ("erp", |row| json!(row.erp)),
];

/// What of a row falls on somebody.
pub(super) const ALLOCATION: [Column<AllocationRow>; AllocationRow::COLUMN_COUNT] = [
    ("rating_id", |row| json!(row.rating_id)),
    ("contract", |row| json!(row.contract)),
    ("no", |row| json!(row.no)),
    ("line", |row| json!(row.line)),
    ("kind", |row| json!(row.kind)),
    ("customer", |row| json!(row.customer)),
    ("quantity", |row| decimal_or_null(row.quantity)),
    ("unit", |row| json!(row.unit)),
    ("weight", |row| json!(row.weight.to_string())),
    ("amount", |row| decimal(row.amount)),
    ("currency", |row| json!(row.currency)),
    ("over_attributed", |row| decimal(row.over_attributed)),
];

fn decimal(billionths: i128) -> Value {
    let figure = Figure::of_billionths(billionths);
    // beyond what documents hold, digits are shown as they are stored
    Value::String(figure.map_or_else(|_| format!("{billionths} billionths"), |figure| figure.to_string()))
}

fn decimal_or_null(billionths: Option<i128>) -> Value {
    billionths.map_or(Value::Null, decimal)
}

fn instant(ms: i64) -> Value {
    Value::String(Instant(ms).rfc3339())
}

fn date(days: u16) -> Value {
    let date = NaiveDate::default().checked_add_days(Days::new(days.into()));
    Value::String(date.map_or_else(String::new, |date| date.to_string()))
}

#[cfg(test)]
mod tests {
    use clickhouse::Row;

    use super::*;

    fn named<R: Row>(table: &[Column<R>]) -> bool {
        table.iter().map(|(name, _)| *name).eq(R::COLUMN_NAMES.iter().copied())
    }

    #[test]
    fn columns_are_named_as_in_the_tables() {
        assert!(named(&RATING) && named(&RATED_LINE) && named(&ALLOCATION));
        assert!(named(&INVOICE) && named(&INVOICE_HEADER));
    }
}
