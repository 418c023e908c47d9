//! Which level a provider attains, and what the next one lacks.

use std::collections::BTreeMap;

use chrono::{Months as Later, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use super::certification::held;
use super::error::ProgrammeError;
use super::month::{Month, Months, midnight, utc_day};
use super::revenue::{Booked, Rates, figure, issued, window};
use crate::core::billing::figure::Figure;
use crate::core::book::model::{Granted, LevelPath, Programme, Provider};
use crate::core::word::Instant;

/// The level above the one attained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Next {
    /// Its name.
    pub level: String,
    /// What it takes off list prices.
    pub discount_percent: String,
    /// What lacks on each of its paths; one of them is enough.
    pub paths: Vec<Lacking>,
}

/// What lacks on one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Lacking {
    /// Revenue that the path wants.
    pub revenue: String,
    /// How much of it lacks.
    pub revenue_lacking: String,
    /// Certifications that the path wants.
    pub certifications: Vec<LackingTrack>,
}

/// What lacks of one track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LackingTrack {
    /// The track.
    pub track: String,
    /// How many the path wants.
    pub wanted: u32,
    /// How many of them lack.
    pub lacking: u32,
}

/// What levels are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The programme.
    pub programme: &'a Programme,
    /// The provider.
    pub provider: &'a Provider,
    /// Its issued documents, whoever sold.
    pub booked: &'a [Booked],
    /// Into the programme's currency.
    pub rates: &'a Rates<'a>,
}

impl<'a> Judged<'a> {
    /// The months whose revenue counts on a day.
    #[must_use]
    pub fn months(&self, day: NaiveDate) -> Months {
        window(self.programme.revenue_months, day, self.booked)
    }

    /// Whether what counts on a day was sold by others than a seller too.
    #[must_use]
    pub fn has_others(&self, seller: Option<&str>, day: NaiveDate) -> bool {
        let months = self.months(day);
        let mut counts = self.booked.iter().filter(|one| one.issued <= day && months.hold(one.month()));
        seller.is_some_and(|seller| counts.any(|one| one.seller != seller))
    }

    /// The rank of the level attained on a day: the highest of which one path is fulfilled. The lowest level needs none; another one without
    /// paths is granted by people only.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn attained(&self, day: NaiveDate) -> Result<Option<usize>, ProgrammeError> {
        let revenue = issued(self.booked, self.months(day), day, self.rates)?.amount;
        let held = held(self.provider, midnight(day));
        for (rank, level) in self.programme.levels.iter().enumerate().rev() {
            if rank == 0 && level.paths.is_empty() {
                return Ok(Some(0));
            }
            for path in &level.paths {
                let certified = path.certifications.iter().all(|(track, wanted)| has(&held, track) >= *wanted);
                if certified && revenue >= figure(path.revenue)? {
                    return Ok(Some(rank));
                }
            }
        }
        Ok(None)
    }

    /// The level granted at an instant.
    #[must_use]
    pub fn granted(&self, at: Instant) -> Option<&'a Granted> {
        self.provider.levels.iter().rev().find(|granted| granted.from <= at)
    }

    /// A level's rank in the programme.
    #[must_use]
    pub fn rank(&self, level: &str) -> Option<usize> {
        self.programme.levels.iter().position(|rung| rung.name == level)
    }

    /// What the level above a rank lacks.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn next(
        &self,
        attained: Option<usize>,
        revenue: Figure,
        day: NaiveDate,
    ) -> Result<Option<Next>, ProgrammeError> {
        let Some(level) = self.programme.levels.get(attained.map_or(0, |rank| rank + 1)) else { return Ok(None) };
        let held = held(self.provider, midnight(day));
        let path = |path: &LevelPath| {
            let wanted = figure(path.revenue)?;
            let lacking = if revenue < wanted { wanted.minus(revenue)? } else { Figure::ZERO };
            let track = |(track, wanted): (&String, &u32)| LackingTrack {
                track: track.clone(),
                wanted: *wanted,
                lacking: wanted.saturating_sub(has(&held, track)),
            };
            Ok(Lacking {
                revenue: wanted.to_string(),
                revenue_lacking: lacking.to_string(),
                certifications: path.certifications.iter().map(track).collect(),
            })
        };
        let paths = level.paths.iter().map(path).collect::<Result<Vec<_>, ProgrammeError>>()?;
        let discount_percent = level.discount_percent.normalize().to_string();
        Ok(Some(Next { level: level.name.clone(), discount_percent, paths }))
    }

    /// Since when, without a break up to a day, figures have attained less than the level granted; none if they attain it. Never earlier than
    /// the grant. Figures move where a document is issued, a month begins or a certification ends: those days are looked at.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn below_since(&self, day: NaiveDate) -> Result<Option<NaiveDate>, ProgrammeError> {
        let Some(granted) = self.granted(midnight(day)) else { return Ok(None) };
        let Some(rank) = self.rank(&granted.level) else { return Ok(None) };
        let start = utc_day(granted.from);
        let months = Months { first: Month::of(start), last: Month::of(day) };
        let mut days: Vec<NaiveDate> = months.each().filter_map(Month::first_day).collect();
        days.extend(self.booked.iter().map(|one| one.issued));
        days.extend(self.provider.certified.iter().filter_map(|one| one.until).map(utc_day));
        days.extend([start, day]);
        days.retain(|one| start <= *one && *one <= day);
        days.sort_unstable();
        days.dedup();
        let mut since = None;
        for one in days.into_iter().rev() {
            if self.attained(one)?.is_some_and(|attained| attained >= rank) {
                break;
            }
            since = Some(one);
        }
        Ok(since)
    }

    /// When the grace of a provider ends that attains less than it was granted.
    #[must_use]
    pub fn grace_until(&self, below_since: NaiveDate) -> Option<NaiveDate> {
        below_since.checked_add_months(Later::new(self.programme.grace_months))
    }
}

