//! A document that somebody altered by hand: what is wrong with it is told, and those of everybody else are issued, made and proved all the same.

use super::setting::bill;
use crate::stage::book::{book, contract, provider, vendor};
use crate::worker::Parts;

const CARD: &str = "[card.fees]\ncurrency = \"EUR\"\nrate = [{ id = \"fee\", fee = \"90.00\" }]\n";

#[test]
fn a_document_that_was_altered_keeps_nobody_elses_from_being_issued_and_proved() {
    let parts = Parts::start();
    let terms = "issue = \"auto\"\nline = [{ rate = \"fee\" }]";
    let of = |id: &str, provider: &str| contract(id, ("v", provider), "fees", ("2026-01-01", "UTC"), terms);
    parts.publish_book(&book([
        vendor("v"),
        provider("f"),
        provider("g"),
        CARD.to_owned(),
        of("of-f", "f"),
        of("of-g", "g"),
    ]));
    for provider in ["f", "g"] {
        parts.ok(&["close", "--provider", provider, "--period", "2026-08"]);
    }
    let altered = "ALTER TABLE rating UPDATE document = replaceAll(document, '90.00', '90.01') WHERE provider = 'f' \
                   AND document != '' SETTINGS mutations_sync = 2";
    parts.execute(altered).unwrap();

    let (mut worker, metrics, _runtime) = bill(&parts);
    for _ in 0..8 {
        let said = worker.round().map_err(|error| error.to_string()).unwrap_err();
        assert!(said.contains("of-f") && said.contains("hashes to"), "{said}");
    }
    let of_august = |provider: &str| {
        parts.number(&format!(
            "SELECT count() FROM invoice FINAL WHERE provider = '{provider}' AND toDate(period_start) = '2026-08-01'"
        ))
    };
    assert_eq!((of_august("f"), of_august("g")), (0, 1));
    assert_eq!(metrics.prove_failed.get(), 1, "the alert has something to fire for");
    assert!(metrics.prove_proved.get() >= 1);
}
