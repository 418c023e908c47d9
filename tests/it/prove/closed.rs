//! Documents of closed periods stay proven whatever comes later: late usage, other price books, other versions of rating.

use std::sync::Arc;

use plimsoll::clickhouse::Client;
use plimsoll::closer::close::{Mode, Outcome};
use plimsoll::closer::real::{RealCloser, closer};
use plimsoll::config::Config;
use plimsoll::core::billing::document::{Document, DocumentType};
use plimsoll::core::billing::version::{RateVersion, VERSIONS};
use plimsoll::core::book::{self, Book};
use plimsoll::core::closing::hole::Hole;
use plimsoll::core::closing::period::labelled;
use plimsoll::core::closing::register::DraftState;
use plimsoll::core::pricing::error::RateError;
use plimsoll::core::word::Instant;
use plimsoll::kafka::control::ControlFollower;
use plimsoll::prove::documents::{Documents, Which};
use plimsoll::statement::{Place, Rater, StatementError};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::random::{corrections, polls};
use super::statement::{BOOK, whole};
use crate::quote::random::Random;
use crate::stage::shared_site;
use crate::worker::Parts;

/// A closer, which closes in spite of gaps in random usage.
struct Stage<'a> {
    parts: &'a Parts,
    client: Client,
    runtime: Runtime,
    book: Book,
    closer: RealCloser,
}

type Documented = Vec<(Place, Document)>;

impl<'a> Stage<'a> {
    fn new(parts: &'a Parts) -> Self {
        let config = Config::load(Some(&parts.config)).unwrap();
        let (client, runtime) = (Client::new(&config.clickhouse), Runtime::new().unwrap());
        let book = book::parse(&[("book.toml".to_owned(), BOOK.clone())]).unwrap();
        let control = Arc::new(ControlFollower::start(&config.kafka).unwrap());
        let closer = closer(&config, &client, &control, runtime.handle(), "test".to_owned()).unwrap();
        Self { parts, client, runtime, book, closer }
    }

    /// Rates the contracts of a zone from buckets.
    fn rated(&self, contracts: &[&str]) -> Documented {
        let contracts: Vec<String> = contracts.iter().map(|id| (*id).to_owned()).collect();
        self.runtime.block_on(async {
            let rater = Rater::with_book(&self.client, self.book.clone(), self.book.hash().unwrap()).await.unwrap();
            let places = rater.places(&contracts, "2026-10").await.unwrap();
            let mut rated = Documented::new();
            let each = rater.each(&places, "2026-10", |place, document| {
                rated.push((place.clone(), document?));
                Ok::<(), StatementError>(())
            });
            each.await.unwrap();
            rated
        })
    }

    /// Closes October of the contracts of a zone, wholesale's or retail's, and issues what can be: all drafts, with their numbers.
    fn close(&mut self, contract: &str) -> Documented {
        let now = Instant(chrono::Utc::now().timestamp_millis());
        for _ in 0..10 {
            self.closer.follow().unwrap();
            let (_, book) = self.closer.register().newest_book().unwrap();
            let periods = labelled(book, "p", "2026-10").unwrap();
            let period = periods.into_iter().find(|period| period.contracts.iter().any(|own| own == contract)).unwrap();
            match self.closer.close(&period, now, Mode::Override("arrays were off the net")).unwrap() {
                Outcome::Closed(closing) => {
                    self.closer.issue_due().unwrap();
                    self.closer.materialise().unwrap();
                    let numbered = closing.drafts.into_iter().map(|draft| {
                        let state = self.closer.register().draft(&draft.place.draft(&closing.rating_id));
                        let number = if let DraftState::Issued(number) = state { Some(number) } else { None };
                        (draft.place, Document { number, ..draft.document })
                    });
                    let numbered = numbered.collect();
                    self.fold();
                    return numbered;
                }
                Outcome::Refused(holes, _) if holes.iter().any(|hole| matches!(hole, Hole::Undecided { .. })) => {
                    self.fold()
                }
                other => panic!("{contract}: {other:?}"),
            }
        }
        panic!("{contract} is not closed");
    }

    fn fold(&self) {
        self.parts.ok(&["run", "--until-caught-up"]);
    }

    fn documents(&self) -> Documents {
        self.runtime.block_on(Documents::read(&self.client)).unwrap()
    }

    /// All documents are proven, so many of them.
    fn proven(&self, documents: &Documents, count: usize, what: &str) {
        let mut found = 0;
        for close in documents.closes(&Which::default()) {
            let proof = self.runtime.block_on(documents.close(close, None, &|_| ())).unwrap();
            assert!(proof.is_proven(), "{what}: {:#?}", proof.verdicts);
            found += proof.verdicts.len();
        }
        assert_eq!(found, count, "{what}");
    }
}

