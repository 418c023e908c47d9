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
use super::revenue::{Booked, Rates, Unconverted, issued, sold_by, window};
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
    /// The level that figures attain, whoever sold; null if none.
    pub attained: Option<String>,
    /// Revenue of the months that count; a vendor is told what it sold itself.
    pub revenue: String,
    /// Whether others' documents, which are not told, are part of what the level is judged by: `revenue` is not the whole of it then, and
    /// `next` and `market_fund` are null.
    pub partial: bool,
    /// The first of these months.
    pub revenue_from: String,
    /// The last of them.
    pub revenue_to: String,
    /// Revenue that is not in it, for want of a rate.
    pub unconverted: Vec<Unconverted>,
    /// The level above the one attained; null above the highest, and where `partial`: what lacks would tell what others sold.
    pub next: Option<Next>,
    /// Revenue promised; null if none is.
    pub promise: Option<Promise>,
    /// Certifications by track.
    pub certifications: Vec<Track>,
    /// Since when figures attain less than what is granted, whoever sold; null if they do not.
    pub below_since: Option<String>,
    /// When the grace of that ends. What happens then, people decide.
    pub grace_until: Option<String>,
    /// Marketing fund; null if the programme has none, and where `partial`: it is of the whole revenue.
    pub market_fund: Option<Fund>,
    /// The line of the price book that grants what is attained, to paste; null where that is granted already, and while grace runs: until it
    /// ends nobody is put down.
    pub grant: Option<String>,
}

/// The standing of a provider that is in a programme. `booked` are the documents of all sellers: levels are judged by them. A `seller` is
/// told amounts of its own. `statements` are the amounts of [`super::promise::open`].
///
/// # Errors
/// A sum that does not fit.
pub fn standing(
    book: &Book,
    id: &str,
    seller: Option<&str>,
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
    let own = sold_by(booked, seller);
    let months = window(programme.revenue_months, day, &own);
    let revenue = issued(&own, months, day, &rates)?;
    let partial = judged.has_others(seller, day);
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
        partial,
        revenue_from: months.first.to_string(),
        revenue_to: months.last.to_string(),
        unconverted: revenue.shown_unconverted(),
        next: if partial { None } else { judged.next(attained, revenue.amount, day)? },
        promise: match &provider.committed {
            Some(promised) => promise(promised, &own, statements, at, &rates)?,
            None => None,
        },
        certifications: tracks(provider, at),
        below_since: below_since.map(|day| day.to_string()),
        grace_until: grace_until.map(|day| day.to_string()),
        market_fund: if partial { None } else { fund(programme, revenue.amount, &rates)? },
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
        let found = standing(&book, "northwind", None, &issued, &[], at).unwrap().unwrap();
        assert_eq!((found.granted.as_deref(), found.attained.as_deref()), (Some("advanced"), Some("registered")));
        assert_eq!((&*found.revenue, &*found.revenue_from, &*found.revenue_to), ("6065.87", "2025-11", "2026-10"));
        assert_eq!(
            (found.below_since.as_deref(), found.grace_until.as_deref()),
            (Some("2026-07-01"), Some("2027-01-01"))
        );
        assert_eq!(found.market_fund.unwrap().accrued, "60.66");
        assert_eq!(found.next.unwrap().paths[0].revenue_lacking, "2993934.13");
        assert_eq!(found.grant, None, "nobody is put down while grace runs");
        let other = standing(&book, "fjordcloud", None, &[], &[], at).unwrap().unwrap();
        assert_eq!(
            (other.granted.as_deref(), other.attained.as_deref(), other.grant),
            (Some("registered"), Some("registered"), None)
        );
        assert_eq!((other.promise, other.below_since), (None, None));
        assert_eq!(standing(&book, "nobody", None, &[], &[], at).unwrap(), None);
    }

    /// Neither alone sells what advanced wants.
    #[test]
    fn levels_are_judged_by_what_all_sell_and_a_vendor_is_told_what_it_sold() {
        let book = book();
        let at = midnight(day("2026-12-15"));
        let mut issued = vec![
            booked("2026-06", "2026-06-30", "2000000.00"),
            booked("2026-06", "2026-06-30", "2500000.00"),
            booked("2026-11", "2026-12-04", "70.00"),
        ];
        issued[1].seller = "other".to_owned();
        let of = |seller: Option<&str>, issued: &[Booked]| {
            standing(&book, "northwind", seller, issued, &[], at).unwrap().unwrap()
        };
        let whole = of(None, &issued);
        assert_eq!((whole.attained.as_deref(), &*whole.revenue), (Some("advanced"), "4500070.00"));
        assert!(!whole.partial && whole.next.is_some() && whole.market_fund.is_some());
        for (seller, revenue, to) in [("evergrove", "2000070.00", "2026-11"), ("other", "2500000.00", "2026-10")] {
            let found = of(Some(seller), &issued);
            let told = (&*found.revenue, &*found.revenue_to, &*found.promise.as_ref().unwrap().issued);
            assert_eq!(told, (revenue, to, revenue));
            let promise = found.promise.clone();
            let alike = Standing {
                revenue: revenue.to_owned(),
                revenue_from: found.revenue_from.clone(),
                revenue_to: to.to_owned(),
                partial: true,
                next: None,
                market_fund: None,
                promise,
                ..whole.clone()
            };
            assert_eq!(found, alike, "level, grace and grant are the same for whoever asks");
        }
        // what it sells alone is the whole
        issued.remove(1);
        assert_eq!(of(Some("evergrove"), &issued), of(None, &issued));
        assert!(of(Some("other"), &issued).partial);
    }

    #[test]
    fn the_line_that_puts_a_provider_down_is_there_when_its_grace_has_ended() {
        let book = book();
        let grant = |on: &str| {
            let found = standing(&book, "northwind", None, &[], &[], midnight(day(on))).unwrap().unwrap();
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
