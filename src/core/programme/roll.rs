//! The roll of arrays: where they were heard of and what their readings look like, as it was put together. What was heard since is not on it and
//! is given to it with each question.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::health::DAY_MS;
use crate::core::pricing::orphan::Shape;
use crate::core::word::Instant;

/// A provider, and the id of an array that it reported.
pub type ArrayKey = (String, String);

/// When an array was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The first accepted time.
    pub first: Instant,
    /// The newest.
    pub newest: Instant,
    /// The newest with its name and site; of two at one instant the greater.
    pub label: (Instant, String, String),
}

impl Heard {
    /// Both together.
    #[must_use]
    fn and(&self, other: &Self) -> Self {
        Self {
            first: self.first.min(other.first),
            newest: self.newest.max(other.newest),
            label: self.label.clone().max(other.label.clone()),
        }
    }
}

/// Who was heard of, by provider and id.
pub type AllHeard = BTreeMap<ArrayKey, Heard>;

/// A shape that readings of an array have, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastShape {
    /// The shape.
    pub shape: Shape,
    /// Whether a customer's tag is on them.
    pub is_tagged: bool,
    /// The newest accepted time of such a reading.
    pub newest: Instant,
}

/// What the readings of an array's newest day look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Kinds, meters, tiers and sites.
    pub shapes: Vec<Shape>,
    /// Whether any of them bears a customer's tag.
    pub is_tagged: bool,
}

impl Look {
    /// Of an array's shapes those of its newest day; none if none is.
    #[must_use]
    pub fn of<'a>(shapes: impl IntoIterator<Item = &'a LastShape>, newest: Instant) -> Option<Self> {
        let mut look = Self::default();
        for last in shapes.into_iter().filter(|last| last.newest.0 >= newest.0 - DAY_MS) {
            look.is_tagged |= last.is_tagged;
            look.shapes.push(last.shape.clone());
        }
        look.shapes.sort();
        look.shapes.dedup();
        (!look.shapes.is_empty()).then_some(look)
    }
}

/// Which arrays a page has.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Those of these providers; none = all.
    pub providers: Option<&'a BTreeSet<String>>,
    /// Those behind this one.
    pub after: Option<&'a ArrayKey>,
    /// So many at most.
    pub limit: usize,
}

/// The roll.
#[derive(Debug, Default)]
pub struct Roll {
    heard: AllHeard,
    shapes: BTreeMap<ArrayKey, Vec<LastShape>>,
    /// The providers that named an array.
    named: BTreeMap<String, Vec<String>>,
}

impl Roll {
    /// The roll of these arrays. Shapes that are not of an array's newest day are left away: that day only moves on.
    #[must_use]
    pub fn new(heard: AllHeard, shapes: impl IntoIterator<Item = (ArrayKey, LastShape)>) -> Self {
        let mut roll = Self { heard, ..Self::default() };
        for (provider, array) in roll.heard.keys() {
            roll.named.entry(array.clone()).or_default().push(provider.clone());
        }
        for (key, last) in shapes {
            if roll.heard.get(&key).is_some_and(|heard| last.newest.0 >= heard.newest.0 - DAY_MS) {
                roll.shapes.entry(key).or_default().push(last);
            }
        }
        roll
    }

