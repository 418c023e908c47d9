//! Ledger, buckets and statements against the oracle.

use std::collections::BTreeMap;

use num_rational::BigRational as Q;
use serde_json::Value;

use super::event::{Sent, What, array_name, rfc3339};
use super::log::Placed;
use super::oracle::{CellKey, Cells, Due};
use super::price::{self, Month};
use crate::quote::oracle::whole;
use crate::quote::rational;
use crate::worker::Parts;

/// What is not as it should be, by the measures of the report.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// Records that Kafka has and the ledger has not.
    pub lost: u64,
    /// Rows of one position beyond the first, and rows of no position.
    pub doubled: u64,
    /// Rows with another disposition than the one due, or another event's.
    pub wrong: u64,
    /// Σ |due - metered| over cells: bytes · ms of gauges, bytes of the others; and milliseconds observed.
    pub cells: i128,
    /// Σ |due - stated| over statements.
    pub money: Q,
    /// The first few, in words.
    pub words: Vec<String>,
}

impl Difference {
    /// None yet.
    pub fn none() -> Self {
        Self { money: whole(0), ..Self::default() }
    }

    /// Whether everything is as it should be.
    pub fn is_none(&self) -> bool {
        (self.lost, self.doubled, self.wrong, self.cells) == (0, 0, 0, 0) && self.money == whole(0)
    }

    /// Both together.
    pub fn add(&mut self, other: Difference) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.wrong += other.wrong;
        self.cells += other.cells;
        self.money += other.money;
        other.words.into_iter().for_each(|words| self.say(words));
    }

    fn say(&mut self, words: String) {
        if self.words.len() < 8 {
            self.words.push(words);
        }
    }
}

fn integer(value: &Value) -> i128 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        value => i128::from(value.as_i64().unwrap()),
    }
}

/// The ledger's rows of the topic from these offsets on against the records with what is due to them.
pub fn ledger(parts: &Parts, topic: &str, from: &[i64], due: &[(Placed, &Sent, Due)]) -> Difference {
    let mut difference = Difference::none();
    let mut rows: BTreeMap<(i64, i64), Vec<Value>> = BTreeMap::new();
    for (partition, from) in from.iter().enumerate() {
        let (partition, from) = (partition.to_string(), from.to_string());
        for row in parts.lines(&["events", "--stream", topic, "--partition", &partition, "--from-offset", &from]) {
            let position = (row["partition"].as_i64().unwrap(), row["offset"].as_i64().unwrap());
            rows.entry(position).or_default().push(row);
        }
    }
    for (placed, sent, due) in due {
        let position = (i64::from(placed.partition), placed.offset);
        let Some(found) = rows.remove(&position) else {
            difference.lost += 1;
            difference.say(format!("no row for {position:?}"));
            continue;
        };
        difference.doubled += found.len() as u64 - 1;
        if !is_due(&found[0], sent, due) {
            difference.wrong += 1;
            difference.say(format!("{} where {due:?} is due to {:.300}", found[0], sent.body));
        }
    }
    if let Some((position, row)) = rows.first_key_value() {
        difference.say(format!("a row of no record at {position:?}: {row:?}"));
    }
    difference.doubled += rows.values().map(|rows| rows.len() as u64).sum::<u64>();
    difference
}

fn is_due(row: &Value, sent: &Sent, due: &Due) -> bool {
    let own = match &sent.what {
        What::Flawed(_) => true,
        What::Poll(poll) => {
            let time = row["time"].as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
            row["array"] == *array_name(poll.array)
                && time.map(|time| rfc3339(time.timestamp())) == Some(rfc3339(poll.time_s))
                && row["readings"] == poll.readings.len()
        }
    };
    own && row["disposition"] == due.disposition && row["reason"].as_str() == due.reason
}

