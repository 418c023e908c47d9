//! Materialised rows held against those that a proof makes: each that lacks, is too much or says something else is named.

use serde_json::{Map, Value};

use super::columns::{Columns, JSON};
use super::difference::{Difference, MAX_LISTED, differences};

/// What is found wrong with the rows of one document, the first [`MAX_LISTED`] of it.
#[derive(Debug, Default)]
pub(super) struct Found(pub Vec<Difference>);

impl Found {
    /// Holds the rows that a table has under a key against the one that is due, if one is: rows that were not merged yet too.
    pub fn hold(&mut self, (table, key): (&'static str, &str), stored: &[Columns], computed: Option<&Columns>) {
        let Some(computed) = computed else {
            stored.iter().for_each(|row| self.add((table, key), None, [object(row), Value::Null].into()));
            return;
        };
        if stored.is_empty() {
            self.add((table, key), None, [Value::Null, object(computed)].into());
        }
        for row in stored {
            for ((column, stored), (_, computed)) in row.iter().zip(computed) {
                if stored != computed {
                    self.column((table, key), column, stored, computed);
                }
            }
        }
    }

    fn column(&mut self, of: (&'static str, &str), column: &'static str, stored: &Value, computed: &Value) {
        let parsed = |value: &Value| serde_json::from_str::<Value>(value.as_str()?).ok();
        let inside = match (parsed(stored), parsed(computed)) {
            (Some(stored), Some(computed)) if JSON.contains(&column) => differences(&stored, &computed, &[]),
            _ => Vec::new(),
        };
        if inside.is_empty() {
            // also the same JSON written otherwise: readers are given the text
            let (stored, computed) = (stored.clone(), computed.clone());
            self.add(of, Some(column), Difference { stored, computed, ..Difference::default() });
        }
        inside.into_iter().for_each(|difference| self.add(of, Some(column), difference));
    }

    fn add(&mut self, (table, key): (&'static str, &str), column: Option<&'static str>, found: Difference) {
        if self.0.len() < MAX_LISTED {
            self.0.push(Difference { table: Some(table), key: Some(key.to_owned()), column, ..found });
        }
    }
}

impl From<[Value; 2]> for Difference {
    fn from([stored, computed]: [Value; 2]) -> Self {
        Self { stored, computed, ..Self::default() }
    }
}

/// A whole row, without the documents in it.
fn object(row: &Columns) -> Value {
    let short = row.iter().filter(|(column, _)| !JSON.contains(column));
    Value::Object(short.map(|(column, value)| ((*column).to_owned(), value.clone())).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(amount: &str, body: &str) -> Columns {
        vec![("no", json!(1)), ("amount", json!(amount)), ("body", json!(body))]
    }

    fn said(stored: &[Columns], computed: Option<&Columns>) -> Vec<String> {
        let mut found = Found::default();
        found.hold(("rated_line", "contract c, row 1"), stored, computed);
        found.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_that_lack_are_too_many_or_differ_are_named() {
        let right = row("1.00", r#"{"a":1,"b":2}"#);
        assert_eq!(said(&[right.clone(), right.clone()], Some(&right)), Vec::<String>::new(), "written twice");
        assert_eq!(said(&[], Some(&right)), ["table rated_line, contract c, row 1: the row is not stored"]);
        assert_eq!(
            said(std::slice::from_ref(&right), None),
            ["table rated_line, contract c, row 1: this row is stored, and nothing gives it"]
        );
        // one of two that were not merged yet
        let wrong = row("2.00", r#"{"a":1,"b":3}"#);
        assert_eq!(
            said(&[right.clone(), wrong], Some(&right)),
            [
                "table rated_line, contract c, row 1: amount: \"2.00\" is stored, \"1.00\" was computed",
                "table rated_line, contract c, row 1: body /b: 3 is stored, 2 was computed"
            ]
        );
        assert_eq!(said(&[row("1.00", r#"{"b":2,"a":1}"#)], Some(&right)).len(), 1, "another text of the same");
        assert_eq!(said(&[row("1.00", "no json")], Some(&right)).len(), 1);
    }

    #[test]
    fn a_table_of_other_rows_does_not_flood() {
        let many = vec![row("1.00", ""); MAX_LISTED + 1];
        assert_eq!(said(&many, None).len(), MAX_LISTED);
    }
}
