//! Every column of every materialised row of a document altered in the real engine after a real close, and what a proof says of it.

use std::collections::BTreeSet;

use plimsoll::config::Config;
use plimsoll::core::decision::Decision;
use plimsoll::kafka::control_writer::append;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::close::setting::{Poll, Setting, event, hours};

/// A table, the columns that name its rows, and one row of the document that is proved.
struct Case {
    table: &'static str,
    /// The columns of its key, but for those that make it another close's: its rows are read by nobody.
    key: &'static [&'static str],
    row: &'static str,
}

const OWN: &str = "rating_id = (SELECT any(rating_id) FROM invoice WHERE number = 'V-0001')";

const CASES: [Case; 5] = [
    Case { table: "rating", key: &["contract", "customer"], row: "contract = 'wholesale'" },
    Case { table: "rated_line", key: &["contract", "customer", "no"], row: "contract = 'wholesale' AND no = 1" },
    Case { table: "allocation", key: &["contract", "no", "customer"], row: "no = 1 AND customer = 'acme'" },
    Case { table: "invoice", key: &["number"], row: "number = 'V-0001'" },
    Case { table: "invoice_header", key: &["decision"], row: "number = 'V-0001'" },
];

impl Case {
    /// Where its row is: headers of lists do not name their close.
    fn place(&self) -> String {
        if self.table == "invoice_header" { self.row.to_owned() } else { format!("{OWN} AND {}", self.row) }
    }
}

/// Another value than a column has.
fn other(column: &str, kind: &str) -> String {
    match kind {
        "String" | "LowCardinality(String)" => format!("concat(toString({column}), 'x')"),
        "Array(String)" => format!("arrayPushBack({column}, 'x')"),
        _ if kind.starts_with("Nullable") => format!("ifNull({column}, 0) + 1"),
        _ if kind.starts_with("Date") => format!("addDays({column}, 1)"),
        // far enough that no row of another key is met
        _ => format!("{column} + 100"),
    }
}

struct Stage {
    setting: Setting,
}

impl Stage {
    /// A closed month with a note over its wholesale, a reference and a correction.
    fn new() -> Self {
        let mut setting = Setting::start(10, 10);
        let close = |setting: &Setting| {
            let (code, object, said) = setting.close("2026-10", &[]);
            assert_eq!((code, &object["outcome"]), (Some(0), &"closed".into()), "{object} {said}");
            setting.parts.ok(&["bill", "--once"]);
        };
        close(&setting);
        setting.parts.ok(&["credit", "V-0001", "--row", "2=10.00", "--reason", "agreed"]);
        let config = Config::load(Some(&setting.parts.config)).unwrap();
        let referenced = Decision::DocumentReferenced {
            number: "V-0001".to_owned(),
            reference: "ERP-1".to_owned(),
            actor: "test".to_owned(),
        };
        Runtime::new().unwrap().block_on(append(&config.kafka, &referenced)).unwrap();
        let more = hours(10)
            .map(|hour| event(&Poll { hour, copy: 1, array: 9, volumes: &[("v1", "acme", 4), ("v2", "globex", 2)] }));
        let more = more.collect();
        setting.say(more);
        close(&setting);
        let stage = Self { setting };
        stage.setting.parts.ok(&["prove", "--all", "--with-log"]);
        stage
    }

    fn execute(&self, sql: &str) {
        self.setting.parts.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Changes a table, has documents proved, and puts it back.
    fn altered(&self, table: &str, sql: &str, arguments: &[&str]) -> (Option<i32>, Vec<Value>, String) {
        self.execute(&format!("CREATE TABLE kept AS {table}"));
        self.execute(&format!("INSERT INTO kept SELECT * FROM {table}"));
        self.execute(sql);
        let output = self.setting.parts.run(&[arguments, &["--format", "json"]].concat());
        self.execute(&format!("TRUNCATE TABLE {table}"));
        self.execute(&format!("INSERT INTO {table} SELECT * FROM kept"));
        self.execute("DROP TABLE kept SYNC");
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code(), lines, String::from_utf8(output.stderr).unwrap())
    }

    /// The columns of a table, with their types.
    fn columns(&self, table: &str) -> Vec<(String, String)> {
        let sql = format!(
            "SELECT concat(name, ' ', type) FROM system.columns WHERE database = 'plimsoll' AND table = '{table}' ORDER BY position"
        );
        let split = |text: String| text.split_once(' ').map(|(name, kind)| (name.to_owned(), kind.to_owned())).unwrap();
        self.setting.parts.texts(&sql).into_iter().map(split).collect()
    }

    /// A newer row in place of a case's, with other values in some columns.
    fn newer(&self, case: &Case, is_altered: impl Fn(&str) -> bool) -> String {
        let columns = self.columns(case.table);
        let value = |(name, kind): &(String, String)| if is_altered(name) { other(name, kind) } else { name.clone() };
        let (names, values): (Vec<_>, Vec<_>) = columns.iter().map(|column| (column.0.clone(), value(column))).unzip();
        // a row of an older state is no row of the document
        let newest = if names.iter().any(|name| name == "version") { " ORDER BY version DESC LIMIT 1" } else { "" };
        let (table, place) = (case.table, case.place());
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM (SELECT * FROM {table} WHERE {place}{newest})",
            names.join(", "),
            values.join(", ")
        )
    }
}

/// Everything that differs, as (table, column); no column where a row lacks or is too much.
fn named(lines: &[Value]) -> BTreeSet<(String, String)> {
    let differences = lines.iter().filter_map(|line| line["differences"].as_array()).flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    differences.map(|difference| (text(&difference["table"]), text(&difference["column"]))).collect()
}

