//! Rows of corrections and of credit notes traced: both ratings that a row is the difference of, and the row that a note takes back.

use serde_json::Value;

use super::setting::{BOOK, Poll, Setting, VOLUMES, event, hours};

/// 8 TiB are 6 at 10.00 and 2 at 8.00.
fn banded() -> String {
    let plain = "statistic = \"mean\", price = \"10\" }";
    assert!(BOOK.contains(plain));
    BOOK.replace(plain, "statistic = \"mean\", bands = [{ up_to = \"6\", price = \"10\" }, { price = \"8\" }] }")
}

fn traced(setting: &Setting, number: &str, row: usize, more: &[&str]) -> Vec<Value> {
    let row = row.to_string();
    setting.parts.lines(&[&["trace", number, &row, "--format", "json"], more].concat())
}

fn of<'l>(lines: &'l [Value], kind: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_row_of_a_correction_is_traced_in_both_ratings_and_a_note_in_what_it_takes_back() {
    let mut setting = Setting::with_book(&banded(), 10, 10);
    let close = |setting: &Setting| {
        let (code, object, said) = setting.close("2026-10", &[]);
        assert_eq!((code, &object["outcome"]), (Some(0), &"closed".into()), "{object} {said}");
        setting.parts.ok(&["bill", "--once"]);
    };
    close(&setting);
    // the array held 5 all the time: 1 less of the first band, and nothing of the second
    let less = hours(10).map(|hour| event(&Poll { hour, copy: 1, array: 5, volumes: &VOLUMES })).collect();
    setting.say(less);
    close(&setting);

    let lines = traced(&setting, "V-0002", 1, &["--by", "day"]);
    assert_eq!(
        (&lines[0]["row"]["quantity"], &lines[0]["row"]["amount"]),
        (&"-1".into(), &"-10.00".into()),
        "{lines:?}"
    );
    let sides = of(&lines, "side");
    assert_eq!(sides.iter().map(|side| &side["side"]).collect::<Vec<_>>(), ["after", "before"]);
    assert_eq!((&sides[0]["row"]["quantity"], &sides[1]["row"]["quantity"]), (&"5".into(), &"6".into()));
    let sums = of(&lines, "sum");
    assert!(sums.len() == 2 && sums.iter().all(|sum| sum["equal"] == true), "{sums:?}");
    assert_eq!((&sums[0]["quantity"], &sums[1]["quantity"]), (&"5".into(), &"8".into()), "the line before its bands");
    assert!(sums.iter().all(|sum| sum["amount"].is_string() && sum["one"].is_string()), "{sums:?}");
    let last = lines.last().unwrap();
    assert_eq!((&last["type"], &last["quantity"]["difference"]), (&"difference".into(), &"-1".into()));
    assert_eq!((&last["quantity"]["equal"], &last["amount"]["equal"]), (&true.into(), &true.into()), "{last}");

    // the band that was taken back: the rating after has no such row
    let lines = traced(&setting, "V-0002", 2, &[]);
    let (sides, last) = (of(&lines, "side"), lines.last().unwrap());
    assert!(sides[0]["row"].is_null() && sides[1]["row"]["quantity"] == "2", "{lines:?}");
    assert_eq!((&last["quantity"]["after"], &last["quantity"]["difference"]), (&"0".into(), &"-2".into()));
    assert_eq!((&last["quantity"]["equal"], &last["amount"]["row"]), (&true.into(), &"-16".into()), "{last}");
    let text = setting.parts.ok(&["trace", "V-0002", "2"]);
    assert!(text.contains("the rating before has row 2") && text.contains("as the row says (-2)"), "{text}");

    arrays_and_notes(&setting);
}

fn arrays_and_notes(setting: &Setting) {
    // an array of which nothing is behind the row
    assert_eq!(of(&traced(setting, "V-0001", 1, &["--array", "a", "--by", "hour"]), "sum")[0]["equal"], true);
    for (number, row) in [("V-0001", "1"), ("V-0001", "3"), ("V-0002", "1")] {
        for by in ["array", "day"] {
            let output = setting.parts.run(&["trace", number, row, "--array", "nobody", "--by", by]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                output.status.code() == Some(2) && said.contains("no usage of array nobody is behind row"),
                "{said}"
            );
        }
    }

    setting.parts.ok(&["credit", "V-0001", "--row", "2=4.00", "--reason", "agreed"]);
    setting.parts.ok(&["bill", "--once"]);
    let lines = traced(setting, "V-0003", 1, &[]);
    let (row, sides, sums) = (&lines[0]["row"], of(&lines, "side"), of(&lines, "sum"));
    assert_eq!((&row["amount"], &row["corrects"]), (&"-4.00".into(), &2.into()), "{lines:?}");
    assert!(lines[0]["from"].as_str().unwrap().contains("row 2 of V-0001"), "{lines:?}");
    assert_eq!((&sides[0]["side"], &sides[0]["row"]["amount"]), (&"credited".into(), &"16.00".into()));
    assert!(sums.len() == 1 && sums[0]["equal"] == true && !of(&lines, "piece").is_empty(), "{lines:?}");
    assert_eq!(setting.parts.run(&["trace", "V-0003", "2"]).status.code(), Some(2), "it has one row");
}
