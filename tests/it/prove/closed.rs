//! Documents of closed periods stay proven whatever comes later: late usage, other price books, other versions of rating. The closes are made
//! here, by the product's own parts.

use plimsoll::clickhouse::Client;
use plimsoll::config::Config;
use plimsoll::core::billing::document::{Cause, Document, DocumentType};
use plimsoll::core::billing::version::{RateVersion, VERSIONS};
use plimsoll::core::billing::{adjustment, close, issue};
use plimsoll::core::book::{self, Book};
use plimsoll::core::decision::Decision;
use plimsoll::core::decision::closing::{Close, DraftKey, Issue, PeriodKey};
use plimsoll::core::pricing::error::RateError;
use plimsoll::core::pricing::period::period;
use plimsoll::core::word::Offset;
use plimsoll::kafka::control::append;
use plimsoll::prove::documents::{Documents, Which};
use plimsoll::statement::{Place, Rater, StatementError};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::random::{corrections, polls};
use super::statement::{BOOK, whole};
use crate::quote::random::Random;
use crate::worker::Parts;

/// A closer.
struct Closer<'a> {
    parts: &'a Parts,
    config: Config,
    client: Client,
    runtime: Runtime,
    book: Book,
}

type Drafts = Vec<(Place, Document)>;

impl<'a> Closer<'a> {
    fn new(parts: &'a Parts) -> Self {
        let config = Config::load(Some(&parts.config)).unwrap();
        let client = Client::new(&config.clickhouse);
        let book = book::parse(&[("book.toml".to_owned(), BOOK.to_owned())]).unwrap();
        Self { parts, config, client, runtime: Runtime::new().unwrap(), book }
    }

    fn decide(&self, decision: &Decision) {
        self.runtime.block_on(append(&self.config.kafka, decision)).unwrap();
    }

    /// Rates the contracts of a zone from buckets.
    fn rated(&self, contracts: &[&str]) -> Drafts {
        let contracts: Vec<String> = contracts.iter().map(|id| (*id).to_owned()).collect();
        self.runtime.block_on(async {
            let rater = Rater::with_book(&self.client, self.book.clone(), self.book.hash().unwrap()).await.unwrap();
            let places = rater.places(&contracts, "2026-10").await.unwrap();
            let mut rated = Drafts::new();
            let each = rater.each(&places, "2026-10", |place, document| {
                rated.push((place.clone(), document?));
                Ok::<(), StatementError>(())
            });
            each.await.unwrap();
            rated
        })
    }

    /// Closes the period of some contracts, which have one zone.
    fn close(&self, contracts: &[&str], revision: u32, before: &[Drafts]) -> Drafts {
        let rating_id = format!("{}-{revision}", contracts[0]);
        let mut drafts = Drafts::new();
        let rated = self.rated(contracts);
        for (place, open) in &rated {
            let whole = close::closed(open.clone(), &rating_id).unwrap();
            let before: Vec<Document> =
                before.iter().flatten().filter(|(own, _)| own == place).map(|(_, document)| document.clone()).collect();
            if let Some(draft) = adjustment::difference(Some(&whole), &before, Cause::Adjustment).unwrap() {
                self.store("rating", &[("rating_id", &rating_id)], place, &draft);
                drafts.push((place.clone(), draft));
            }
        }
        let proof = &rated[0].1.proof;
        let bounds = period(&self.book.contracts[contracts[0]], "2026-10").unwrap();
        let close = Close {
            period: PeriodKey { provider: "p".to_owned(), start: bounds.start, end: bounds.end },
            revision,
            cause: Cause::Adjustment,
            cut: proof.cut.clone(),
            after: Offset(proof.after),
            versions: proof.versions,
            book: proof.price_book.clone(),
            rating_id,
            digest: "not looked at here".to_owned(),
            credits: Vec::new(),
        };
        self.decide(&Decision::PeriodClosed { close: Box::new(close), actor: "test".to_owned() });
        drafts
    }