/// A version of rating that comes later and is wrong about everything.
const LATER: &[RateVersion] = &[
    VERSIONS[0],
    RateVersion { number: 2, rate: |_, _, _, _, _| Err(RateError::Label("version 2".to_owned())), ..VERSIONS[0] },
];

#[test]
fn closed_documents_stay_proven_whatever_comes_later() {
    let parts = shared_site(2);
    parts.publish_book(&BOOK);
    let mut random = Random::new(5);
    parts.produce("usage", polls(&mut random).into_iter());
    // makes the topic of documents
    parts.ok(&["drafts"]);
    let mut stage = Stage::new(&parts);
    stage.fold();

    // wholesale and retail have periods of their own: their zones differ
    let (wholesale, retail) = (stage.close("wholesale"), stage.close("acme"));
    let count = wholesale.len() + retail.len();
    assert!(count >= 6, "{count}");
    stage.proven(&stage.documents(), count, "as they were issued");
    assert_eq!(wholesale[0].1.number.as_deref(), Some("V-0001"));

    // much is accepted after the cut, another book is published, another version of rating is there
    parts.produce("usage", corrections(&mut random).into_iter());
    parts.reprice_book(
        &BOOK
            .replace("price = \"0.04\"", "price = \"0.05\"")
            .replace("id = \"fee\", fee = \"90.00\"", "id = \"fee\", fee = \"91.00\""),
    );
    stage.fold();
    assert_ne!(stage.rated(&["wholesale"])[0].1.rows, wholesale[0].1.rows, "nothing came late");
    stage.proven(&stage.documents().with_versions(LATER), count, "after usage, a book and a version came");

    // the prices at the old cut, then what came late
    let repriced = stage.close("wholesale");
    stage.proven(&stage.documents(), count + repriced.len(), "re-priced");
    let revised = stage.close("wholesale");
    assert_ne!(revised[0].1.kind, DocumentType::Invoice);
    stage.proven(&stage.documents(), count + repriced.len() + revised.len(), "with two revisions");

    commands(&parts, &wholesale[0].1, &revised[0].1);
}

/// The same by the product's own commands, and what they say of a document that was altered.
fn commands(parts: &Parts, invoice: &Document, revision: &Document) {
    let code = |arguments: &[&str]| parts.run(arguments).status.code();
    assert_eq!(code(&["prove", "--all", "--provider", "p", "--period", "2026-10", "--with-log"]), Some(0));
    assert_eq!(code(&["prove", "V-0002"]), Some(0));
    assert_eq!((code(&["prove", "V-0009"]), code(&["trace", "V-0009", "1"])), (Some(2), Some(2)));
    for (document, row) in [(invoice, 1), (invoice, 7), (revision, 1)] {
        let number = document.number.as_deref().unwrap();
        let lines = parts.lines(&["trace", number, &row.to_string(), "--by", "day", "--format", "json"]);
        let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
        assert!(of("sum").count() > 0 && of("sum").all(|sum| sum["equal"] == true), "{number} {row}: {lines:?}");
        let amount = |kind| of(kind).map(|line| whole(&line["amount"])).sum::<i128>();
        assert_eq!(amount("piece"), amount("sum"));
        // a row of a revision is the difference of two ratings
        let differences: Vec<&Value> = of("difference").collect();
        assert_eq!(differences.len(), usize::from(number != "V-0001"), "{lines:?}");
        assert!(differences.iter().all(|one| one["amount"]["equal"] == true), "{differences:?}");
    }
    let amount = format!("\"amount\":\"{}\"", invoice.rows[0].amount);
    parts
        .execute(&format!(
            "ALTER TABLE invoice UPDATE document = replaceOne(document, '{amount}', '\"amount\":\"1.00\"') WHERE number = 'V-0001' SETTINGS mutations_sync = 2"
        ))
        .unwrap();
    let output = parts.run(&["prove", "V-0001", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let verdict: Value =
        serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().next().unwrap()).unwrap();
    let differences = verdict["differences"].as_array().unwrap();
    let wrong = differences.iter().find(|difference| difference["place"] == "/rows/0/amount").unwrap();
    assert_eq!((&wrong["stored"], &wrong["row"]), (&"1.00".into(), &"row 1: mean, usage".into()));
    assert_eq!(verdict["number"], "V-0001");
    assert_eq!(code(&["trace", "V-0001", "1"]), Some(1), "a row that the ledger does not give is not traced");
}
