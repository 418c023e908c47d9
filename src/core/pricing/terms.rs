//! Segments of constant terms: the rates of one id that follow each other in a period, and the commitment in force (PRICING §9).

use super::decimal::Decimal;
use super::error::{RateError, at};
use super::period::{Span, instant};
use super::window::length;
use crate::core::book::model::{Card, Commitment, Contract, Line, Rate};
use crate::core::word::Instant;

/// A rate and the spans of the contract's part of the period in which it is in force.
#[derive(Clone, Debug)]
pub struct Segment<'book> {
    /// When.
    pub spans: Vec<Span>,
    /// The rate.
    pub rate: &'book Rate,
}

impl Segment<'_> {
    /// From its first instant to its last.
    #[must_use]
    pub fn hull(&self) -> Span {
        let from = self.spans.first().map_or(Instant(0), |span| span.from);
        Span { from, until: self.spans.last().map_or(from, |span| span.until) }
    }
}

/// The line's segments in time order; together they are the contract's part of the period (PRICING §9).
pub fn segments<'book>(
    card: &'book Card,
    contract: &Contract,
    line: &Line,
    part: &[Span],
) -> Result<Vec<Segment<'book>>, RateError> {
    let none = || RateError::NoRate(line.id.clone());
    let mut starts = Vec::new();
    for rate in card.rates.iter().filter(|rate| rate.id == line.rate) {
        let from = match rate.from {
            None => Instant(i64::MIN),
            Some(date) => instant(contract.time_zone, date).ok_or_else(none)?,
        };
        starts.push((from, rate));
    }
    starts.sort_by_key(|(from, _)| *from);
    let ends = starts.iter().skip(1).map(|(from, _)| *from).chain([Instant(i64::MAX)]);
    let mut segments = Vec::new();
    for ((from, rate), until) in starts.iter().zip(ends) {
        let spans: Vec<Span> = part.iter().filter_map(|span| span.meet(Span { from: *from, until })).collect();
        if !spans.is_empty() {
            segments.push(Segment { spans, rate });
        }
    }
    let covered: i64 = segments.iter().map(|segment| length(&segment.spans)).sum();
    if covered == length(part) { Ok(segments) } else { Err(none()) }
}

/// The instants at which a line's terms change: where its segments begin and its commitment.
#[must_use]
pub fn cuts(segments: &[Segment<'_>], line: &Line) -> Vec<Instant> {
    let rates = segments.iter().skip(1).map(|segment| segment.hull().from);
    rates.chain(line.commitment.iter().filter_map(|commitment| commitment.from)).collect()
}

/// The commitment in force at an instant: the last that has begun, else the first (PRICING §6).
pub fn committed(line: &Line, instant: Instant) -> Result<Decimal, RateError> {
    let begun = |commitment: &&Commitment| commitment.from.is_none_or(|from| from <= instant);
    let commitment = line.commitment.iter().rev().find(begun).or_else(|| line.commitment.first());
    let commitment = commitment.ok_or_else(|| RateError::NoCommitment(line.id.clone()))?;
    Decimal::from_decimal(commitment.quantity).map_err(at(&line.id))
}