    /// A page of the arrays that are on it or were heard of since, by provider and id.
    #[must_use]
    pub fn page(&self, since: &AllHeard, wanted: Wanted<'_>) -> Vec<(ArrayKey, Heard)> {
        let behind = (wanted.after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let is_wanted = |key: &&ArrayKey| wanted.providers.is_none_or(|own| own.contains(&key.0));
        let known = self.heard.range::<ArrayKey, _>(behind).map(|(key, _)| key).filter(is_wanted).take(wanted.limit);
        let new = since.range::<ArrayKey, _>(behind).map(|(key, _)| key).filter(is_wanted);
        let new = new.filter(|key| !self.heard.contains_key(*key)).take(wanted.limit);
        let keys: BTreeSet<&ArrayKey> = known.chain(new).collect();
        let of = |key: &ArrayKey| {
            let heard = match (self.heard.get(key), since.get(key)) {
                (Some(known), Some(since)) => known.and(since),
                (known, since) => known.or(since)?.clone(),
            };
            Some((key.clone(), heard))
        };
        keys.into_iter().take(wanted.limit).filter_map(of).collect()
    }

    /// All providers that named each of these arrays, with their newest accepted times, by array.
    #[must_use]
    pub fn named(&self, since: &AllHeard, arrays: &BTreeSet<&str>) -> BTreeMap<String, Vec<(String, Instant)>> {
        let mut named: BTreeMap<String, BTreeMap<String, Instant>> = BTreeMap::new();
        let mut name = |(provider, array): (&str, &str), newest: Instant| {
            let own = named.entry(array.to_owned()).or_default();
            let known = own.entry(provider.to_owned()).or_insert(newest);
            *known = newest.max(*known);
        };
        for array in arrays {
            for provider in self.named.get(*array).into_iter().flatten() {
                if let Some(heard) = self.heard.get(&(provider.clone(), (*array).to_owned())) {
                    name((provider, array), heard.newest);
                }
            }
        }
        for ((provider, array), heard) in since.iter().filter(|((_, array), _)| arrays.contains(array.as_str())) {
            name((provider, array), heard.newest);
        }
        named.into_iter().map(|(array, own)| (array, own.into_iter().collect())).collect()
    }

    /// Of each of these providers that was heard of, how many of its arrays were from an instant on, and its newest accepted time.
    #[must_use]
    pub fn lately(&self, since: &AllHeard, providers: &[String], from: Instant) -> BTreeMap<String, (u64, Instant)> {
        let mut found: BTreeMap<String, (u64, Instant)> = BTreeMap::new();
        let all = self.heard.iter().chain(since.iter().filter(|(key, _)| !self.heard.contains_key(*key)));
        for (key, heard) in all {
            let newest = since.get(key).map_or(heard.newest, |since| since.newest.max(heard.newest));
            if let Some((arrays, last)) = found.get_mut(&key.0) {
                (*arrays, *last) = (*arrays + u64::from(newest >= from), newest.max(*last));
            } else {
                found.insert(key.0.clone(), (u64::from(newest >= from), newest));
            }
        }
        found.retain(|provider, _| providers.contains(provider));
        found
    }

    /// What the readings of an array's newest day look like; none if nothing on the roll is of that day.
    #[must_use]
    pub fn look(&self, key: &ArrayKey, newest: Instant) -> Option<Look> {
        Look::of(self.shapes.get(key)?, newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::Kind;

    fn key(provider: &str, array: &str) -> ArrayKey {
        (provider.to_owned(), array.to_owned())
    }

    fn heard(rows: &[(&str, &str, i64, i64)]) -> AllHeard {
        let of = |(provider, array, first, newest): &(&str, &str, i64, i64)| {
            let label = (Instant(*newest), format!("{array} at {newest}"), String::new());
            (key(provider, array), Heard { first: Instant(*first), newest: Instant(*newest), label })
        };
        rows.iter().map(of).collect()
    }

    fn last(meter: &str, is_tagged: bool, newest: i64) -> LastShape {
        let text = String::new;
        let shape = Shape { kind: Kind::Array, meter: meter.to_owned(), tier: text(), site: text() };
        LastShape { shape, is_tagged, newest: Instant(newest) }
    }

    #[test]
    fn a_page_has_what_is_on_the_roll_and_what_was_heard_since() {
        let roll = Roll::new(heard(&[("p", "a", 1, 5), ("p", "c", 2, 6), ("q", "a", 3, 7)]), []);
        let since = heard(&[("p", "b", 8, 8), ("p", "c", 9, 9), ("q", "0", 0, 4)]);
        let page = |providers: Option<&BTreeSet<String>>, after: Option<&ArrayKey>, limit: usize| -> Vec<String> {
            let page = roll.page(&since, Wanted { providers, after, limit });
            page.iter()
                .map(|((provider, array), heard)| {
                    format!("{provider}{array} {}..{} {}", heard.first.0, heard.newest.0, heard.label.1)
                })
                .collect()
        };
        let all = ["pa 1..5 a at 5", "pb 8..8 b at 8", "pc 2..9 c at 9", "q0 0..4 0 at 4", "qa 3..7 a at 7"];
        assert_eq!(page(None, None, 9), all);
        for limit in 0..5 {
            assert_eq!(page(None, None, limit), all[..limit]);
        }
        assert_eq!(page(None, Some(&key("p", "b")), 2), all[2..4]);
        assert_eq!(page(None, Some(&key("p", "zz")), 2), all[3..]);
        assert_eq!(
            page(Some(&BTreeSet::from(["q".to_owned()])), None, 1),
            all[3..4],
            "an earlier time is no newer label"
        );
        assert!(page(Some(&BTreeSet::new()), None, 9).is_empty());
    }

    #[test]
    fn whoever_named_an_array_is_told_with_the_newest_time() {
        let roll = Roll::new(heard(&[("p", "a", 1, 5), ("q", "a", 1, 7), ("q", "b", 1, 7)]), []);
        let since = heard(&[("p", "a", 6, 9), ("q", "a", 2, 3), ("r", "a", 8, 8), ("r", "b", 8, 8)]);
        let named = roll.named(&since, &BTreeSet::from(["a", "new"]));
        let times = |at: i64| Instant(at);
        let of_a = vec![("p".to_owned(), times(9)), ("q".to_owned(), times(7)), ("r".to_owned(), times(8))];
        assert_eq!(named, BTreeMap::from([("a".to_owned(), of_a)]));
    }

    #[test]
    fn arrays_of_a_provider_that_were_heard_of_lately_are_counted() {
        let roll = Roll::new(heard(&[("p", "a", 1, 5), ("p", "b", 1, 3), ("q", "a", 1, 2), ("r", "a", 1, 9)]), []);
        let since = heard(&[("p", "b", 4, 4), ("p", "c", 6, 6), ("s", "a", 7, 7)]);
        let providers = ["p", "q", "s", "t"].map(str::to_owned);
        let found = roll.lately(&since, &providers, Instant(4));
        let of = |provider: &str| found.get(provider).map(|(arrays, newest)| (*arrays, newest.0));
        assert_eq!(["p", "q", "r", "s", "t"].map(of), [Some((3, 6)), Some((0, 2)), None, Some((1, 7)), None]);
    }

    #[test]
    fn readings_look_as_those_of_the_newest_day() {
        let shapes = [
            ("x", last("old", true, 0)),
            ("x", last("used", false, 1)),
            ("x", last("used", true, DAY_MS + 1)),
            ("y", last("used", true, 9)),
        ];
        let shapes = shapes.map(|(array, last)| (key("p", array), last));
        let roll = Roll::new(heard(&[("p", "x", 0, DAY_MS + 1)]), shapes);
        let meters = |newest: i64| {
            let look = roll.look(&key("p", "x"), Instant(newest));
            look.map(|look| (look.shapes.iter().map(|shape| shape.meter.clone()).collect::<Vec<_>>(), look.is_tagged))
        };
        assert_eq!(meters(DAY_MS + 1), Some((vec!["used".to_owned()], true)), "each once; what is older is none");
        assert_eq!(meters(2 * DAY_MS + 1), Some((vec!["used".to_owned()], true)));
        assert_eq!(meters(2 * DAY_MS + 2), None, "it was heard of since, and the day moved on");
        assert_eq!(roll.look(&key("p", "y"), Instant(9)), None, "it is not on the roll");
    }
}
