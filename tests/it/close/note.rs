//! Credit notes: no more than is left of a document and of its period, one of two at once, and what becomes of documents in lists.

use std::sync::Barrier;

use plimsoll::closer::CloseError;
use plimsoll::closer::credit::Credited;
use plimsoll::closer::refusal::Refusal;

use super::setting::{Poll, Setting, VOLUMES, event, hours};

/// Closes October and issues what comes of it.
fn closed(setting: &Setting) {
    let (code, object, said) = setting.close("2026-10", &[]);
    assert_eq!(code, Some(0), "{object} {said}");
    setting.parts.ok(&["bill", "--once"]);
}

/// What a command says that is refused.
fn refused(setting: &Setting, arguments: &[&str]) -> String {
    let output = setting.parts.run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    said
}

#[test]
fn no_more_is_credited_than_is_left() {
    let mut setting = Setting::start(10, 10);
    let (_, object, _) = setting.close("2026-10", &["--dry-run"]);
    assert!(object["drafts"].as_array().unwrap().iter().all(|draft| draft["draft"].is_null()), "{object}");
    closed(&setting);
    // the array held half as much all the month
    setting.say(hours(10).map(|hour| event(&Poll { hour, copy: 1, array: 4, volumes: &VOLUMES })).collect());
    closed(&setting);
    let listed = setting.parts.lines(&["invoices", "--format", "json"]);
    let note = listed.iter().find(|one| one["type"] == "credit_note").unwrap();
    let number = note["number"].as_str().unwrap();
    let of: Vec<&str> = ["total", "period", "contract", "state"].map(|key| note[key].as_str().unwrap()).into();
    assert_eq!((of, &note["corrects"][0]), (vec!["-40.00", "2026-10", "wholesale", "issued"], &"V-0001".into()));
    assert!(refused(&setting, &["invoices", "--format", "csv"]).contains("a list is text or --format json"));

    let said = refused(&setting, &["credit", "V-0001", "--reason", "all of it"]);
    let words =
        format!("comes to 170.00 and 130.00 EUR is left of its period, since {number} (-40.00 EUR) took a part back");
    assert!(said.contains(&words) && said.contains("--row NO=AMOUNT"), "{said}");
    let said = refused(&setting, &["credit", "V-0001", "--row", "1=50.00", "--row", "1=50.00", "--reason", "x"]);
    assert!(said.contains("names row 1 twice"), "{said}");
    equal_notes(&setting);
    setting.parts.ok(&["credit", "V-0001", "--row", "1=30.00", "--row", "2=90.00", "--reason", "the rest"]);
    let said = refused(&setting, &["credit", "V-0001", "--row", "1=0.01", "--reason", "more"]);
    assert!(
        said.contains(&format!("nothing is left of V-0001 to credit: {number} (-40.00 EUR) took all of it back")),
        "{said}"
    );

    assert_eq!(setting.parts.ok(&["reference", "V-0001", "SAP-1"]).trim(), "V-0001 is known as SAP-1");
    let again = setting.parts.ok(&["reference", "V-0001", "SAP-2"]);
    assert_eq!(again.trim(), "V-0001 is known as SAP-2, and no longer as SAP-1");
    setting.parts.ok(&["prove", "--all"]);
}

/// Ten notes of a euro, given by two at a time: whoever is told a number has it alone.
fn equal_notes(setting: &Setting) {
    let barrier = Barrier::new(2);
    let (mut numbers, mut lost) = (Vec::new(), 0);
    let give = || {
        let (mut closer, _client, _runtime) = setting.closer();
        closer.follow().unwrap();
        barrier.wait();
        let mut told = Vec::new();
        for _ in 0..5 {
            told.push(closer.credit("V-0001", &Credited::Rows(vec![(1, Some("1.00".to_owned()))]), "agreed"));
            barrier.wait();
        }
        told
    };
    let told = std::thread::scope(|scope| {
        let both = [scope.spawn(give), scope.spawn(give)];
        both.map(|thread| thread.join().unwrap()).into_iter().flatten().collect::<Vec<_>>()
    });
    for told in told {
        match told {
            Ok(number) => numbers.push(number),
            Err(CloseError::Refused(Refusal::Overtaken(_))) => lost += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let (mut closer, _client, _runtime) = setting.closer();
    // what was lost is given again, so that ten euros are gone
    for _ in 0..lost {
        numbers.push(closer.credit("V-0001", &Credited::Rows(vec![(1, Some("1.00".to_owned()))]), "agreed").unwrap());
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 10, "{numbers:?}");
    closer.follow().unwrap();
    assert_eq!(closer.register().document("V-0001").unwrap().credited_by.len(), 10);
    closer.materialise().unwrap();
}
