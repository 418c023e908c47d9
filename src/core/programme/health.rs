//! How an array is: heard of, billed to somebody, where it belongs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::book::model::Book;
use crate::core::pricing::orphan::{Shape, orphaned};
use crate::core::word::Instant;

/// An array whose newest accepted time lies further back than this is silent, and two providers that name one within it contest it
/// (DESIGN §3): 24 hours.
pub(super) const DAY_MS: i64 = 86_400_000;

/// The state of an array of a provider: the first of these, from the last to the first, that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ArrayState)]
pub enum State {
    /// Heard of within a day, and somebody is billed for it.
    Ok,
    /// Not heard of for more than a day.
    Silent,
    /// For demonstration: metered, charged nothing.
    Demo,
    /// For demonstration, and customers' resources lie on it.
    DemoBusy,
    /// It reports, or did, and nobody is billed for it.
    Orphaned,
    /// Its time for demonstration is over, and it still reports.
    DemoExpired,
    /// Another provider reports it now.
    Moved,
    /// Two providers reported it within a day.
    Contested,
}

impl State {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Silent,
        Self::Demo,
        Self::DemoBusy,
        Self::Orphaned,
        Self::DemoExpired,
        Self::Moved,
        Self::Contested,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Silent => "silent",
            Self::Demo => "demo",
            Self::DemoBusy => "demo_busy",
            Self::Orphaned => "orphaned",
            Self::DemoExpired => "demo_expired",
            Self::Moved => "moved",
            Self::Contested => "contested",
        }
    }
}

/// What is known of an array of a provider up to an instant.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The provider.
    pub provider: &'a str,
    /// The array.
    pub array: &'a str,
    /// The newest accepted time.
    pub newest: Instant,
    /// Other providers that named it, with their newest accepted times.
    pub others: &'a [(String, Instant)],
    /// What the readings of its newest day look like.
    pub shapes: &'a [Shape],
    /// Whether customers' tags are on them.
    pub is_tagged: bool,
}

/// How it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// In one word.
    pub state: State,
    /// Whether its newest accepted time lies more than 24 hours back.
    pub silent: bool,
    /// Why nobody is billed for it.
    pub orphaned: Option<String>,
    /// Whether it is for demonstration at the instant.
    pub demo: bool,
    /// Until when it is, or was.
    pub demo_until: Option<Instant>,
    /// The provider that reports it now, or contests it.
    pub other: Option<String>,
}

/// The health of an array at an instant.
#[must_use]
pub fn health(book: &Book, seen: &Seen<'_>, at: Instant) -> Health {
    let purpose = book.arrays.get(seen.array).filter(|purpose| purpose.demo);
    let until = purpose.and_then(|purpose| purpose.until);
    let demo = purpose.is_some() && until.is_none_or(|until| at < until);
    let is_over = until.is_some_and(|until| until <= at && until <= seen.newest);
    let last = seen.others.iter().max_by_key(|(_, newest)| *newest);
    let end = last.map_or(seen.newest, |(_, newest)| seen.newest.max(*newest));
    let recent = |newest: Instant| newest.0 > end.0 - DAY_MS;
    let rival = seen.others.iter().find(|(_, newest)| recent(*newest)).filter(|_| recent(seen.newest));
    let moved = last.filter(|(_, newest)| rival.is_none() && *newest > seen.newest);
    let orphaned = match moved {
        Some(_) => None,
        None => orphaned(book, seen.provider, seen.array, at, seen.shapes),
    };
    let silent = seen.newest.0 < at.0 - DAY_MS;
    let found = [
        (rival.is_some(), State::Contested),
        (moved.is_some(), State::Moved),
        (is_over, State::DemoExpired),
        (orphaned.is_some(), State::Orphaned),
        (demo && seen.is_tagged, State::DemoBusy),
        (demo, State::Demo),
        (silent, State::Silent),
    ];
    let state = found.into_iter().find(|(holds, _)| *holds).map_or(State::Ok, |(_, state)| state);
    let other = rival.or(moved).map(|(provider, _)| provider.clone());
    Health { state, silent, orphaned, demo, demo_until: until, other }
}

