//! Our own SQL files, taken apart: statements, their form for a cluster, the columns they promise.
//!
//! This reads the files in `schemas/clickhouse/` and nothing else, so it knows just the forms that stand there; a test holds it
//! to every file.

/// How a statement begins that fills a table from others.
const INSERT: &str = "INSERT INTO ";
/// How one begins that takes a table away.
const DROP: &str = "DROP TABLE IF EXISTS ";

/// The statements of a file, comments removed.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    let (mut in_string, mut in_comment) = (false, false);
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' if in_comment => {
                in_comment = false;
                statement.push(c);
            }
            _ if in_comment => {}
            '-' if !in_string && rest.peek() == Some(&'-') => in_comment = true,
            ';' if !in_string => statements.push(std::mem::take(&mut statement)),
            c => {
                in_string ^= c == '\'';
                statement.push(c);
            }
        }
    }
    statements.push(statement);
    statements.iter().map(|text| tidy(text)).filter(|text| !text.is_empty()).collect()
}

/// Without blank lines and spaces at line ends.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// The statement for a cluster of replicas: made on all of them, tables with the Replicated form of their engine. Anything else
/// (an ALTER) only gets its `ON CLUSTER`.
pub(super) fn on_cluster(statement: &str, cluster: &str, database: &str) -> String {
    // rows reach the other replicas by themselves
    let Some(name) = object(statement).filter(|_| !statement.starts_with(INSERT)) else { return statement.to_owned() };
    let clause = format!("{name} ON CLUSTER '{cluster}'");
    let statement = statement.replacen(name, &clause, 1);
    let path = format!("'/clickhouse/tables/{{shard}}/{database}/{name}', '{{replica}}'");
    let Some((before, engine)) = statement.split_once("ENGINE = ") else { return statement };
    let end = engine.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(engine.len());
    let (engine, after) = engine.split_at(end);
    match after.strip_prefix('(') {
        Some(arguments) => format!("{before}ENGINE = Replicated{engine}({path}, {arguments}"),
        None => format!("{before}ENGINE = Replicated{engine}({path}){after}"),
    }
}

/// The name of the table or view that a statement is about.
pub(super) fn object(statement: &str) -> Option<&str> {
    let forms = [
        "CREATE TABLE IF NOT EXISTS ",
        "CREATE VIEW IF NOT EXISTS ",
        "CREATE OR REPLACE VIEW ",
        "ALTER TABLE ",
        DROP,
        INSERT,
    ];
    let rest = forms.iter().find_map(|form| statement.strip_prefix(form))?;
    rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().filter(|name| !name.is_empty())
}

/// The table that a statement takes away.
pub(super) fn dropped(statement: &str) -> Option<&str> {
    object(statement).filter(|_| statement.starts_with(DROP))
}

/// The columns that a statement makes: (name, type), in their order. Nothing for a view.
pub(super) fn columns(statement: &str) -> Vec<(String, String)> {
    if let Some((_, column)) = statement.split_once(" ADD COLUMN IF NOT EXISTS ") {
        return column.split_once(' ').map(|(name, kind)| (name.to_owned(), one_line(kind))).into_iter().collect();
    }
    let body =
        statement.starts_with("CREATE TABLE").then(|| statement.split_once("\n(\n")?.1.split_once("\n)\n")).flatten();
    let Some((body, _)) = body else { return Vec::new() };
    let column = |line: &str| {
        let (name, kind) = line.trim().trim_end_matches(',').split_once(' ')?;
        Some((name.to_owned(), one_line(kind)))
    };
    body.lines().filter_map(column).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::migrate::MIGRATIONS;

    #[test]
    fn comments_and_strings_do_not_cut_statements() {
        let sql = "-- a; comment's\nSELECT 'a;b--c' -- more;\n;\n\nSELECT 2;\n";
        assert_eq!(statements(sql), ["SELECT 'a;b--c'", "SELECT 2"]);
    }

    #[test]
    fn every_statement_of_ours_is_understood() {
        for migration in &MIGRATIONS {
            for statement in statements(migration.sql) {
                assert!(object(&statement).is_some(), "{statement}");
                let table = statement.starts_with("CREATE TABLE");
                assert_eq!(columns(&statement).is_empty(), !table && !statement.contains("ADD COLUMN"), "{statement}");
            }
        }
    }

    #[test]
    fn the_cluster_form_is_replicated() {
        let all: Vec<String> = MIGRATIONS
            .iter()
            .flat_map(|migration| statements(migration.sql))
            .map(|statement| on_cluster(&statement, "main", "plimsoll"))
            .collect();
        insta::assert_snapshot!(all.join(";\n\n"));
    }
}