fn has(held: &BTreeMap<&str, u32>, track: &str) -> u32 {
    held.get(track).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{book, booked, day};
    use super::*;

    /// With these documents: what `look` says of Northwind, which was granted advanced on 1 July 2026.
    fn with<T>(booked: &[Booked], look: impl FnOnce(Judged<'_>) -> T) -> T {
        let book = book();
        let (programme, provider) = (&book.programmes["service-provider"], &book.providers["northwind"]);
        let rates = Rates::of(programme).unwrap();
        look(Judged { programme, provider, booked, rates: &rates })
    }

    /// Invoices of twelve months up to October 2026, each issued on the fourth.
    fn year(amount: &str) -> Vec<Booked> {
        let last = Month::parse("2026-10").unwrap();
        let month = |ago: i32| {
            let month = last.plus(-ago);
            booked(&month.to_string(), &format!("{}-04", month.plus(1)), amount)
        };
        (0..12).map(month).collect()
    }

    #[test]
    fn a_level_is_reached_on_any_one_path() {
        let attained = |amount: &str| with(&year(amount), |judged| judged.attained(day("2026-11-25")).unwrap());
        // 12 x 250,000 is advanced's 3,000,000, with 6 of 4 engineers; premier's 15,000,000 want 8
        assert_eq!(attained("250000.00"), Some(1));
        assert_eq!(attained("249999.99"), Some(0), "the other path wants ten engineers");
        assert_eq!(attained("9999999.00"), Some(1), "premier wants staff on each path");
        // without its engineers it attains nothing but the lowest
        let later = with(&year("250000.00"), |judged| judged.attained(day("2027-06-30")).unwrap());
        assert_eq!(later, Some(0));
    }

    #[test]
    fn the_next_level_says_what_it_lacks() {
        let next = with(&year("249999.99"), |judged| {
            let revenue = issued(judged.booked, judged.months(day("2026-11-25")), day("2026-11-25"), judged.rates);
            judged.next(Some(0), revenue.unwrap().amount, day("2026-11-25")).unwrap().unwrap()
        });
        assert_eq!((&*next.level, &*next.discount_percent, next.paths.len()), ("advanced", "6", 2));
        assert_eq!((&*next.paths[0].revenue_lacking, next.paths[0].certifications[0].lacking), ("0.12", 0));
        let lacking =
            |track: usize| (&*next.paths[1].certifications[track].track, next.paths[1].certifications[track].lacking);
        assert_eq!((&*next.paths[1].revenue_lacking, lacking(0), lacking(1)), ("0", ("architect", 1), ("engineer", 4)));
        assert!(with(&[], |judged| judged.next(Some(2), Figure::ZERO, day("2026-11-25")).unwrap()).is_none());
    }

    #[test]
    fn grace_runs_from_the_day_on_which_figures_fell() {
        let mut year = year("250000.00");
        year.pop();
        year.push(booked("2025-11", "2025-12-04", "300000.00"));
        let below = |booked: &[Booked], on: &str| with(booked, |judged| judged.below_since(day(on)).unwrap());
        // advanced until November 2025 leaves the window, with December 2026's first invoice
        year.push(booked("2026-11", "2026-12-04", "200000.00"));
        assert_eq!(below(&year, "2026-12-03"), None);
        assert_eq!(below(&year, "2026-12-04"), Some(day("2026-12-04")));
        assert_eq!(below(&year, "2027-01-20"), Some(day("2026-12-04")));
        with(&year, |judged| assert_eq!(judged.grace_until(day("2026-12-04")), Some(day("2027-06-04"))));
        // granted ahead of its figures: grace runs from the grant
        assert_eq!(below(&[], "2026-11-25"), Some(day("2026-07-01")));
        // attained again in between
        year.push(booked("2026-12", "2027-01-04", "999999.00"));
        assert_eq!(below(&year, "2027-01-20"), None);
    }
}