#[test]
fn whatever_is_altered_in_a_row_of_a_document_is_named() {
    let stage = Stage::new();
    for case in &CASES {
        let Case { table, key, .. } = case;
        let is_key = |name: &str| key.contains(&name) || name == "rating_id" && *table != "invoice";
        // every column at once, in a newer row
        let sql = stage.newer(case, |name| !is_key(name) && name != "version");
        let (code, lines, errors) = stage.altered(table, &sql, &["prove", "V-0001"]);
        let found = named(&lines);
        assert_eq!(code, Some(1), "{table}: {lines:?} {errors}");
        for (column, _) in stage.columns(table).iter().filter(|(name, _)| !is_key(name) && name != "version") {
            assert!(found.contains(&((*table).to_owned(), column.clone())), "{table}.{column}: {found:?}");
        }
        let own = lines[0]["differences"].as_array().unwrap();
        assert!(own.iter().all(|one| one["table"] == *table && one["key"].as_str().is_some()), "{own:?}");
        // one that claims to reflect another decision
        if stage.columns(table).iter().any(|(name, _)| name == "version") {
            let sql = stage.newer(case, |name| name == "version");
            let (code, lines, _) = stage.altered(table, &sql, &["prove", "V-0001"]);
            let version = ((*table).to_owned(), "version".to_owned());
            assert!(code == Some(1) && named(&lines).contains(&version), "{table}: {lines:?}");
        }
        // a row beside it that nothing gives
        for column in *key {
            let sql = stage.newer(case, |name| name == *column);
            let (code, lines, errors) = stage.altered(table, &sql, &["prove", "--all"]);
            let row = ((*table).to_owned(), String::new());
            assert!(code == Some(1) && named(&lines).contains(&row), "{table}.{column}: {lines:?} {errors}");
        }
        // no row any more
        let sql = format!("ALTER TABLE {table} DELETE WHERE {} SETTINGS mutations_sync = 2", case.row);
        let (code, lines, _) = stage.altered(table, &sql, &["prove", "V-0001"]);
        let row = ((*table).to_owned(), String::new());
        assert!(code == Some(1) && named(&lines).contains(&row), "{table}: {lines:?}");
    }
    in_words(&stage);
    mirrors(&stage);
    stage.setting.parts.ok(&["prove", "--all", "--with-log"]);
}

/// What an accountant would look for: a state, a reference, a total, in a document and in a note.
fn in_words(stage: &Stage) {
    for (table, change, number, wanted) in [
        (
            "invoice",
            "state = 'issued'",
            "V-0001",
            "table invoice, V-0001: state: \"issued\" is stored, \"partly_credited\" was computed",
        ),
        ("invoice", "erp = ''", "V-0001", "table invoice, V-0001: erp: \"\" is stored, \"ERP-1\" was computed"),
        ("invoice", "erp = 'ERP-9'", "V-0002", "table invoice, V-0002: erp: \"ERP-9\" is stored, \"\" was computed"),
        ("invoice", "total = 1", "V-0002", "table invoice, V-0002: total: \"1\" is stored, \"-10\" was computed"),
        (
            "invoice_header",
            "state = 'credited'",
            "V-0001",
            "table invoice_header, V-0001: state: \"credited\" is stored",
        ),
        (
            "invoice",
            "document = replaceOne(document, 'ERP-1', 'ERP-2')",
            "V-0001",
            "document /references/erp: \"ERP-2\" is stored",
        ),
    ] {
        stage.execute(&format!("CREATE TABLE kept AS {table}"));
        stage.execute(&format!("INSERT INTO kept SELECT * FROM {table}"));
        stage.execute(&format!(
            "ALTER TABLE {table} UPDATE {change} WHERE number = '{number}' SETTINGS mutations_sync = 2"
        ));
        let output = stage.setting.parts.run(&["prove", number]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && text.contains(wanted), "{wanted}: {text}");
        stage.execute(&format!("TRUNCATE TABLE {table}"));
        stage.execute(&format!("INSERT INTO {table} SELECT * FROM kept"));
        stage.execute("DROP TABLE kept SYNC");
    }
}

/// The mirror itself: what its chain of hashes does not hold.
fn mirrors(stage: &Stage) {
    let of_issue = "WHERE kind = 'InvoiceIssued' SETTINGS mutations_sync = 2";
    let altered = |change: &str, arguments: &[&str]| {
        stage.altered("decision", &format!("ALTER TABLE decision UPDATE {change} {of_issue}"), arguments)
    };
    for (change, column) in [("actor = 'nobody'", "actor nobody"), ("provider = 'q'", "provider q")] {
        let (code, _, errors) = altered(change, &["prove", "--all"]);
        assert!(code == Some(1) && errors.contains(column), "{change}: {errors}");
    }
    let (code, lines, _) = altered("append_time = addDays(append_time, 3)", &["prove", "V-0001"]);
    let found = named(&lines);
    let issued = ("invoice".to_owned(), "issued_at".to_owned());
    assert!(code == Some(1) && found.contains(&issued), "the rows say when: {found:?}");
    let (code, _, errors) = altered("append_time = append_time + 1", &["prove", "--all", "--with-log"]);
    assert!(
        code == Some(1) && errors.contains("has append_time") && errors.contains("billing-control says"),
        "{errors}"
    );
    // a second row of a decision, which is not shown or shown, as merges will have it
    let second = "INSERT INTO decision SELECT offset, append_time, kind, provider, 'nobody', body, hash FROM decision WHERE kind = 'InvoiceIssued' LIMIT 1";
    let (code, _, errors) = stage.altered("decision", second, &["prove", "--all"]);
    assert!(code == Some(1) && (errors.contains("several rows") || errors.contains("actor")), "{errors}");
}
