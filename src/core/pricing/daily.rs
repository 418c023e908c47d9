//! Commitments day by day: what of each was used, what was not and what lay above it (INVOICE §5). It explains a document and is no
//! part of it: rows are priced from sums that are not rounded by day.

use chrono::NaiveDate;

use super::decimal::Decimal;
use super::error::{Overflow, RateError, at};
use super::line::{Level, UsageLine};
use super::party;
use super::period::{Period, Span, local_day};
use super::rounding::Rounding;
use super::series::series;
use super::terms;
use super::usage::LineUsage;
use super::wide::{self, Wide};
use super::window::windows;
use crate::core::book::model::{Book, Charge, Price, Statistic};
use crate::core::metering::definition::Definition;

/// A line's commitment by local day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDays {
    /// The line.
    pub line: String,
    /// Its unit.
    pub unit: String,
    /// Whether overage is found day by day; else for the period as one, and a day above the commitment need not cost anything.
    pub by_day: bool,
    /// In time order.
    pub days: Vec<Day>,
}

/// A local day of the contract's part of the period. Figures are levels: the quantity that a whole period of such days would have, in
/// the line's unit, at 6 places. `used + unused - over` is the commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: NaiveDate,
    /// The mean of what was used.
    pub used: Decimal,
    /// The commitment in force; of all parts together, where each has its own.
    pub commitment: Decimal,
    /// What of it was not used.
    pub unused: Decimal,
    /// What lay above it.
    pub over: Decimal,
}

/// The days of each line of a contract that has a commitment of a level; peaks and percentiles have none by day. `usages` are those
/// of [`super::rating::rate`].
///
/// # Errors
/// What [`super::rating::rate`] refuses.
pub fn daily(
    book: &Book,
    contract_id: &str,
    customer: Option<&str>,
    period: &Period,
    usages: &[LineUsage],
) -> Result<Vec<LineDays>, RateError> {
    let contract = party::contract(book, contract_id)?;
    let customer = party::rated_customer(contract_id, contract, customer)?;
    let part = party::part(book, contract, customer, period);
    let dangling = || RateError::Dangling { contract: contract_id.to_owned(), what: format!("card {}", contract.card) };
    let card = book.cards.get(&contract.card).ok_or_else(dangling)?;
    let mut given = usages.iter();
    let mut lines = Vec::new();
    for line in &contract.lines {
        let segments = terms::segments(card, contract, line, &part)?;
        let Some(Charge::Usage(rate)) = segments.last().map(|segment| &segment.rate.charge) else { continue };
        let usage = given.next().ok_or(RateError::Usages { given: usages.len(), wanted: usages.len() + 1 })?;
        let Price::Committed { overage_by_day, .. } = rate.price else { continue };
        if !matches!(rate.statistic, Statistic::Mean | Statistic::Sum) {
            continue;
        }
        let spans = windows(contract.time_zone, &part, &terms::cuts(&segments, line));
        let priced = UsageLine::new(line, &segments, &spans, period.span().ms(), &[])?;
        let meter = book.meters.get(&rate.meter);
        let meter_hold_ms = meter.map_or(Definition::OBSERVED.max_hold_ms, |meter| meter.definition.max_hold_ms);
        let mut held = vec![Held::default(); spans.len()];
        for (_, slots) in &series(line, rate, &part, usage, meter_hold_ms)?.parts {
            for (sum, level) in held.iter_mut().zip(priced.levels(slots).map_err(at(&line.id))?) {
                sum.add(level).map_err(at(&line.id))?;
            }
        }
        let days = by_day(contract.time_zone, &spans, &held).map_err(at(&line.id))?;
        lines.push(LineDays { line: line.id.clone(), unit: rate.unit.clone(), by_day: overage_by_day, days });
    }
    Ok(lines)
}

/// What was held in a window, and what of it lay above the commitment: levels times milliseconds, over the unit's denominator.
#[derive(Clone, Copy, Debug)]
struct Held {
    used: Wide,
    committed: Wide,
    over: Wide,
    /// How much of it is a level of 1 for a millisecond.
    one: Wide,
}

impl Default for Held {
    fn default() -> Self {
        Self { used: Wide::ZERO, committed: Wide::ZERO, over: Wide::ZERO, one: Wide::ONE }
    }
}

impl Held {
    /// Adds a part: each is held against its own commitment (PRICING §10).
    fn add(&mut self, level: Level) -> Result<(), Overflow> {
        self.used = wide::plus(self.used, level.used)?;
        self.committed = wide::plus(self.committed, level.committed)?;
        self.over = wide::plus(self.over, wide::minus(level.used, level.committed)?.max(Wide::ZERO))?;
        self.one = level.one;
        Ok(())
    }
}

