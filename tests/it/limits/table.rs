//! docs/LIMITS.md names every bound with its value, and a test of it that exists: the table cannot rot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plimsoll::config::{Config, Source};

/// Parts of names of constants that bound something. Whoever adds one of these adds a row, or says below why not.
const BOUNDING: [&str; 13] = [
    "MAX", "LIMIT", "MOST", "WAIT", "TIMEOUT", "BATCH", "BYTES", "PIECES", "DRAIN", "AHEAD", "PAGE", "TRIES", "RECORDS",
];

/// Constants with such a name that bound nothing: flags, forms, sizes of one thing.
const NO_BOUND: [(&str, &str); 5] = [
    ("src/core/ledger/identity_shard.rs", "ENTRY_BYTES"),
    ("src/core/ledger/rules.rs", "FUTURE_LIMIT_MS"),
    ("src/kafka/control_writer.rs", "RECORD_OVERHEAD_BYTES"),
    ("src/cli/quote.rs", "MOST_BYTES"),
    ("src/run/worker.rs", "FETCH_WAIT_MS"),
];

/// What runs on a developer's machine only: the engine's process, the parts and synthetic usage.
const DEVELOPMENT: [&str; 3] = ["src/dev/", "src/engine/", "src/load/"];

struct Row {
    what: String,
    /// The code spans of the limit: its value first, for a configuration key then its least and greatest.
    limit: Vec<String>,
    place: Vec<String>,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts between backticks.
fn spans(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let text = read("docs/LIMITS.md");
    let lines = text.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    let rows: Vec<Row> = lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [what, limit, place, _, tests] = cells[..] else { panic!("five cells a row: {line}") };
            Row { what: what.to_owned(), limit: spans(limit), place: spans(place), tests: spans(tests) }
        })
        .collect();
    assert!(rows.len() > 70, "{}", rows.len());
    rows
}

/// The value of a constant as the source writes it.
fn constant(path: &str, name: &str) -> Option<String> {
    let text = read(path);
    let line = text.lines().find(|line| line.contains(&format!("const {name}: ")))?;
    let (_, value) = line.split_once(" = ")?;
    Some(value.trim_end_matches(';').to_owned())
}

fn is_key(place: &str) -> bool {
    place
        .split_once('.')
        .is_some_and(|(section, _)| ["kafka", "clickhouse", "run", "bill", "http", "gateway"].contains(&section))
}

#[test]
fn each_row_has_the_value_of_its_constant() {
    for row in rows().iter().filter(|row| !is_key(&row.place[0])) {
        let [path, name] = &row.place[..] else { panic!("{}: a file and a constant", row.what) };
        let value = constant(path, name).unwrap_or_else(|| panic!("{path} has no constant {name}"));
        assert_eq!(row.limit.first(), Some(&value), "{}: {name}", row.what);
    }
}

fn default_of(key: &str) -> String {
    let (section, name) = key.split_once('.').unwrap();
    let table: toml::Table = read("config/plimsoll.toml").parse().unwrap();
    table[section][name].to_string()
}

fn taken(key: &str, value: &str) -> bool {
    let (section, name) = key.split_once('.').unwrap();
    // a page is no greater than the greatest page
    let beside = match key {
        "http.page_size" => "page_size_max = 100000\n",
        "http.page_size_max" => "page_size = 1\n",
        // what is in flight has room for a body and what it is inflated to
        "gateway.body_max_kbytes" | "gateway.inflated_max_kbytes" => "in_flight_max_kbytes = 16777216\n",
        "gateway.in_flight_max_kbytes" => "body_max_kbytes = 1\ninflated_max_kbytes = 1\n",
        _ => "",
    };
    let text = format!("[{section}]\n{beside}{name} = {value}\n");
    Config::from_parts(Source::Named(PathBuf::from("site.toml")), &text, []).is_ok()
}

/// One below the least, the least, the greatest, one above.
#[test]
fn each_key_is_taken_between_its_ends_and_refused_beyond() {
    for row in rows().iter().filter(|row| is_key(&row.place[0])) {
        let (key, [default, least, greatest]) = (&row.place[0], &row.limit[..]) else {
            panic!("{}: default, least and greatest", row.what)
        };
        assert_eq!(*default, default_of(key), "{key}");
        let (least, greatest): (i64, i64) = (least.parse().unwrap(), greatest.parse().unwrap());
        let found = [least - 1, least, greatest, greatest + 1].map(|value| taken(key, &value.to_string()));
        assert_eq!(found, [false, true, true, false], "{key}");
    }
}

#[test]
fn each_row_has_a_test_that_exists() {
    for row in rows() {
        assert!(row.tests.len() >= 2 && row.tests.len().is_multiple_of(2), "{}: file and test", row.what);
        for pair in row.tests.chunks(2) {
            let text = read(&pair[0]);
            assert!(text.contains(&format!("fn {}(", pair[1])), "{}: {} has no test {}", row.what, pair[0], pair[1]);
        }
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// No bound without a row: constants by their names, and every number of the configuration.
#[test]
fn each_bound_has_a_row() {
    let named: BTreeSet<String> = rows().iter().map(|row| row.place.join(" ")).collect();
    let mut missing = Vec::new();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for file in files {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let is_development = DEVELOPMENT.iter().any(|part| path.starts_with(part));
        if is_development || path.starts_with("src/sim/") || path.ends_with("/tests.rs") || path.ends_with("/bounds.rs")
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for line in code.lines() {
            let Some((_, rest)) = line.split_once("const ") else { continue };
            let Some((name, kind)) = rest.split_once(": ") else { continue };
            let is_number = ["usize", "u64", "u32", "i64", "u16", "Duration", "i32"]
                .iter()
                .any(|number| kind.starts_with(&format!("{number} =")));
            let bounds = BOUNDING.iter().any(|part| name.split('_').any(|word| word == *part));
            let excused = NO_BOUND.contains(&(path.as_str(), name));
            if is_number && bounds && !excused && !named.contains(&format!("{path} {name}")) {
                missing.push(format!("{path} {name}"));
            }
        }
    }
    let table: toml::Table = read("config/plimsoll.toml").parse().unwrap();
    for (section, keys) in &table {
        for (key, value) in keys.as_table().into_iter().flatten() {
            let name = format!("{section}.{key}");
            if value.is_integer() && key != "replication_factor" && !named.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "docs/LIMITS.md lacks {missing:#?}");
}