#[cfg(test)]
mod tests {
    use super::super::sample::book;
    use super::*;
    use crate::core::pricing::sample::at;
    use crate::core::word::Kind;

    const DEMO: &str = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";

    struct Case<'a> {
        array: &'a str,
        newest: &'a str,
        others: &'a [(&'a str, &'a str)],
        site: &'a str,
        is_tagged: bool,
    }

    const CASE: Case<'_> =
        Case { array: "a", newest: "2026-11-25T11:00:00Z", others: &[], site: "HAM1", is_tagged: true };

    fn of(case: &Case<'_>, now: &str) -> Health {
        let (meter, tier, site) = ("effective_used".into(), "//Block - Premium".into(), case.site.into());
        let others: Vec<_> = case.others.iter().map(|(id, newest)| ((*id).to_owned(), at(newest))).collect();
        let seen = Seen {
            provider: "northwind",
            array: case.array,
            newest: at(case.newest),
            others: &others,
            shapes: &[Shape { kind: Kind::Array, meter, tier, site }],
            is_tagged: case.is_tagged,
        };
        health(&book(), &seen, at(now))
    }

    fn state(case: &Case<'_>) -> State {
        of(case, "2026-11-25T12:00:00Z").state
    }

    #[test]
    fn each_state_is_told() {
        assert_eq!(state(&CASE), State::Ok);
        assert_eq!(state(&Case { newest: "2026-11-24T12:00:00Z", ..CASE }), State::Ok, "24 hours to the millisecond");
        assert_eq!(state(&Case { newest: "2026-11-24T11:59:59Z", ..CASE }), State::Silent);
        let orphan = Case { site: "BGO1", newest: "2026-11-01T00:00:00Z", ..CASE };
        let found = of(&orphan, "2026-11-25T12:00:00Z");
        assert_eq!((found.state, found.silent), (State::Orphaned, true));
        assert!(found.orphaned.unwrap().contains("site BGO1"));
        assert_eq!(state(&Case { array: DEMO, is_tagged: false, ..CASE }), State::Demo);
        assert_eq!(state(&Case { array: DEMO, ..CASE }), State::DemoBusy);
    }

    #[test]
    fn a_demonstration_ends_on_its_day() {
        let demo = |newest, now| of(&Case { array: DEMO, newest, is_tagged: false, ..CASE }, now).state;
        assert_eq!(demo("2026-12-30T23:00:00Z", "2026-12-30T23:59:59Z"), State::Demo);
        assert_eq!(demo("2026-12-31T00:00:00Z", "2026-12-31T00:00:00Z"), State::DemoExpired);
        assert_eq!(demo("2026-12-30T23:00:00Z", "2026-12-31T00:00:00Z"), State::Ok, "it does not report any more");
        assert_eq!(demo("2026-12-30T23:00:00Z", "2027-01-31T00:00:00Z"), State::Silent);
    }

    #[test]
    fn an_array_that_goes_is_contested_for_a_day_and_then_moved() {
        let with = |newest, theirs| state(&Case { newest, others: &[("fjordcloud", theirs)], ..CASE });
        assert_eq!(with("2026-11-24T12:00:00Z", "2026-11-25T11:00:00Z"), State::Contested);
        assert_eq!(with("2026-11-24T11:00:00Z", "2026-11-25T11:00:00Z"), State::Moved);
        assert_eq!(with("2026-11-25T11:00:00Z", "2026-11-24T11:00:00Z"), State::Ok, "the other one has lost it");
        assert_eq!(with("2026-11-25T11:00:00Z", "2026-11-24T11:00:01Z"), State::Contested);
        let moved = Case {
            newest: "2026-11-01T00:00:00Z",
            others: &[("fjordcloud", "2026-11-25T11:00:00Z")],
            site: "X",
            ..CASE
        };
        let found = of(&moved, "2026-11-25T12:00:00Z");
        assert_eq!((found.state, found.orphaned, found.other.as_deref()), (State::Moved, None, Some("fjordcloud")));
    }

    #[test]
    fn names_are_those_of_the_api() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
