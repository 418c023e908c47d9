//! Coverage of a line (PRICING §12): observed milliseconds over expected ones, of all its arrays.

use super::decimal::Decimal;
use super::error::Overflow;
use super::period::Span;
use super::rounding::Rounding;
use super::usage::ArrayCoverage;
use super::wide::{self, Wide};
use super::window::length;
use crate::core::book::model::Book;
use crate::core::word::Instant;

/// The coverage of a line's arrays, of 6 places; none if nothing was expected of any. It is 1 only if nothing is missing.
pub fn coverage(book: &Book, arrays: &[ArrayCoverage], part: &[Span]) -> Result<Option<Decimal>, Overflow> {
    let (mut observed, mut expected) = (0i128, 0i128);
    for array in arrays {
        let spans = expected_spans(book, array, part);
        let seen: i64 = array.observed.iter().filter(|(start, _)| holds(&spans, *start)).map(|(_, ms)| *ms).sum();
        let due = length(&spans);
        observed += i128::from(seen.min(due));
        expected += i128::from(due);
    }
    if expected == 0 {
        return Ok(None);
    }
    ratio(observed, expected).map(Some)
}

/// Observed over expected milliseconds, of 6 places; expected ones are above 0. It is 1 only if nothing is missing.
pub fn ratio(observed: i128, expected: i128) -> Result<Decimal, Overflow> {
    let millionths = wide::product([Wide::from(observed), wide::ten(6)])?;
    let millionths = wide::narrow(wide::divide(millionths, Wide::from(expected), Rounding::HalfEven)?)?;
    let most = if observed == expected { 1_000_000 } else { 999_999 };
    Ok(Decimal::from_nano(millionths.min(most) * 1_000))
}

/// How many of the arrays were observed in the contract's part of the period.
#[must_use]
pub fn arrays(book: &Book, arrays: &[ArrayCoverage], part: &[Span]) -> usize {
    let seen = |array: &&ArrayCoverage| {
        let spans = expected_spans(book, array, part);
        array.observed.iter().any(|(start, ms)| *ms > 0 && holds(&spans, *start))
    };
    arrays.iter().filter(seen).count()
}

/// The contract's part of the period from the array's first reading ever, or the end of its demonstration. The first quarter of an
/// hour counts from that reading on.
fn expected_spans(book: &Book, array: &ArrayCoverage, part: &[Span]) -> Vec<Span> {
    let Some(mut from) = array.first_reading else { return Vec::new() };
    if let Some(purpose) = book.arrays.get(&array.array).filter(|purpose| purpose.demo) {
        from = from.max(purpose.until.unwrap_or(Instant(i64::MAX)));
    }
    part.iter().filter_map(|span| span.meet(Span { from, until: Instant(i64::MAX) })).collect()
}

/// Whether a quarter of an hour has a part in the spans.
fn holds(spans: &[Span], start: Instant) -> bool {
    let quarter = Span { from: start, until: start.plus_ms(900_000) };
    spans.iter().any(|span| span.meet(quarter).is_some())
}
