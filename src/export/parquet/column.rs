//! The columns of the Parquet file: those of the CSV under the same names, with types.

use chrono::NaiveDate;

use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::event::time::parse;
use crate::core::pricing::row::statistic_name;

/// Places of quantities, prices and amounts, as in the tables.
pub(super) const PLACES: u32 = 9;
/// Places of an amount before rounding.
pub(super) const UNROUNDED_PLACES: u32 = 15;
/// The first number of 39 digits: DECIMAL(38) ends below it.
const DECIMAL_END: u128 = 10u128.pow(38);

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words.
    Text,
    /// A decimal of so many places.
    Decimal(u32),
    /// An instant, in UTC.
    Instant,
    /// A date.
    Day,
    /// A whole number.
    Whole,
    /// Yes or no.
    Truth,
}

/// A column: its name, what it holds, and whether each row has it.
pub(super) type Column = (&'static str, Kind, bool);

/// The columns, in order. Columns are only ever added, at the end.
pub(super) const COLUMNS: [Column; 32] = [
    ("invoice", Kind::Text, true),
    ("type", Kind::Text, true),
    ("issue_date", Kind::Day, false),
    ("due_date", Kind::Day, false),
    ("seller", Kind::Text, true),
    ("buyer", Kind::Text, true),
    ("purchase_order", Kind::Text, false),
    ("contract", Kind::Text, true),
    ("period_start", Kind::Instant, true),
    ("period_end", Kind::Instant, true),
    ("no", Kind::Whole, true),
    ("line", Kind::Text, false),
    ("kind", Kind::Text, true),
    ("description", Kind::Text, true),
    ("meter", Kind::Text, false),
    ("statistic", Kind::Text, false),
    ("site", Kind::Text, false),
    ("quantity", Kind::Decimal(PLACES), false),
    ("unit", Kind::Text, false),
    // an edge may be a percent of the commitment
    ("band_over", Kind::Text, false),
    ("band_up_to", Kind::Text, false),
    ("list_price", Kind::Decimal(PLACES), false),
    ("price", Kind::Decimal(PLACES), false),
    ("unrounded", Kind::Decimal(UNROUNDED_PLACES), true),
    ("amount", Kind::Decimal(PLACES), true),
    ("currency", Kind::Text, true),
    // there may be several
    ("tax_percent", Kind::Text, false),
    ("coverage", Kind::Decimal(PLACES), false),
    ("estimated", Kind::Truth, true),
    ("corrects_invoice", Kind::Text, false),
    ("corrects_row", Kind::Whole, false),
    ("state", Kind::Text, true),
];

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Nothing.
    Null,
    /// Words.
    Text(String),
    /// A decimal, as a whole number of its last place.
    Decimal(i128),
    /// Milliseconds since 1970, or a whole number.
    Whole(i64),
    /// Days since 1970.
    Day(i32),
    /// Yes or no.
    Truth(bool),
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

fn maybe(text: Option<&str>) -> Field {
    text.filter(|text| !text.is_empty()).map_or(Field::Null, |text| Field::Text(text.to_owned()))
}

fn decimal(text: &str, places: u32) -> Result<Field, DocumentError> {
    let number = Figure::parse(text)?.minor(places)?;
    if number.unsigned_abs() >= DECIMAL_END {
        return Err(DocumentError::OutOfRange("a decimal of 38 digits"));
    }
    Ok(Field::Decimal(number))
}

fn maybe_decimal(text: Option<&str>) -> Result<Field, DocumentError> {
    text.map_or(Ok(Field::Null), |text| decimal(text, PLACES))
}

fn instant(text: &str) -> Result<Field, DocumentError> {
    parse(text).map(|instant| Field::Whole(instant.0)).ok_or_else(|| DocumentError::Time(text.to_owned()))
}

fn day(text: Option<&str>) -> Result<Field, DocumentError> {
    let Some(text) = text else { return Ok(Field::Null) };
    let day: NaiveDate = text.parse().map_err(|_| DocumentError::Time(text.to_owned()))?;
    Ok(Field::Day(day.to_epoch_days()))
}

fn whole(number: usize) -> Result<Field, DocumentError> {
    i64::try_from(number).map(Field::Whole).map_err(|_| DocumentError::OutOfRange("the number of a row"))
}

/// The fields of one row, in the order of [`COLUMNS`].
pub(super) fn fields(document: &Document, row: &DocumentRow) -> Result<[Field; COLUMNS.len()], DocumentError> {
    let (start, end) = match &row.period {
        Some(own) => (&own.start, &own.end),
        None => (&document.period.start, &document.period.end),
    };
    let percents: Vec<&str> = document.taxes.iter().map(|tax| &*tax.percent).collect();
    let band = row.band.as_ref();
    Ok([
        text(document.number.as_deref().unwrap_or_default()),
        text(document.kind.as_str()),
        day(document.issue_date.as_deref())?,
        day(document.due_date.as_deref())?,
        text(&document.seller.id),
        text(&document.buyer.id),
        maybe(document.buyer.purchase_order.as_deref()),
        text(&document.contract),
        instant(start)?,
        instant(end)?,
        whole(row.no)?,
        maybe(row.line.as_deref()),
        text(row.kind.as_str()),
        text(&row.description),
        maybe(row.meter.as_deref()),
        maybe(row.statistic.map(statistic_name)),
        maybe(Some(row.sites.join(" ").as_str())),
        maybe_decimal(row.quantity.as_deref())?,
        maybe(row.unit.as_deref()),
        maybe(band.map(|band| &*band.over)),
        maybe(band.and_then(|band| band.up_to.as_deref())),
        maybe_decimal(row.list_price.as_deref())?,
        maybe_decimal(row.price.as_deref())?,
        decimal(&row.unrounded, UNROUNDED_PLACES)?,
        decimal(&row.amount, PLACES)?,
        text(&document.currency),
        maybe(Some(percents.join(" ").as_str())),
        maybe_decimal(row.coverage.as_deref())?,
        Field::Truth(row.estimated),
        maybe(document.references.corrects.first().map(String::as_str)),
        row.corrects.map_or(Ok(Field::Null), whole)?,
        text(document.state.as_str()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::render::csv;
    use crate::core::billing::sample::northwind_invoice;

    #[test]
    fn columns_are_those_of_the_csv_and_fields_have_their_types() {
        assert_eq!(COLUMNS.map(|(name, ..)| name), csv::COLUMNS);
        let invoice = northwind_invoice();
        for row in &invoice.rows {
            for ((name, kind, is_required), field) in COLUMNS.iter().zip(fields(&invoice, row).unwrap()) {
                let fits = match (kind, &field) {
                    (_, Field::Null) => !is_required,
                    (Kind::Text, Field::Text(_)) | (Kind::Decimal(_), Field::Decimal(_)) => true,
                    (Kind::Instant | Kind::Whole, Field::Whole(_)) => true,
                    (Kind::Day, Field::Day(_)) | (Kind::Truth, Field::Truth(_)) => true,
                    _ => false,
                };
                assert!(fits, "{name}: {field:?}");
            }
        }
        let first = fields(&invoice, &invoice.rows[0]).unwrap();
        assert_eq!((&first[2], &first[8]), (&Field::Day(20_730), &Field::Whole(1_788_213_600_000)));
        assert_eq!((&first[17], &first[24]), (&Field::Decimal(100_000_000_000), &Field::Decimal(2_188_320_000_000)));
    }

    #[test]
    fn a_decimal_has_38_digits() {
        let largest = format!("{}.{}", "9".repeat(23), "9".repeat(15));
        assert_eq!(decimal(&largest, UNROUNDED_PLACES).unwrap(), Field::Decimal(10i128.pow(38) - 1));
        let over = format!("1{}", "0".repeat(23));
        assert!(decimal(&over, UNROUNDED_PLACES).is_err() && decimal(&format!("-{over}"), UNROUNDED_PLACES).is_err());
        assert!(decimal("0.0000000001", PLACES).is_err(), "no place is lost in silence");
    }
}
