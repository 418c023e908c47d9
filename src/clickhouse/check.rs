//! At start: are the tables the ones that this build writes and reads?
//!
//! The client library compares the width of a column only, so a Decimal of another scale or an Int128 that should be a UInt128 would
//! be filled with wrong figures in silence. Names and types are therefore compared with our own SQL, letter for letter.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::migrate::MIGRATIONS;
use super::{Client, Error, ddl};

const MEND: &str = "run `plimsoll migrate`; a table that it did not make must be renamed or dropped by hand";

#[derive(Row, Deserialize)]
struct Column {
    table: String,
    name: String,
    kind: String,
}

/// Refuses tables that lack a column or have one of another type. More columns than expected are fine.
///
/// # Errors
/// The server's, and all differences at once.
pub async fn tables(client: &Client) -> Result<(), Error> {
    let sql = "SELECT table, name, type AS kind FROM system.columns WHERE database = {database:String}";
    let rows: Vec<Column> = client.fetch_all(client.select(sql).param("database", &client.settings().database)).await?;
    let there = rows.into_iter().map(|column| ((column.table, column.name), column.kind)).collect();
    let differences = differences(&expected(), &there);
    if differences.is_empty() {
        return Ok(());
    }
    let text = format!("database `{}` does not fit this build: {}", client.settings().database, differences.join(", "));
    Err(Error::refusal(text, MEND))
}

/// (table, column) to type.
type Columns = BTreeMap<(String, String), String>;

fn expected() -> Columns {
    let mut columns = Columns::new();
    for statement in MIGRATIONS.iter().flat_map(|migration| ddl::statements(migration.sql)) {
        let Some(table) = ddl::object(&statement) else { continue };
        if ddl::dropped(&statement).is_some() {
            columns.retain(|(of, _), _| of.as_str() != table);
        }
        columns.extend(ddl::columns(&statement).into_iter().map(|(name, kind)| ((table.to_owned(), name), kind)));
    }
    columns
}

fn differences(expected: &Columns, there: &Columns) -> Vec<String> {
    let difference =
        |((table, name), kind): (&(String, String), &String)| match there.get(&(table.clone(), name.clone())) {
            None => Some(format!("{table}.{name} is missing")),
            Some(found) if found != kind => Some(format!("{table}.{name} is {found} and must be {kind}")),
            Some(_) => None,
        };
    expected.iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_column_and_another_type_are_named() {
        let mut there = expected();
        assert!(there.len() > 50);
        let has = |table: &str| there.keys().any(|(of, _)| of == table);
        assert!(has("stream_array") && !has("array_seen"), "what a later migration drops is not looked for");
        assert_eq!(differences(&expected(), &there), Vec::<String>::new());
        let key = |table: &str, name: &str| (table.to_owned(), name.to_owned());
        there.insert(key("usage_bucket", "cell_amount"), "Array(Int64)".to_owned());
        there.remove(&key("decision", "hash"));
        there.insert(key("decision", "more"), "String".to_owned());
        assert_eq!(
            differences(&expected(), &there),
            ["decision.hash is missing", "usage_bucket.cell_amount is Array(Int64) and must be Array(Int128)"]
        );
    }
}
