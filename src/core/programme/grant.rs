//! The line of the price book that grants a level: people grant, Plimsoll only writes it down for them.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::month::midnight;
use crate::core::book::model::Provider;

/// The provider's `levels` with one more from a day on: replaces the line in its section. An entry of the same day, and what begins later,
/// is left out, since levels follow each other in time.
///
/// A level counts from the first period that begins at or after it. Book dates are midnights in UTC, and east of it a local month begins
/// earlier, so the day is today and not the first of the next month.
#[must_use]
pub fn line(provider: &Provider, level: &str, day: NaiveDate) -> String {
    let mut line = "levels = [".to_owned();
    for granted in provider.levels.iter().filter(|granted| granted.from < midnight(day)) {
        let from = granted.from.rfc3339();
        let from = from.strip_suffix("T00:00:00Z").unwrap_or(&from);
        let _ = write!(line, "{{ from = {from}, level = {} }}, ", text(&granted.level));
    }
    let _ = write!(line, "{{ from = {day}, level = {} }}]", text(level));
    line
}

fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{book, day};
    use super::*;

    #[test]
    fn a_pasted_line_grants_the_level() {
        let sample = include_str!("../../../examples/pricebook/northwind.toml");
        let old = sample.lines().find(|line| line.starts_with("levels = [{")).unwrap();
        let provider = &book().providers["northwind"];
        for (on, before) in [("2026-11-25", 2), ("2026-07-01", 1), ("2026-03-01", 1)] {
            let new = line(provider, "premier", day(on));
            let text = sample.replace(old, &new);
            let book = crate::core::book::parse(&[("book.toml".to_owned(), text)]).unwrap();
            let levels = &book.providers["northwind"].levels;
            assert_eq!(levels[..before], provider.levels[..before], "{new}");
            let last = levels.last().unwrap();
            assert_eq!((levels.len(), &*last.level, last.from), (before + 1, "premier", midnight(day(on))));
        }
    }
}
