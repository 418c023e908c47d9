//! The billing period of a charge: an invoice's own; of a correction the one that is open when it is issued (INVOICE §5).

use chrono::{Months, NaiveDate};
use chrono_tz::Tz;

use crate::core::billing::document::{Document, DocumentType};
use crate::core::billing::error::DocumentError;
use crate::core::event::time::parse;
use crate::core::pricing::period::{local_day, midnight};
use crate::core::word::Instant;

/// Most months between a period and its correction: a hundred years.
const MOST_MONTHS: u32 = 1_200;

/// Start and end of the billing period of a document's charges, RFC 3339.
pub(super) fn billing(document: &Document) -> Result<(String, String), DocumentError> {
    let own = (document.period.start.clone(), document.period.end.clone());
    if document.kind == DocumentType::Invoice {
        return Ok(own);
    }
    let wrong = |text: &String| DocumentError::Time(text.clone());
    let (zone_name, end) = (&document.period.time_zone, &document.period.end);
    let zone: Tz = zone_name.parse().map_err(|_| wrong(zone_name))?;
    let first = parse(end).and_then(|end| local_day(zone, end)).ok_or_else(|| wrong(end))?;
    let issued = document.issue_date.as_deref().and_then(|date| date.parse().ok()).unwrap_or(first);
    Ok(open(zone, first, issued).unwrap_or(own))
}

/// The period, of those that begin with the day `first` and a month after each other, in which a day lies; the first for days before.
fn open(zone: Tz, first: NaiveDate, day: NaiveDate) -> Option<(String, String)> {
    let start = |months: u32| first.checked_add_months(Months::new(months));
    let months = (0..MOST_MONTHS).find(|months| start(months + 1).is_some_and(|next| next > day))?;
    let shown = |day: NaiveDate| midnight(zone, day).map(Instant::rfc3339);
    Some((shown(start(months)?)?, shown(start(months + 1)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_billed_in_the_month_in_which_it_is_issued() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let open = |first: &str, issued: &str| open(chrono_tz::Europe::Berlin, day(first), day(issued)).unwrap();
        let november = ("2026-10-31T23:00:00Z".to_owned(), "2026-11-30T23:00:00Z".to_owned());
        assert_eq!(open("2026-10-01", "2026-11-30"), november);
        assert_eq!(open("2026-10-01", "2026-11-01"), november);
        assert_eq!(open("2026-10-01", "2026-09-03").0, "2026-09-30T22:00:00Z");
        assert_eq!(open("2026-10-31", "2027-02-28").0, "2027-02-27T23:00:00Z");
    }
}
