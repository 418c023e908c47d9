//! Labels of periods: months from one to another, and those in which something lies.

use chrono::Months;

use super::error::RateError;
use super::period::{Span, month, period};
use crate::core::book::model::Contract;
use crate::core::word::Instant;

/// All labels from the first to the last, both included.
///
/// # Errors
/// A label that is none.
pub fn months(first: &str, last: &str) -> Result<Vec<String>, RateError> {
    let parse = |label: &str| month(label).ok_or_else(|| RateError::Label(label.to_owned()));
    let (first, last) = (parse(first)?, parse(last)?);
    let all = (0..).map_while(|number| first.checked_add_months(Months::new(number)));
    Ok(all.take_while(|month| *month <= last).map(|month| month.format("%Y-%m").to_string()).collect())
}

/// The labels of a contract's periods that have a part of the span in which it is in force.
#[must_use]
pub fn labels(contract: &Contract, from: Instant, until: Instant) -> Vec<String> {
    let force = Span { from: contract.from, until: contract.until.unwrap_or(Instant(i64::MAX)) };
    let Some(span) = force.meet(Span { from, until }) else { return Vec::new() };
    let label = |instant: Instant, months: i32| {
        let day = chrono::DateTime::from_timestamp_millis(instant.0)?.date_naive();
        let moved =
            if months < 0 { day.checked_sub_months(Months::new(1)) } else { day.checked_add_months(Months::new(1)) };
        Some(moved?.format("%Y-%m").to_string())
    };
    // a period begins up to a month before what lies in it, and its zone up to a day before UTC
    let (Some(first), Some(last)) = (label(span.from, -1), label(span.until, 1)) else { return Vec::new() };
    let has_part = |label: &String| period(contract, label).is_ok_and(|period| period.span().meet(span).is_some());
    months(&first, &last).unwrap_or_default().into_iter().filter(has_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::northwind;

    #[test]
    fn months_run_over_the_year() {
        assert_eq!(months("2026-11", "2027-01").unwrap(), ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(months("2026-11", "2026-10").unwrap(), Vec::<String>::new());
        assert!(months("2026-13", "2027-01").is_err());
    }

    #[test]
    fn labels_follow_the_contract_and_its_zone() {
        let mut contract = northwind().contracts["northwind-wholesale"].clone();
        let at = |text: &str| crate::core::event::time::parse(text).unwrap();
        // the first hour of October in Berlin is September in UTC
        let (from, until) = (at("2026-09-30T22:00:00Z"), at("2026-11-01T00:00:00Z"));
        assert_eq!(labels(&contract, from, until), ["2026-10", "2026-11"]);
        contract.anchor_day = 15;
        assert_eq!(labels(&contract, from, until), ["2026-09", "2026-10"]);
        contract.until = Some(at("2026-10-01T00:00:00Z"));
        assert_eq!(labels(&contract, from, until), ["2026-09"]);
        contract.until = Some(from);
        assert_eq!(labels(&contract, from, until), Vec::<String>::new());
    }
}