    fn store(&self, table: &str, keys: &[(&str, &str)], place: &Place, document: &Document) {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let customer = place.customer.clone().unwrap_or_default();
        let json = serde_json::to_string(document).unwrap();
        let mut columns = vec![("contract", &*place.contract), ("customer", &*customer), ("document", &*json)];
        columns.extend(keys);
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<String> = columns.iter().map(|(_, value)| quoted(value)).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
        self.parts.execute(&sql).unwrap();
    }

    /// Issues drafts, and stores the documents as the log has numbered them.
    fn issue(&self, drafts: &Drafts, before: &[Drafts]) -> Drafts {
        for (place, draft) in drafts {
            let Place { contract, customer } = place.clone();
            let draft_key = DraftKey { rating_id: draft.proof.rating_id.clone(), contract, customer };
            let issue = Issue { draft: draft_key, seller: draft.seller.id.clone(), document: draft.kind };
            self.decide(&Decision::InvoiceIssued { issue, actor: "test".to_owned() });
        }
        self.fold();
        let documents = self.documents();
        let mut issued = Drafts::new();
        for (place, draft) in drafts {
            let is_own = |document: &&plimsoll::core::closing::register::Issued| {
                document.rating_id == draft.proof.rating_id
                    && matches!(&document.subject, plimsoll::core::closing::register::Subject::Draft(key)
                        if (&key.contract, &key.customer) == (&place.contract, &place.customer))
            };
            let found = documents.register().issued().iter().find(is_own).unwrap();
            let earlier = before.iter().flatten().filter(|(own, _)| own == place);
            let corrects = earlier.filter_map(|(_, document)| document.number.clone()).collect();
            let number = found.numbered.clone();
            let document = issue::issued(
                draft.clone(),
                number.number.clone(),
                found.at,
                number.zone,
                number.payment_days,
                corrects,
            )
            .unwrap();
            self.store("invoice", &[("number", &number.number)], place, &document);
            issued.push((place.clone(), document));
        }
        issued
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
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--shared", "--partitions", "2", "--acceptance-window", "400d"]);
    parts.publish_book(BOOK);
    let mut random = Random::new(5);
    parts.produce("usage", polls(&mut random).into_iter());
    let closer = Closer::new(&parts);
    closer.fold();

    // wholesale and retail have periods of their own: their zones differ
    let wholesale = closer.close(&["wholesale"], 0, &[]);
    closer.fold();
    let retail = closer.close(&["acme", "others"], 0, &[]);
    closer.fold();
    let (wholesale, retail) = (closer.issue(&wholesale, &[]), closer.issue(&retail, &[]));
    let count = wholesale.len() + retail.len();
    assert!(count >= 6, "{count}");
    closer.proven(&closer.documents(), count, "as they were issued");
    assert_eq!(wholesale[0].1.number.as_deref(), Some("V-0001"));

    // much is accepted after the cut, another book is published, another version of rating is there
    parts.produce("usage", corrections(&mut random).into_iter());
    parts.reprice_book(
        &BOOK
            .replace("price = \"0.04\"", "price = \"0.05\"")
            .replace("id = \"fee\", fee = \"90.00\"", "id = \"fee\", fee = \"91.00\""),
    );
    closer.fold();
    assert_ne!(closer.rated(&["wholesale"])[0].1.rows, wholesale[0].1.rows, "nothing came late");
    closer.proven(&closer.documents().with_versions(LATER), count, "after usage, a book and a version came");

    // what came late makes revision 1, with the book of revision 0
    let drafts = closer.close(&["wholesale"], 1, std::slice::from_ref(&wholesale));
    closer.fold();
    let revised = closer.issue(&drafts, std::slice::from_ref(&wholesale));
    assert_ne!(revised[0].1.kind, DocumentType::Invoice);
    closer.proven(&closer.documents(), count + 1, "with a revision");

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
        let lines = parts.lines(&["trace", number, &row.to_string(), "--by", "day"]);
        let sum = lines.last().unwrap();
        assert_eq!((&sum["type"], &sum["equal"]), (&"sum".into(), &true.into()), "{number} {row}: {lines:?}");
        let pieces = lines.iter().filter(|line| line["type"] == "piece");
        assert_eq!(pieces.map(|piece| whole(&piece["amount"])).sum::<i128>(), whole(&sum["amount"]));
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
