//! Where a provider stands in its programme: granted by people, attained by figures, promised by commitment, side by side.

use serde::Serialize;
use utoipa::ToSchema;

use super::certification::{Track, tracks};
use super::error::ProgrammeError;
use super::fund::{Fund, fund};
use super::grant;
use super::level::{Judged, Next};
use super::month::utc_day;
use super::promise::{Promise, promise};
use super::revenue::{Booked, Rates, Unconverted, issued};
use crate::core::billing::figure::Figure;
use crate::core::book::model::Book;
use crate::core::word::Instant;

/// A provider's standing at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Standing {
    /// The provider.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// The programme.
    pub programme: String,
    /// The programme's currency, in which all amounts are.
    pub currency: String,
    /// The instant.
    pub at: String,
    /// The level granted; null if none is.
    pub granted: Option<String>,
    /// Since when.
    pub granted_from: Option<String>,
    /// What it takes off list prices.
    pub discount_percent: Option<String>,
    /// The level that figures attain; null if none.
    pub attained: Option<String>,
    /// Revenue of the months that count.
    pub revenue: String,
    /// The first of these months.
    pub revenue_from: String,
    /// The last of them.
    pub revenue_to: String,
    /// Revenue that is not in it, for want of a rate.
    pub unconverted: Vec<Unconverted>,
    /// The level above the one attained; null above the highest.
    pub next: Option<Next>,
    /// Revenue promised; null if none is.
    pub promise: Option<Promise>,
    /// Certifications by track.
    pub certifications: Vec<Track>,
    /// Since when figures attain less than what is granted; null if they do not.
    pub below_since: Option<String>,
    /// When the grace of that ends. What happens then, people decide.
    pub grace_until: Option<String>,
    /// Marketing fund; null if the programme has none.
    pub market_fund: Option<Fund>,
    /// The line of the price book that grants what is attained, to paste; null where that is granted already, and while grace runs: until it
    /// ends nobody is put down.
    pub grant: Option<String>,
}

/// The standing of a provider that is in a programme. `statements` are the amounts of [`super::promise::open`].
///
/// # Errors
/// A sum that does not fit.
pub fn standing(
    book: &Book,
    id: &str,
    booked: &[Booked],
    statements: &[(String, Figure)],
    at: Instant,
) -> Result<Option<Standing>, ProgrammeError> {
    let Some(provider) = book.providers.get(id) else { return Ok(None) };
    let named = provider.programme.as_ref().and_then(|name| Some((name, book.programmes.get(name)?)));
    let Some((name, programme)) = named else { return Ok(None) };
    let rates = Rates::of(programme)?;
    let judged = Judged { programme, provider, booked, rates: &rates };
    let day = utc_day(at);
    let months = judged.months(day);
    let revenue = issued(booked, months, day, &rates)?;
    let attained = judged.attained(day)?;
    let granted = judged.granted(at);
    let level = |rank: usize| programme.levels.get(rank).map(|level| level.name.clone());
    let granted_rank = granted.and_then(|granted| judged.rank(&granted.level));
    let below_since = judged.below_since(day)?;
    let grace_until = below_since.and_then(|since| judged.grace_until(since));
    let is_in_grace = below_since.is_some() && grace_until.is_none_or(|end| day < end);
    let attained_level = attained.and_then(level);
    let differs = attained_level.as_ref().filter(|level| granted.is_none_or(|granted| granted.level != **level));
    let to_grant = differs.filter(|_| !is_in_grace);
    Ok(Some(Standing {
        provider: id.to_owned(),
        name: provider.party.name.clone(),
        programme: name.clone(),
        currency: programme.currency.clone(),
        at: at.rfc3339(),
        granted: granted.map(|granted| granted.level.clone()),
        granted_from: granted.map(|granted| granted.from.rfc3339()),
        discount_percent: granted_rank
            .and_then(|rank| programme.levels.get(rank))
            .map(|level| level.discount_percent.normalize().to_string()),
        revenue: rates.show(revenue.amount)?,
        revenue_from: months.first.to_string(),
        revenue_to: months.last.to_string(),
        unconverted: revenue.shown_unconverted(),
        next: judged.next(attained, revenue.amount, day)?,
        promise: match &provider.committed {
            Some(promised) => promise(promised, booked, statements, at, &rates)?,
            None => None,
        },
        certifications: tracks(provider, at),
        below_since: below_since.map(|day| day.to_string()),
        grace_until: grace_until.map(|day| day.to_string()),
        market_fund: fund(programme, revenue.amount, &rates)?,
        grant: to_grant.map(|level| grant::line(provider, level, day)),
        attained: attained_level,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::month::midnight;
    use super::super::sample::{book, booked, day};
    use super::*;

    #[test]
    fn granted_attained_and_promised_stand_side_by_side() {
        let book = book();
        let issued = [booked("2026-09", "2026-10-04", "3260.87"), booked("2026-10", "2026-11-04", "2805.00")];
        let at = midnight(day("2026-11-25"));
        let found = standing(&book, "northwind", &issued, &[], at).unwrap().unwrap();
        assert_eq!((found.granted.as_deref(), found.attained.as_deref()), (Some("advanced"), Some("registered")));
        assert_eq!((&*found.revenue, &*found.revenue_from, &*found.revenue_to), ("6065.87", "2025-11", "2026-10"));
        assert_eq!(
            (found.below_since.as_deref(), found.grace_until.as_deref()),
            (Some("2026-07-01"), Some("2027-01-01"))
        );
        assert_eq!(found.market_fund.unwrap().accrued, "60.66");
        assert_eq!(found.next.unwrap().paths[0].revenue_lacking, "2993934.13");
        assert_eq!(found.grant, None, "nobody is put down while grace runs");
        let other = standing(&book, "fjordcloud", &[], &[], at).unwrap().unwrap();
        assert_eq!(
            (other.granted.as_deref(), other.attained.as_deref(), other.grant),
            (Some("registered"), Some("registered"), None)
        );
        assert_eq!((other.promise, other.below_since), (None, None));
        assert_eq!(standing(&book, "nobody", &[], &[], at).unwrap(), None);
    }

    #[test]
    fn the_line_that_puts_a_provider_down_is_there_when_its_grace_has_ended() {
        let book = book();
        let grant = |on: &str| {
            let found = standing(&book, "northwind", &[], &[], midnight(day(on))).unwrap().unwrap();
            assert_eq!(
                (found.attained.as_deref(), found.grace_until.as_deref()),
                (Some("registered"), Some("2027-01-01"))
            );
            found.grant
        };
        assert_eq!(grant("2026-12-31"), None);
        assert_eq!(
            grant("2027-01-01").as_deref(),
            Some(
                "levels = [{ from = 2026-01-01, level = \"registered\" }, { from = 2026-07-01, level = \"advanced\" }, \
                 { from = 2027-01-01, level = \"registered\" }]"
            )
        );
    }
}
