//! Everything about closing that is refused: in clear words, with exit code 2, and nothing written.

use super::setting::{BOOK, Setting, bill, polls, until};
use crate::stage::open_for;
use crate::worker::Parts;

/// Decisions, stored drafts and stored documents.
fn written(setting: &Setting) -> (u64, u64, u64) {
    let (mut closer, ..) = setting.closer();
    closer.follow().unwrap();
    let count = |table: &str| setting.parts.number(&format!("SELECT count() FROM {table} FINAL"));
    (closer.register().next().0, count("rating"), count("invoice"))
}

/// Each of these is refused, and says so in these words.
fn refused(setting: &Setting, all: &[(&[&str], &str)]) {
    let before = written(setting);
    let mut wrong = Vec::new();
    for (arguments, words) in all {
        let output = setting.parts.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
        if output.status.code() != Some(2) || !said.contains(words) {
            wrong.push(format!("{arguments:?} ends with {:?} and says {said:?}, not {words:?}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(written(setting), before, "something was written");
}

const CLOSE: [&str; 3] = ["close", "--provider", "p"];

#[test]
fn what_cannot_be_is_refused_in_words_and_writes_nothing() {
    let setting = Setting::start(10, 10);
    let reprice = ["reprice", "--provider", "p", "--reason", "wrong", "--period"];
    refused(
        &setting,
        &[
            (&["statement", "nobody", "--period", "2026-10"], "nobody"),
            (&["prove", "--statement", "nobody", "--period", "2026-10"], "nobody"),
            (
                &["credit", "grant", "nobody", "--id", "x", "--amount", "1", "--reference", "r"],
                "has no contract nobody",
            ),
            (&["credit", "grant", "wholesale", "--id", "x", "--amount", "-1", "--reference", "r"], ""),
            (&["close", "--provider", "nobody", "--period", "2026-10"], "has no provider nobody"),
            (&[&CLOSE[..], &["--period", "2025-12"]].concat(), "no contract of p is in force in 2025-12"),
            (&[&CLOSE[..], &["--period", "October"]].concat(), "October"),
            (&[&CLOSE[..], &["--period", "2099-01"]].concat(), "not_ended: the period ends at 2099-02-01T00:00:00Z"),
            (&[&CLOSE[..], &["--period", "2099-01", "--override", "now"]].concat(), "not_ended: the period ends at"),
            (&[&CLOSE[..], &["--period", "2026-10", "--override", " "]].concat(), "--override must say why"),
            (&[&CLOSE[..], &["--period", "2026-10", "--override", "x", "--dry-run"]].concat(), "cannot be used with"),
            (&CLOSE, "--period"),
            (&[&reprice[..], &["2026-10"]].concat(), "no period of p that begins in 2026-10 is closed"),
            (&["prove", "V-0009"], "no document V-0009 is issued"),
            (&["trace", "V-0009", "1"], "no such document is issued"),
            (&["invoices", "V-0009"], "no document V-0009 is issued"),
            (&["credit", "V-0009", "--reason", "x"], "no document V-0009 is issued"),
            (&["reference", "V-0009", "ERP-1"], "no document V-0009 is issued"),
            (&["issue", "00ff00ff00ff00ff"], "there is no draft 00ff00ff00ff00ff"),
            (&["discard", "00ff00ff00ff00ff", "--reason", "x"], "there is no draft 00ff00ff00ff00ff"),
        ],
    );

    let (code, object, said) = setting.close("2026-10", &[]);
    assert_eq!(code, Some(0), "{object} {said}");
    let drafts = object["drafts"].as_array().unwrap();
    let draft = drafts.iter().find(|one| one["contract"] == "wholesale").unwrap()["draft"].as_str().unwrap();
    setting.parts.ok(&["bill", "--once"]);
    setting.parts.ok(&["credit", "V-0001", "--row", "1=10.00", "--reason", "a part"]);

    let book = setting.parts.directory.path().join("other");
    std::fs::create_dir(&book).unwrap();
    std::fs::write(book.join("book.toml"), BOOK.replace("price = \"10\"", "price = \"12\"")).unwrap();
    let book = book.to_str().unwrap();
    refused(
        &setting,
        &[
            (&[&CLOSE[..], &["--period", "2026-10"]].concat(), "nothing that was accepted since alters an amount"),
            (&["catalog", "apply", book], "wholesale"),
            (&["catalog", "plan", book], "wholesale"),
            (&["issue", draft], "is issued as V-0001"),
            (&["discard", draft, "--reason", "x"], "is issued as V-0001"),
            (&["credit", "V-0001", "--row", "1=70.01", "--reason", "x"], "70.00"),
            (&["credit", "V-0001", "--row", "2=90.01", "--reason", "x"], "90.00"),
            (&["credit", "V-0001", "--row", "3", "--reason", "x"], "3"),
            (&["credit", "V-0001", "--row", "1=-1.00", "--reason", "x"], "-1.00"),
            (&["credit", "V-0001", "--row", "1=1", "--row", "1=2", "--reason", "x"], "1"),
            (&["credit", "V-0002", "--reason", "x"], "credit note"),
            (&["credit", "V-0001", "--reason", " "], "--reason must say something"),
            (&["trace", "V-0001", "9"], "9"),
            (&["reprice", "--provider", "p", "--period", "2026-10", "--book", "sha256:0", "--reason", "x"], "sha256:0"),
        ],
    );
    setting.parts.ok(&["credit", "V-0001", "--reason", "the rest"]);
    refused(&setting, &[(&["credit", "V-0001", "--reason", "once more"], "V-0001")]);
}

/// A provider of which nothing is folded and whose contracts price usage: each refusal names a hole. What lies in the log and is not folded
/// nobody waives.
#[test]
fn what_no_checkpoint_says_anything_of_is_refused_with_what_to_do() {
    let parts = Parts::start();
    parts.publish_book(&BOOK);
    let holes = |more: &[&str]| {
        let close = [&CLOSE[..], &["--period", "2026-10", "--format", "json"], more].concat();
        let output = parts.run(&close);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let hole = |hole: &serde_json::Value| format!("{} {}", hole["kind"], hole["text"]);
        object["holes"].as_array().unwrap().iter().map(hole).collect::<Vec<_>>().join("\n")
    };
    for more in [&[][..], &["--dry-run"]] {
        let told = holes(more);
        assert!(
            told.contains("no_stream") && told.contains("`plimsoll stream open NAME --provider p --partitions N`"),
            "{told}"
        );
    }
    let words = parts.run(&[&CLOSE[..], &["--period", "2026-10"]].concat());
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(
        words.contains("\n  no_stream: no stream that may hold usage of p") && words.contains("--override REASON"),
        "{words}"
    );
    open_for(&parts, "usage", "p", 1);
    let told = holes(&[]);
    assert!(told.contains("no_checkpoint") && told.contains("nothing was ever sent"), "{told}");
    parts.produce("usage", polls(10, 10).take(1));
    for more in [&[][..], &["--override", "x"]] {
        let told = holes(more);
        assert!(told.contains("no_checkpoint") && told.contains("`plimsoll run` writes one"), "{told}");
    }
}

#[test]
fn a_close_that_cannot_be_proved_keeps_nobody_from_the_tables_of_the_programme_nor_another_from_its_proof() {
    let setting = Setting::start(9, 10);
    for label in ["2026-09", "2026-10"] {
        let (code, object, said) = setting.close(label, &[]);
        assert_eq!(code, Some(0), "{object} {said}");
    }
    let published = "FROM decision WHERE kind = 'PriceBookPublished'";
    until("the book is mirrored", || setting.parts.number(&format!("SELECT count() {published}")) > 0);
    let change =
        "ALTER TABLE decision UPDATE actor = 'nobody' WHERE kind = 'PriceBookPublished' SETTINGS mutations_sync = 2";
    setting.parts.execute(change).unwrap();
    let output = setting.parts.run(&["bill", "--once"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("has actor"), "{errors}");
    assert_eq!(setting.parts.number("SELECT count() FROM array_health"), 1);

    // one after the other is tried, and then both wait
    let (mut worker, metrics, _runtime) = bill(&setting.parts);
    let mut round = || (worker.round().map_err(|error| error.to_string()), metrics.prove_errors.get());
    let rounds = [round(), round(), round()];
    let is_tried = |(done, _): &(Result<_, String>, i64)| done.as_ref().is_err_and(|error| error.contains("has actor"));
    assert_eq!(rounds.each_ref().map(is_tried), [true, true, false], "{rounds:?}");
    assert_eq!(rounds.map(|(_, errors)| errors), [1, 2, 2]);
}
