//! Which periods of a provider there are: from its first usage, stream or contract on, those of all contracts in force (DESIGN §7).

use chrono::{Datelike as _, Months, NaiveDate};

use super::period::{ProviderPeriod, labelled};
use crate::core::book::Book;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::local_day;
use crate::core::word::Instant;

/// Months that are looked at, the newest: ten years. A book whose usage begins earlier has its oldest periods closed by hand.
const MONTHS_MAX: u32 = 120;

/// Whether a period that ends then falls due without anybody, for a provider that begins then ([`super::register::Register::begins`]).
#[must_use]
pub fn falls_due(end: Instant, begins: Instant) -> bool {
    begins < end
}

/// The periods of a provider that end after `from` and have begun by `now`, by their end. A contract without usage has periods too: its
/// commitment or minimum is due all the same.
///
/// # Errors
/// None that labels made here can cause.
pub fn periods(book: &Book, provider: &str, from: Instant, now: Instant) -> Result<Vec<ProviderPeriod>, RateError> {
    let utc = chrono_tz::UTC;
    let (Some(first), Some(last)) = (local_day(utc, from), local_day(utc, now)) else { return Ok(Vec::new()) };
    let end = first_of(last).checked_add_months(Months::new(1));
    // a month that begins elsewhere a day later, and one whose anchor day lies in the month before. One old reading leaves away the oldest
    // months, and never those that are due now
    let begin = first_of(first).checked_sub_months(Months::new(2));
    let mut month = begin.max(end.and_then(|end| end.checked_sub_months(Months::new(MONTHS_MAX - 1))));
    let mut periods = Vec::new();
    while let Some(now_at) = month.filter(|month| end.is_some_and(|end| *month <= end)) {
        let of_label = labelled(book, provider, &now_at.format("%Y-%m").to_string())?;
        periods
            .extend(of_label.into_iter().filter(|period| falls_due(period.key.end, from) && period.key.start <= now));
        month = now_at.checked_add_months(Months::new(1));
    }
    periods.sort_by(|one, other| (one.key.end, &one.key).cmp(&(other.key.end, &other.key)));
    Ok(periods)
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::{at, northwind};

    #[test]
    fn periods_reach_from_the_first_usage_to_now_by_their_end() {
        let found = periods(&northwind(), "northwind", at("2026-09-15T00:00:00Z"), at("2026-11-02T00:00:00Z")).unwrap();
        let labels: Vec<&str> = found.iter().map(|period| &*period.label).collect();
        assert_eq!(labels, ["2026-09", "2026-10", "2026-11"]);
        assert!(found[0].key.start == at("2026-08-31T22:00:00Z") && found[0].key.end == at("2026-09-30T22:00:00Z"));
        assert_eq!(found[0].due(), at("2026-10-03T22:00:00Z"));
        assert!(!found[0].contracts.is_empty());
    }

    #[test]
    fn months_are_looked_at_up_to_their_bound() {
        let mut book = northwind();
        book.contracts.values_mut().for_each(|contract| contract.until = None);
        let found = periods(&book, "northwind", at("2026-01-01T00:00:00Z"), at("2060-01-01T00:00:00Z")).unwrap();
        let most = MONTHS_MAX as usize;
        // the last that is looked at has not begun
        assert!((most - 3..=most).contains(&found.len()), "{}", found.len());
    }

    /// A reading of 2014 that was accepted late kept everything since 2024 from being closed.
    #[test]
    fn one_old_reading_keeps_no_period_of_now_away() {
        let (long_ago, now) = (at("2014-01-01T00:00:00Z"), at("2026-11-02T00:00:00Z"));
        let labels = |from: Instant| -> Vec<String> {
            let found = periods(&northwind(), "northwind", from, now).unwrap();
            found.into_iter().map(|period| period.label).collect()
        };
        assert_eq!(labels(long_ago), labels(at("2017-01-01T00:00:00Z")));
        assert!(labels(long_ago).ends_with(&["2026-10", "2026-11"].map(str::to_owned)), "{:?}", labels(long_ago));
    }
}
