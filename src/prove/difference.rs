//! Where a document that was computed again is another one: place by place, rows by their number.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Differences that are listed of one document; of more, the first.
pub const MAX_LISTED: usize = 100;

/// One place of a document, or of the rows that it is stored as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table whose row it is; none of a statement, which is not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<&'static str>,
    /// Which row of the table, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which column of it; none where the whole row lacks or is too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<&'static str>,
    /// Where in a document, as a JSON pointer: `/rows/2/amount`; empty where it is all of the column.
    pub place: String,
    /// The row's line and kind, if it lies in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What is stored there; null if it lacks there.
    pub stored: Value,
    /// What was computed; null if it lacks there.
    pub computed: Value,
}

/// All places at which two documents differ, at most [`MAX_LISTED`]. `ignored` places are left out, with all that lies in them.
#[must_use]
pub fn differences(stored: &Value, computed: &Value, ignored: &[&str]) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut String::new(), (stored, computed), ignored, &mut found);
    for difference in &mut found {
        difference.row = row_of(&difference.place, stored).or_else(|| row_of(&difference.place, computed));
    }
    found
}

fn walk(place: &mut String, pair: (&Value, &Value), ignored: &[&str], found: &mut Vec<Difference>) {
    if pair.0 == pair.1 || ignored.contains(&place.as_str()) || found.len() >= MAX_LISTED {
        return;
    }
    let length = place.len();
    let mut step = |name: &str, one: Option<&Value>, other: Option<&Value>, found: &mut Vec<Difference>| {
        place.push('/');
        place.push_str(&name.replace('~', "~0").replace('/', "~1"));
        walk(place, (one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null)), ignored, found);
        place.truncate(length);
    };
    match pair {
        (Value::Object(one), Value::Object(other)) => {
            let more = other.keys().filter(|name| !one.contains_key(*name));
            one.keys().chain(more).for_each(|name| step(name, one.get(name), other.get(name), found));
        }
        (Value::Array(one), Value::Array(other)) => {
            (0..one.len().max(other.len()))
                .for_each(|index| step(&index.to_string(), one.get(index), other.get(index), found));
        }
        (one, other) => {
            let (stored, computed) = (one.clone(), other.clone());
            found.push(Difference { place: place.clone(), stored, computed, ..Difference::default() });
        }
    }
}

impl fmt::Display for Difference {
    /// In words: table, key, column, what is stored, what was computed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(table), Some(key)) = (self.table, &self.key) {
            write!(f, "table {table}, {key}: ")?;
        }
        match self.column {
            Some(column) if self.place.is_empty() => write!(f, "{column}")?,
            Some(column) => write!(f, "{column} {}", self.place)?,
            None if self.table.is_some() && self.stored.is_null() => return write!(f, "the row is not stored"),
            None if self.table.is_some() => return write!(f, "this row is stored, and nothing gives it"),
            None => write!(f, "{}", self.place)?,
        }
        if let Some(row) = &self.row {
            write!(f, " ({row})")?;
        }
        write!(f, ": {} is stored, {} was computed", self.stored, self.computed)
    }
}

/// A row in words: its number, line and kind.
fn row_of(place: &str, document: &Value) -> Option<String> {
    let index: usize = place.strip_prefix("/rows/")?.split('/').next()?.parse().ok()?;
    let row = document.get("rows")?.get(index)?;
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("all lines");
    Some(format!("row {}: {}, {}", index + 1, text("line"), text("kind")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_row_by_row() {
        let row = |no: usize, amount: &str| json!({"no": no, "line": "block", "kind": "overage", "quantity": "10", "amount": amount});
        let stored = json!({"state": "issued", "rows": [row(1, "1.00"), row(2, "2.00")], "total": "3.00", "a/b": 1});
        let computed = json!({"state": "closed", "rows": [row(1, "1.00"), row(2, "2.01"), row(3, "0.01")], "total": "3.02", "a/b": 2});
        let found = differences(&stored, &computed, &["/state"]);
        let mut places: Vec<&str> = found.iter().map(|difference| difference.place.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/a~1b", "/rows/1/amount", "/rows/2", "/total"]);
        let amount = found.iter().find(|difference| difference.place == "/rows/1/amount").unwrap();
        assert_eq!((amount.row.as_deref(), &amount.computed), (Some("row 2: block, overage"), &json!("2.01")));
        assert!(found.iter().any(|difference| difference.stored.is_null() && difference.row.is_some()));
        assert_eq!(differences(&stored, &stored, &[]), []);
    }

    #[test]
    fn a_document_of_another_kind_altogether_does_not_flood() {
        let many =
            |value: u32| Value::from((0..1000).map(|index| json!({"amount": index + value})).collect::<Vec<_>>());
        assert_eq!(differences(&json!({"rows": many(0)}), &json!({"rows": many(1)}), &[]).len(), MAX_LISTED);
    }
}
