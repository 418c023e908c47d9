//! The house rules that a compiler does not check.

use std::path::{Path, PathBuf};

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Lines of `files` that hold one of `forbidden`, apart from comments.
fn offences(files: &[PathBuf], forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap();
            if let Some(word) = forbidden.iter().find(|word| line.contains(**word)) {
                found.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    found
}

fn src(part: &str) -> Vec<PathBuf> {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(part));
    assert!(!files.is_empty(), "{part} holds no source");
    files
}

/// The core and the fold's state machines: no async, clock, I/O, randomness or client library.
#[test]
fn the_core_is_pure() {
    let impure = [
        "async ",
        ".await",
        "tokio",
        "rdkafka",
        "clickhouse::",
        "axum",
        "reqwest",
        "hyper",
        "std::fs",
        "std::net",
        "std::io",
        "std::thread",
        "std::process",
        "std::env",
        "SystemTime",
        "std::time",
        "Utc::now",
        "Local::now",
        "rand::",
        "static mut",
        "thread_local",
        "OnceLock",
        "LazyLock",
        "println!",
        "eprintln!",
        "tracing::",
    ];
    let mut files = src("core");
    files.extend(src("fold"));
    assert_eq!(offences(&files, &impure), Vec::<String>::new());
}

/// `println!` panics when whoever reads it has seen enough.
#[test]
fn nothing_is_printed_that_cannot_be_refused() {
    let print = ["{ println!", " println!", "(println!", " print!", "(print!"];
    let mut files = src("");
    files.retain(|file| !file.ends_with("tests.rs"));
    assert_eq!(offences(&files, &print), Vec::<String>::new());
}

/// A macro hides what is done from whoever reads: functions and plain data say it.
#[test]
fn there_are_no_macros_of_our_own() {
    assert_eq!(offences(&src(""), &["macro_rules!"]), Vec::<String>::new());
}

/// The map of the architecture names every part of the source, and its page stays one that can be read at once.
#[test]
fn the_map_names_every_part() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    let parts = |under: &str| {
        let entries = std::fs::read_dir(root.join(under)).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        entries.filter(|path| path.is_dir()).map(name).collect::<Vec<_>>()
    };
    let top = parts("src").into_iter().map(|part| format!("src/{part}/"));
    let core = parts("src/core").into_iter().map(|part| format!("  {part}/"));
    let unnamed: Vec<String> = top.chain(core).filter(|part| !page.contains(part.as_str())).collect();
    assert_eq!(unnamed, Vec::<String>::new(), "docs/ARCHITECTURE.md does not name them");
    assert!(page.lines().count() <= 250, "docs/ARCHITECTURE.md has {} lines", page.lines().count());
}

/// Imports go downwards only: cli -> run, http, load, dev, engine -> kafka, clickhouse -> fold -> core.
#[test]
fn imports_go_downwards() {
    let above = |parts: &[&str]| parts.iter().map(|part| format!("crate::{part}::")).collect::<Vec<_>>();
    let layers: [(&str, &[&str]); 6] = [
        (
            "core",
            &[
                "fold",
                "kafka",
                "clickhouse",
                "run",
                "http",
                "cli",
                "closer",
                "dev",
                "engine",
                "config",
                "load",
                "margin",
                "metrics",
                "programme",
                "statement",
                "sim",
            ],
        ),
        (
            "fold",
            &[
                "kafka",
                "clickhouse",
                "run",
                "http",
                "cli",
                "closer",
                "dev",
                "engine",
                "config",
                "load",
                "margin",
                "metrics",
                "programme",
                "statement",
                "sim",
            ],
        ),
        (
            "kafka",
            &[
                "clickhouse",
                "run",
                "http",
                "cli",
                "closer",
                "dev",
                "engine",
                "load",
                "margin",
                "metrics",
                "programme",
                "statement",
            ],
        ),
        ("clickhouse", &["kafka", "run", "http", "cli", "dev", "engine", "load", "margin", "programme", "statement"]),
        ("gateway", &["clickhouse", "run", "http", "cli", "closer", "dev", "engine", "load", "statement"]),
        ("http", &["cli", "dev", "engine", "run", "kafka", "fold"]),
    ];
    for (part, upper) in layers {
        let upper = above(upper);
        let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
        assert_eq!(offences(&src(part), &upper), Vec::<String>::new(), "{part} imports from above");
    }
}

/// Money is never a float.
#[test]
fn no_float_touches_money() {
    let files: Vec<PathBuf> =
        ["core/pricing", "core/billing", "core/programme", "core/book", "core/metering", "core/ledger"]
            .into_iter()
            .flat_map(src)
            .collect();
    assert_eq!(offences(&files, &["f32", "f64"]), Vec::<String>::new());
}

/// Who sends usage, runs it or reads what became of it is told how far ahead of the broker's clock an event may be.
#[test]
fn pages_tell_how_far_ahead_usage_may_be() {
    let limit = format!("{} minutes", plimsoll::core::ledger::rules::FUTURE_LIMIT_MS / 60_000);
    for page in ["README.md", "docs/PRODUCERS.md", "docs/OPERATIONS.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let told = text.split("`future`").skip(1).any(|rest| rest.contains(&limit));
        assert!(told || text.contains(&format!("{limit} ahead")), "{page} does not say {limit}");
    }
}
