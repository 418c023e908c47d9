//! A second version of rating comes: what the first closed stays what it is, what is closed later is rated by the second.

use plimsoll::clickhouse::Client;
use plimsoll::closer::close::{Mode, Outcome};
use plimsoll::closer::real::RealCloser;
use plimsoll::core::billing::document::{Document, DocumentType};
use plimsoll::core::billing::version::{RateVersion, VERSIONS};
use plimsoll::core::closing::hole::Hole;
use plimsoll::core::closing::period::labelled;
use plimsoll::core::closing::register::DraftState;
use plimsoll::core::word::Instant;
use plimsoll::prove::documents::Documents;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::setting::{Poll, Setting, VOLUMES, event, hours, until};

/// A version that comes later and charges no fees.
const BOTH: &[RateVersion] = &[
    VERSIONS[0],
    RateVersion {
        number: 2,
        rate: |book, contract, customer, period, usages| {
            let mut book = book.clone();
            book.contracts.values_mut().for_each(|contract| contract.lines.retain(|line| line.rate != "fee"));
            (VERSIONS[0].rate)(&book, contract, customer, period, usages)
        },
        ..VERSIONS[0]
    },
];

/// A closer of a build that knows some versions.
struct Build {
    runtime: Runtime,
    client: Client,
    closer: RealCloser,
    versions: &'static [RateVersion],
}

impl Build {
    fn knowing(versions: &'static [RateVersion], setting: &Setting) -> Self {
        let (closer, client, runtime) = setting.closer();
        Self { runtime, client, closer: closer.with_versions(versions), versions }
    }

    /// What comes of closing a month once workers have taken in what was decided before.
    fn close(&mut self, label: &str) -> Result<Outcome, String> {
        self.closer.follow().unwrap();
        let (_, book) = self.closer.register().newest_book().unwrap();
        let period = labelled(book, "p", label).unwrap().remove(0);
        let now = Instant(chrono::Utc::now().timestamp_millis());
        let mut outcome = None;
        until("workers take decisions in", || {
            let came = self.closer.close(&period, now, Mode::Close);
            let waits =
                came.as_ref().is_ok_and(|came| came.holes().iter().any(|hole| matches!(hole, Hole::Undecided { .. })));
            outcome = Some(came);
            !waits
        });
        outcome.unwrap().map_err(|error| error.to_string())
    }

    /// Closes a month and issues what comes of it: documents by contract and customer, with their numbers.
    fn issued(&mut self, label: &str) -> Vec<(String, Document)> {
        let outcome = self.close(label).unwrap();
        let Outcome::Closed(closing) = outcome else { panic!("{label}: {outcome:?}") };
        self.closer.issue_due().unwrap();
        self.closer.materialise().unwrap();
        let numbered = closing.drafts.into_iter().map(|draft| {
            let key = draft.place.draft(&closing.rating_id);
            let DraftState::Issued(number) = self.closer.register().draft(&key) else { panic!("{key:?}") };
            (number, draft.document)
        });
        numbered.collect()
    }

    /// Whether a number is proven, once workers have mirrored that it was issued; or why it cannot be.
    fn proven(&self, number: &str) -> Result<bool, String> {
        let read = || self.runtime.block_on(Documents::read(&self.client)).unwrap();
        until("workers mirror what was issued", || read().draft_of(number).is_some());
        let documents = read().with_versions(self.versions);
        let proof = self.runtime.block_on(documents.number(number, &|_| {})).map_err(|error| error.to_string())?;
        Ok(proof.unwrap().is_proven())
    }
}

#[test]
fn a_version_that_comes_later_rates_what_comes_later_and_nothing_else() {
    let mut setting = Setting::start(9, 10);
    // makes the topic of documents
    setting.parts.ok(&["drafts"]);
    let september = Build::knowing(VERSIONS, &setting).issued("2026-09");
    assert_eq!(amounts(&september), [("wholesale", "170.00", 1), ("others", "75.00", 1), ("others", "50.00", 1)]);

    let october = Build::knowing(BOTH, &setting).issued("2026-10");
    assert_eq!(amounts(&october), [("wholesale", "80.00", 2), ("others", "75.00", 2), ("others", "50.00", 2)]);

    // the array held more in half of either month than was known
    let more = [9, 10].into_iter().flat_map(|month| {
        let middle = (hours(month).start + hours(month).end) / 2;
        (hours(month).start..middle).map(|hour| event(&Poll { hour, copy: 1, array: 10, volumes: &VOLUMES }))
    });
    let more = more.collect();
    setting.say(more);
    let adjusted = Build::knowing(BOTH, &setting).issued("2026-09");
    let kinds: Vec<DocumentType> = adjusted.iter().map(|(_, document)| document.kind).collect();
    // by the second the fee would be given back
    assert_eq!((amounts(&adjusted), kinds), (vec![("wholesale", "10.00", 1)], vec![DocumentType::Adjustment]));

    let both = Build::knowing(BOTH, &setting);
    for (number, _) in september.iter().chain(&october).chain(&adjusted) {
        assert_eq!(both.proven(number), Ok(true), "{number}");
    }
    older_build(&setting, &september, &october);
}

/// A build that lacks a version says so, and goes on with what it can.
fn older_build(setting: &Setting, september: &[(String, Document)], october: &[(String, Document)]) {
    let mut older = Build::knowing(VERSIONS, setting);
    let lacks = "this build has no version 2 of rating and 1 of metering";
    let refused = older.close("2026-10").unwrap_err();
    assert!(refused.contains(lacks), "{refused}");
    assert_eq!(older.proven(&september[0].0), Ok(true));
    assert!(older.proven(&october[0].0).unwrap_err().contains(lacks));

    // the product's own commands are of such a build
    let parts = &setting.parts;
    parts.ok(&["prove", &september[0].0]);
    let output = parts.run(&["prove", &october[0].0]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains(lacks), "{said}");
    let output = parts.run(&["prove", "--all", "--format", "json"]);
    let (lines, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let summary: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    // September's three documents and the adjustment
    assert_eq!(
        (output.status.code(), &summary["proven"], &summary["documents"]),
        (Some(1), &4.into(), &4.into()),
        "{said}"
    );
    assert!(said.contains(lacks) && said.contains("2026-10"), "{said}");
    let (code, _, said) = setting.close("2026-10", &[]);
    assert!(code == Some(1) && said.contains(lacks), "{said}");
}

/// Contract, total and version of documents.
fn amounts(documents: &[(String, Document)]) -> Vec<(&str, &str, u32)> {
    let of = |document: &'_ Document| document.proof.versions.rate;
    let mut shown: Vec<_> =
        documents.iter().map(|(_, document)| (&*document.contract, &*document.total, of(document))).collect();
    shown.sort_by(|one, other| other.cmp(one));
    shown
}