/// What the ledger holds in all, against the counts that are due.
pub fn totals(parts: &Parts, counts: &BTreeMap<&'static str, u64>) -> Difference {
    let mut difference = Difference::none();
    for disposition in ["accepted", "duplicate", "late", "quarantined"] {
        let due = counts.get(disposition).copied().unwrap_or(0);
        let found = parts.number(&format!("SELECT count() FROM usage_event FINAL WHERE disposition = '{disposition}'"));
        if found != due {
            difference.wrong += found.abs_diff(due);
            difference.say(format!("{found} rows are {disposition}, {due} should be"));
        }
    }
    let kept = counts.get("late").unwrap_or(&0) + counts.get("quarantined").unwrap_or(&0);
    let found = parts.number("SELECT count() FROM quarantine FINAL");
    if found != kept {
        difference.wrong += found.abs_diff(kept);
        difference.say(format!("{found} records are kept whole, {kept} should be"));
    }
    difference
}

/// Rows of one position that are not the same row, as far as merges have left them.
pub fn unequal(parts: &Parts) -> Difference {
    let mut difference = Difference::none();
    let unequal = parts.number(
        "SELECT count() FROM (SELECT uniqExact(append_time, disposition, reason, identity, content, reading_value) AS forms \
         FROM usage_event GROUP BY stream, partition, offset HAVING forms > 1)",
    );
    if unequal > 0 {
        difference.doubled += unequal;
        difference.say(format!("{unequal} positions have rows that are not the same"));
    }
    difference
}

fn metered(parts: &Parts, from_s: i64, to_s: i64) -> Cells {
    let (from, to) = (rfc3339(from_s), rfc3339(to_s));
    let range = ["usage", "--provider", "p", "--from", &from, "--to", &to, "--step", "cell"];
    let by = ["--by", "array,kind,resource,customer,meter"];
    let mut rows = parts.lines(&[&range[..], &by].concat());
    rows.extend(parts.lines(&[&range[..], &by, &["--meter", "$observed"]].concat()));
    let mut cells = Cells::new();
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let key = CellKey {
            start_s: chrono::DateTime::parse_from_rfc3339(&text("start")).unwrap().timestamp(),
            array: text("array"),
            kind: text("kind"),
            resource: text("resource"),
            customer: text("customer"),
            meter: text("meter"),
        };
        let amount = ["integral", "sum", "increase"].iter().find_map(|key| row.get(*key)).map(integer).unwrap();
        let observed_ms = row.get("observed_ms").map_or(0, integer);
        cells.insert(key, (amount, i64::try_from(observed_ms).unwrap()));
    }
    cells
}

/// The cells of [from, to) as they are read, against those that are due.
pub fn cells(parts: &Parts, due: &Cells, from_s: i64, to_s: i64) -> Difference {
    let mut difference = Difference::none();
    let mut metered = metered(parts, from_s, to_s);
    for (key, due) in due.iter().filter(|(key, _)| (from_s..to_s).contains(&key.start_s)) {
        let found = metered.remove(key);
        if found != Some(*due) {
            let (amount, observed_ms) = found.unwrap_or_default();
            // a cell without a figure that is due is a difference too
            difference.cells += ((due.0 - amount).abs() + i128::from((due.1 - observed_ms).abs())).max(1);
            difference.say(format!("{key:?}: {due:?} is due, {found:?} is metered"));
        }
    }
    for (key, found) in metered {
        difference.cells += (found.0.abs() + i128::from(found.1)).max(1);
        difference.say(format!("{key:?}: {found:?} is metered, nothing is due"));
    }
    difference
}

/// The statements of the month against the amounts that are due.
pub fn statements(parts: &Parts, due: &Cells, month: Month, deltas: bool) -> Difference {
    let mut difference = Difference::none();
    let label = month.label();
    let mut stated = BTreeMap::new();
    for document in parts.lines(&["statement", "--all", "--provider", "p", "--period", &label, "--format", "json"]) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        stated.insert(
            (text(&document["contract"]), text(&document["buyer"]["id"])),
            rational(&text(&document["subtotal"])),
        );
    }
    let mut due = price::subtotals(due, month, deltas);
    for (place, stated) in stated {
        let due = due.remove(&place).unwrap_or(whole(0));
        if due != stated {
            difference.money += if due > stated { &due - &stated } else { &stated - &due };
            difference.say(format!("{place:?}: {due} is due, {stated} is stated"));
        }
    }
    for (place, due) in due.into_iter().filter(|(_, due)| *due != whole(0)) {
        difference.say(format!("{place:?}: {due} is due, and there is no statement"));
        difference.money += due;
    }
    difference
}
