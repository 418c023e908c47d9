//! The books that the control log publishes, one after the other.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use serde::Serialize;

use crate::cli::instant::instant;
use crate::core::book::Book;
use crate::core::book::change;
use crate::core::decision::Decision;
use crate::core::word::{Instant, Offset};
use crate::kafka::control::ControlFollower;

/// One published book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct Published {
    pub(super) offset: u64,
    #[serde(serialize_with = "rfc3339")]
    pub(super) time: Instant,
    pub(super) actor: String,
    pub(super) hash: String,
    /// Its canonical form.
    #[serde(skip)]
    pub(super) book: serde_json::Value,
}

/// All of them, the oldest first.
pub(in crate::cli) type History = Vec<Published>;

fn rfc3339<S: serde::Serializer>(instant: &Instant, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&instant.rfc3339())
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8}  {}  {}  {}", self.offset, self.time, self.hash, self.actor)
    }
}

impl Published {
    /// The book.
    pub(in crate::cli) fn read(&self) -> anyhow::Result<Book> {
        let newer =
            || format!("the book at {} is not understood: a newer Plimsoll wrote it; upgrade this one", self.offset);
        Book::from_canonical(&self.book).with_context(newer)
    }
}

/// A place in the history: an offset of the control log, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum At {
    Offset(u64),
    Instant(Instant),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), instant(text)) {
            (Ok(offset), _) => Ok(At::Offset(offset)),
            (_, Ok(instant)) => Ok(At::Instant(instant)),
            _ => Err("write an offset (17), an instant (2026-10-01T00:00:00Z) or a date (2026-10-01)".to_owned()),
        }
    }
}

/// The published books, the oldest first.
pub(in crate::cli) fn history(control: &ControlFollower) -> History {
    let records = control.records(Offset(0)).into_iter();
    let books = records.filter_map(|record| match record.decision {
        Decision::PriceBookPublished { hash, book, actor } => {
            Some(Published { offset: record.offset.0, time: record.append_time, actor, hash, book })
        }
        _ => None,
    });
    books.collect()
}

/// The book in force at a place of the history: the newest at or below it.
pub(super) fn at(history: &[Published], when: Option<At>) -> Option<&Published> {
    history.iter().rev().find(|published| match when {
        None => true,
        Some(At::Offset(offset)) => published.offset <= offset,
        Some(At::Instant(instant)) => published.time <= instant,
    })
}

/// Meters that any published book defines otherwise: one that a later book left out stays set.
pub(super) fn changed_meters(history: &[Published], book: &Book) -> anyhow::Result<BTreeSet<String>> {
    let mut changed = BTreeSet::new();
    for published in history {
        changed.extend(change::changed_meters(&published.read()?, book));
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::time;

    #[test]
    fn the_book_in_force_is_the_newest_at_or_below_an_instant_or_offset() {
        let published = |offset, text: &str| Published {
            offset,
            time: time::parse(text).unwrap(),
            actor: "eva".to_owned(),
            hash: format!("sha256:{offset}"),
            book: serde_json::Value::Null,
        };
        let history = vec![published(1, "2026-10-01T00:00:00Z"), published(5, "2026-10-03T12:00:00Z")];
        let offset = |when: &str| at(&history, Some(when.parse().unwrap())).map(|book| book.offset);
        assert_eq!([offset("0"), offset("1"), offset("4"), offset("5")], [None, Some(1), Some(1), Some(5)]);
        assert_eq!([offset("2026-10-01"), offset("2026-09-30T23:59:59Z")], [Some(1), None]);
        assert_eq!(offset("2026-10-03T14:00:00+02:00"), Some(5));
        assert_eq!(at(&history, None).map(|book| book.offset), Some(5));
        assert!("yesterday".parse::<At>().is_err());
        let line = serde_json::to_string(&history[0]).unwrap();
        assert_eq!(line, r#"{"offset":1,"time":"2026-10-01T00:00:00Z","actor":"eva","hash":"sha256:1"}"#);
    }
}
