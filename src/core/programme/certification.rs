//! Certified staff: promised, held, and what runs out soon.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::book::model::{Certified, Provider};
use crate::core::word::Instant;

/// What runs out within this time is told: 90 days.
const SOON_MS: i64 = 90 * 86_400_000;

/// One track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Track {
    /// Its name.
    pub track: String,
    /// How many are promised.
    pub promised: u32,
    /// How many are held.
    pub held: u32,
    /// How many of them run out within 90 days.
    pub expiring: u32,
    /// When the first of them does; null if none.
    pub expires: Option<String>,
}

/// The certifications held at an instant, by track.
#[must_use]
pub fn held(provider: &Provider, at: Instant) -> BTreeMap<&str, u32> {
    let mut held: BTreeMap<&str, u32> = BTreeMap::new();
    for certified in in_force(provider, at) {
        let sum = held.entry(&certified.track).or_default();
        *sum = sum.saturating_add(certified.count);
    }
    held
}

fn in_force(provider: &Provider, at: Instant) -> impl Iterator<Item = &Certified> {
    provider.certified.iter().filter(move |certified| certified.until.is_none_or(|until| at < until))
}

/// All tracks that are promised or held, by name.
#[must_use]
pub fn tracks(provider: &Provider, at: Instant) -> Vec<Track> {
    let promised = provider.committed.as_ref().map(|promise| &promise.certifications);
    let held = held(provider, at);
    let names: BTreeSet<&str> =
        promised.into_iter().flat_map(|all| all.keys().map(String::as_str)).chain(held.keys().copied()).collect();
    let track = |name: &str| {
        let soon: Vec<(Instant, u32)> = in_force(provider, at)
            .filter(|certified| certified.track == name)
            .filter_map(|certified| Some((certified.until.filter(|until| until.0 - at.0 <= SOON_MS)?, certified.count)))
            .collect();
        Track {
            track: name.to_owned(),
            promised: promised.and_then(|all| all.get(name)).copied().unwrap_or(0),
            held: held.get(name).copied().unwrap_or(0),
            expiring: soon.iter().fold(0, |sum: u32, (_, count)| sum.saturating_add(*count)),
            expires: soon.iter().map(|(until, _)| *until).min().map(Instant::rfc3339),
        }
    };
    names.into_iter().map(track).collect()
}

#[cfg(test)]
mod tests {
    use super::super::month::midnight;
    use super::super::sample::{book, day};
    use super::*;

    /// The sample: 6 engineers until 2027-06-30, 1 architect until 2027-02-28; 6 and 1 promised.
    #[test]
    fn what_is_held_and_what_runs_out() {
        let provider = &book().providers["northwind"];
        let of = |on: &str| tracks(provider, midnight(day(on)));
        let counts = |on: &str| of(on).iter().map(|one| (one.promised, one.held, one.expiring)).collect::<Vec<_>>();
        // architect, engineer
        assert_eq!(counts("2026-11-25"), [(1, 1, 0), (6, 6, 0)]);
        assert_eq!(counts("2026-11-29"), [(1, 1, 0), (6, 6, 0)], "91 days before");
        assert_eq!(counts("2026-11-30"), [(1, 1, 1), (6, 6, 0)], "90 days before");
        assert_eq!(of("2026-11-30")[0].expires.as_deref(), Some("2027-02-28T00:00:00Z"));
        assert_eq!(counts("2027-02-27"), [(1, 1, 1), (6, 6, 0)]);
        assert_eq!(counts("2027-02-28"), [(1, 0, 0), (6, 6, 0)], "until is exclusive");
    }
}