/// Windows put together by local day: a day at whose noon terms change has two.
fn by_day(zone: chrono_tz::Tz, spans: &[Span], held: &[Held]) -> Result<Vec<Day>, Overflow> {
    let mut days: Vec<(NaiveDate, i64, Held)> = Vec::new();
    for (span, held) in spans.iter().zip(held) {
        let date = local_day(zone, span.from).ok_or(Overflow)?;
        match days.last_mut().filter(|(last, ..)| *last == date) {
            Some((_, ms, sum)) => {
                *ms += span.ms();
                sum.used = wide::plus(sum.used, held.used)?;
                sum.committed = wide::plus(sum.committed, held.committed)?;
                sum.over = wide::plus(sum.over, held.over)?;
            }
            None => days.push((date, span.ms(), *held)),
        }
    }
    let day = |(date, ms, held): (NaiveDate, i64, Held)| {
        let mean = |sum: Wide| {
            let one = wide::product([held.one, Wide::from(ms)])?;
            let millionths = wide::divide(wide::product([sum, wide::ten(6)])?, one, Rounding::HalfEven)?;
            Ok(Decimal::from_nano(wide::narrow(millionths)?.checked_mul(1_000).ok_or(Overflow)?))
        };
        let (used, commitment, over) = (mean(held.used)?, mean(held.committed)?, mean(held.over)?);
        let unused = commitment.minus(used)?.plus(over)?.max(Decimal::ZERO);
        Ok(Day { date, used, commitment, unused, over })
    };
    days.into_iter().map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::{Day, LineDays, daily};
    use crate::core::book::model::{Book, Commitment, Per};
    use crate::core::pricing::period::period;
    use crate::core::pricing::sample::*;
    use crate::core::pricing::usage::{LineUsage, PartUsage};
    use crate::core::word::Instant;

    fn days(book: &Book, usages: &[LineUsage]) -> Vec<LineDays> {
        let september = period(&book.contracts["c"], "2026-09").unwrap();
        daily(book, "c", None, &september, usages).unwrap()
    }

    fn told(day: &Day) -> [String; 4] {
        [day.used, day.commitment, day.unused, day.over].map(|figure| figure.to_string())
    }

    fn committed_book(commitment: Vec<Commitment>) -> Book {
        let mut book = one(committed("24", true, bands(&[("", "27")])));
        book.contracts.get_mut("c").unwrap().lines[0].commitment = commitment;
        book
    }

    fn month() -> (Instant, Instant) {
        (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"))
    }

    /// The commitment rises at noon of day 20: that day is one day, half of each.
    #[test]
    fn a_day_in_which_the_commitment_changes_is_one_day() {
        let noon = at("2026-09-20T12:00:00+02:00");
        let commitment = |from, quantity: &str| Commitment { from, quantity: dec(quantity) };
        let book = committed_book(vec![commitment(None, "100"), commitment(Some(noon), "150")]);
        let (from, until) = month();
        let lines = days(&book, &[pool(from, until, |_| 130 * TIB)]);
        assert_eq!((lines.len(), lines[0].days.len(), lines[0].by_day), (1, 30, true));
        assert_eq!(told(&lines[0].days[18]), ["130", "100", "0", "30"]);
        assert_eq!(told(&lines[0].days[19]), ["130", "125", "10", "15"]);
        assert_eq!(told(&lines[0].days[20]), ["130", "150", "20", "0"]);
        assert_eq!(lines[0].days[19].date.to_string(), "2026-09-20");
    }

    /// Each part has a commitment of its own: what one leaves unused does not cover the other.
    #[test]
    fn parts_are_held_against_their_own_commitments() {
        let mut book = committed_book(commit("10"));
        book.contracts.get_mut("c").unwrap().lines[0].per = Some(Per::Array);
        let (from, until) = month();
        let part = |name: &str, level: i128| {
            let slots = slots(from, until, |_| level * TIB / 3);
            PartUsage { name: name.to_owned(), slots, known: Vec::new() }
        };
        let usage = LineUsage { parts: vec![part("a", 47), part("b", 4)], arrays: vec![seen("a", from, until)] };
        assert_eq!(told(&days(&book, &[usage])[0].days[0]), ["17", "20", "8.666667", "5.666667"]);
    }

    /// The month in which the clock goes back has a day of 25 hours, and a mean is a mean all the same; without a commitment there are no days.
    #[test]
    fn days_have_their_real_length() {
        let book = committed_book(commit("10"));
        let october = period(&book.contracts["c"], "2026-10").unwrap();
        let usage = pool(october.start, october.end, |_| 12 * TIB);
        let lines = daily(&book, "c", None, &october, &[usage]).unwrap();
        assert!(lines[0].days.iter().all(|day| told(day) == ["12", "10", "0", "2"]));
        assert_eq!(lines[0].days.len(), 31);
        let (from, until) = month();
        assert_eq!(days(&one(graduated(three())), &[pool(from, until, |_| TIB)]), []);
    }
}
