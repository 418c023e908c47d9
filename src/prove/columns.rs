//! Columns of materialised rows as a proof compares and shows them: decimals, instants and dates in words, not as tables count them.

use chrono::{Days, NaiveDate};
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

/// Columns that hold JSON: what differs in them is named place by place.
pub(super) const JSON: [&str; 3] = ["document", "detail", "body"];

/// A header of a rating. It is taken apart whole, so that no column that is added is forgotten.
pub(super) fn rating(row: &RatingRow) -> Columns {
    let RatingRow {
        rating_id,
        contract,
        customer,
        provider,
        period_start,
        period_end,
        revision,
        draft,
        document_type,
        seller,
        buyer,
        currency,
        total,
        rows,
        digest,
        blocked,
        document,
        detail,
    } = row;
    vec![
        ("rating_id", json!(rating_id)),
        ("contract", json!(contract)),
        ("customer", json!(customer)),
        ("provider", json!(provider)),
        ("period_start", instant(*period_start)),
        ("period_end", instant(*period_end)),
        ("revision", json!(revision)),
        ("draft", json!(draft)),
        ("document_type", json!(document_type)),
        ("seller", json!(seller)),
        ("buyer", json!(buyer)),
        ("currency", json!(currency)),
        ("total", decimal(*total)),
        ("rows", json!(rows)),
        ("digest", json!(digest)),
        ("blocked", json!(blocked)),
        ("document", json!(document)),
        ("detail", json!(detail)),
    ]
}

/// A row of a rating. It is taken apart whole, so that no column that is added is forgotten.
pub(super) fn rated_line(row: &RatedLineRow) -> Columns {
    let RatedLineRow {
        rating_id,
        contract,
        customer,
        no,
        line,
        kind,
        description,
        meter,
        statistic,
        quantity,
        unit,
        list_price,
        price,
        amount,
        body,
    } = row;
    vec![
        ("rating_id", json!(rating_id)),
        ("contract", json!(contract)),
        ("customer", json!(customer)),
        ("no", json!(no)),
        ("line", json!(line)),
        ("kind", json!(kind)),
        ("description", json!(description)),
        ("meter", json!(meter)),
        ("statistic", json!(statistic)),
        ("quantity", decimal_or_null(*quantity)),
        ("unit", json!(unit)),
        ("list_price", decimal_or_null(*list_price)),
        ("price", decimal_or_null(*price)),
        ("amount", decimal(*amount)),
        ("body", json!(body)),
    ]
}

/// An issued document. It is taken apart whole, so that no column that is added is forgotten.
pub(super) fn invoice(row: &InvoiceRow) -> Columns {
    let InvoiceRow {
        number,
        version,
        document_type,
        state,
        seller,
        buyer,
        provider,
        contract,
        customer,
        period_start,
        period_end,
        label,
        revision,
        decision,
        issued_at,
        issue_date,
        due_date,
        currency,
        total,
        net,
        corrects,
        rating_id,
        digest,
        erp,
        document,
        detail,
    } = row;
    vec![
        ("number", json!(number)),
        ("version", json!(version)),
        ("document_type", json!(document_type)),
        ("state", json!(state)),
        ("seller", json!(seller)),
        ("buyer", json!(buyer)),
        ("provider", json!(provider)),
        ("contract", json!(contract)),
        ("customer", json!(customer)),
        ("period_start", instant(*period_start)),
        ("period_end", instant(*period_end)),
        ("label", json!(label)),
        ("revision", json!(revision)),
        ("decision", json!(decision)),
        ("issued_at", instant(*issued_at)),
        ("issue_date", date(*issue_date)),
        ("due_date", date(*due_date)),
        ("currency", json!(currency)),
        ("total", decimal(*total)),
        ("net", decimal(*net)),
        ("corrects", json!(corrects)),
        ("rating_id", json!(rating_id)),
        ("digest", json!(digest)),
        ("erp", json!(erp)),
        ("document", json!(document)),
        ("detail", json!(detail)),
    ]
}

/// An issued document in lists. It is taken apart whole, so that no column that is added is forgotten.
pub(super) fn invoice_header(row: &InvoiceHeaderRow) -> Columns {
    let InvoiceHeaderRow {
        decision,
        version,
        number,
        document_type,
        state,
        seller,
        buyer,
        provider,
        contract,
        customer,
        label,
        issued_at,
        issue_date,
        due_date,
        currency,
        total,
        corrects,
        erp,
    } = row;
    vec![
        ("decision", json!(decision)),
        ("version", json!(version)),
        ("number", json!(number)),
        ("document_type", json!(document_type)),
        ("state", json!(state)),
        ("seller", json!(seller)),
        ("buyer", json!(buyer)),
        ("provider", json!(provider)),
        ("contract", json!(contract)),
        ("customer", json!(customer)),
        ("label", json!(label)),
        ("issued_at", instant(*issued_at)),
        ("issue_date", date(*issue_date)),
        ("due_date", date(*due_date)),
        ("currency", json!(currency)),
        ("total", decimal(*total)),
        ("corrects", json!(corrects)),
        ("erp", json!(erp)),
    ]
}

/// What of a row falls on somebody. It is taken apart whole, so that no column that is added is forgotten.
pub(super) fn allocation(row: &AllocationRow) -> Columns {
    let AllocationRow {
        rating_id,
        contract,
        no,
        line,
        kind,
        customer,
        quantity,
        unit,
        weight,
        amount,
        currency,
        over_attributed,
    } = row;
    vec![
        ("rating_id", json!(rating_id)),
        ("contract", json!(contract)),
        ("no", json!(no)),
        ("line", json!(line)),
        ("kind", json!(kind)),
        ("customer", json!(customer)),
        ("quantity", decimal_or_null(*quantity)),
        ("unit", json!(unit)),
        ("weight", json!(weight.to_string())),
        ("amount", decimal(*amount)),
        ("currency", json!(currency)),
        ("over_attributed", decimal(*over_attributed)),
    ]
}

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
