//! What commands say to whoever asks for what there is not, with the real binary: what there is, and exit code 2; or that there is nothing.

use std::process::Command;

use crate::stage::{SAMPLE, site_of};
use crate::worker::Parts;

/// The exit code, standard output, and what is said on standard error.
fn asked(parts: &Parts, line: &str) -> (Option<i32>, String, String) {
    let output = parts.run(&line.split(' ').collect::<Vec<_>>());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn whoever_asks_for_what_there_is_not_is_told_what_there_is() {
    let parts = site_of("northwind", 1);
    parts.ok(&["catalog", "apply", SAMPLE]);
    parts.ok(&["run", "--until-caught-up"]);
    for (line, told) in [
        ("credit list", "no credit is granted"),
        ("drafts", "no draft waits"),
        ("drafts --json", "no draft waits"),
        ("invoices", "no document fits"),
        ("invoices --provider northwind --period 2026-10", "no document fits"),
        ("events --stream usage", "no record fits"),
    ] {
        let (code, printed, said) = asked(&parts, line);
        assert!(code == Some(0) && printed.is_empty() && said.contains(told), "{line}: {code:?} {printed} {said}");
    }
    parts.ok(&["load", "--stream", "usage", "--events", "2"]);
    parts.ok(&["run", "--until-caught-up"]);
    for (line, told) in [
        ("events --stream nope", "no record of stream nope is stored: name one of usage-1"),
        ("load --stream nope --events 1", "no stream nope is open: name one of usage"),
        ("catalog show --at 2000-01-01", "no price book was published by then; `plimsoll catalog history` lists them"),
        ("unclaimed --provider nortwind --period 2026-10", "did you mean northwind?"),
        (
            "credit grant northwind-wholesale --id a --amount -1 --reference x",
            "--amount -1 is no amount above 0 in EUR with at most 2 places: write it as 120.00",
        ),
    ] {
        let (code, printed, said) = asked(&parts, line);
        assert!(code == Some(2) && printed.is_empty() && said.contains(told), "{line}: {code:?} {printed} {said}");
    }
    assert!(parts.ok(&["events", "--stream", "usage"]).lines().count() == 2);
    // whoever is logged in decides, where nobody is named
    parts
        .command(&["credit", "grant", "northwind-wholesale", "--id", "a", "--amount", "1", "--reference", "x"])
        .env("USER", "eva")
        .output()
        .unwrap();
    assert!(parts.ok(&["credit", "list"]).contains("  eva  x"), "{}", parts.ok(&["credit", "list"]));
}

/// What the binary says where the variable names this file.
fn configured(file: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).env("PLIMSOLL_CONFIG", file).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_wrong_file_is_told_once_and_by_whom_it_is_named() {
    let (code, said) = configured("/nowhere/plimsoll.toml", &["config", "show"]);
    assert_eq!((code, said.matches("No such file").count()), (Some(1), 1), "{said}");
    assert!(said.contains("configuration named by --config or PLIMSOLL_CONFIG: cannot read /nowhere"), "{said}");
    let (code, said) = configured("", &["config", "reference"]);
    assert_eq!((code, said), (Some(0), String::new()), "an empty variable counts as not set");
    let (code, said) = configured("", &["collect", "flasharray"]);
    assert!(code == Some(2) && said.contains("name it with --config"), "{said}");
    let theirs = concat!(env!("CARGO_MANIFEST_DIR"), "/config/plimsoll.toml");
    let (code, said) = configured(theirs, &["collect", "flasharray", "--print"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("a collector has a file of its own") && said.contains("config/collect.toml"), "{said}");
}
