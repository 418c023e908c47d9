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
        let due = length(&expected_spans(book, array, part));
        observed += i128::from(seen(book, array, part).min(due));
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

/// An array of which something is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The array.
    pub array: String,
    /// What of it was observed, of 6 places.
    pub coverage: Decimal,
    /// From when on it was expected.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
    /// Up to when it was observed last, as far as windows tell; none if it never was.
    pub seen_until: Option<Instant>,
}

/// The arrays of which something is missing in the contract's part of the period; those of which most is first, then by id.
pub fn missing(book: &Book, arrays: &[ArrayCoverage], part: &[Span]) -> Result<Vec<Missing>, Overflow> {
    let mut all: Vec<(i64, Missing)> = Vec::new();
    for array in arrays {
        let expected = expected_spans(book, array, part);
        let (due, seen) = (length(&expected), seen(book, array, part));
        let (Some(first), Some(last)) = (expected.first(), expected.last()) else { continue };
        if seen >= due {
            continue;
        }
        let inside = |start: &Instant| expected.iter().any(|span| span.holds(*start));
        let seen_until =
            array.observed.iter().rev().find(|(start, _)| inside(start)).map(|(start, ms)| start.plus_ms(*ms));
        let coverage = ratio(i128::from(seen), i128::from(due))?;
        let (array, from, until) = (array.array.clone(), first.from, last.until);
        all.push((seen - due, Missing { array, coverage, from, until, seen_until }));
    }
    all.sort_by(|(one, of_one), (other, of_other)| (one, &of_one.array).cmp(&(other, &of_other.array)));
    Ok(all.into_iter().map(|(_, missing)| missing).collect())
}

/// How many of the arrays were observed in the contract's part of the period.
#[must_use]
pub fn arrays(book: &Book, arrays: &[ArrayCoverage], part: &[Span]) -> usize {
    arrays.iter().filter(|array| seen(book, array, part) > 0).count()
}

/// Milliseconds in which the array was observed in the contract's part of the period, after its demonstration. Before its first
/// reading there are none.
fn seen(book: &Book, array: &ArrayCoverage, part: &[Span]) -> i64 {
    let from = demo_until(book, array);
    let inside = |start: &Instant| *start >= from && part.iter().any(|span| span.holds(*start));
    array.observed.iter().filter(|(start, _)| inside(start)).map(|(_, ms)| *ms).sum()
}

/// The end of the array's demonstration; before all time if it has none.
fn demo_until(book: &Book, array: &ArrayCoverage) -> Instant {
    match book.arrays.get(&array.array) {
        Some(purpose) if purpose.demo => purpose.until.unwrap_or(Instant(i64::MAX)),
        _ => Instant(i64::MIN),
    }
}

/// The contract's part of the period from the array's first reading ever, or the end of its demonstration, to its hand-over.
fn expected_spans(book: &Book, array: &ArrayCoverage, part: &[Span]) -> Vec<Span> {
    let Some(first) = array.first_reading else { return Vec::new() };
    let from = first.max(demo_until(book, array));
    let until = array.handed_over.unwrap_or(Instant(i64::MAX));
    part.iter().filter_map(|span| span.meet(Span { from, until })).collect()
}
