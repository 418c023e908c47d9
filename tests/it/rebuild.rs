//! The database is lost, the log is not.

use crate::worker::Parts;

/// The ledger and the cells, as hashes that hang on neither order nor on when checkpoints were made.
fn state(parts: &Parts) -> [u64; 5] {
    let of = |sql: &str| parts.number(sql);
    let event = "stream, partition, offset, append_time, disposition, reason, provider, array, id, time, identity, content, reading_value";
    let cell = "provider, array, kind, resource, meter, start, customer, tier, site, amount, observed_ms, count, min, max, last";
    [
        of("SELECT count() FROM usage_event FINAL"),
        of(&format!("SELECT groupBitXor(assumeNotNull(cityHash64({event}))) FROM usage_event FINAL")),
        of("SELECT count() FROM usage_cell"),
        of(&format!("SELECT groupBitXor(cityHash64({cell})) FROM usage_cell")),
        of("SELECT groupBitXor(cityHash64(offset, body, hash)) FROM decision FINAL"),
    ]
}

#[test]
fn a_lost_database_is_rebuilt_from_the_log() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "northwind", "--partitions", "3"]);
    parts.ok(&["catalog", "apply", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pricebook")]);
    for seed in ["1", "1", "2"] {
        // the first two are duplicates of each other or conflicts; each run ends in a checkpoint of its own
        parts.ok(&["load", "--stream", "usage", "--events", "600", "--readings", "6", "--arrays", "5", "--seed", seed]);
        parts.ok(&["run", "--until-caught-up"]);
    }
    let before = state(&parts);
    assert!(before[0] == 1800 && before.iter().all(|figure| *figure > 0), "{before:?}");
    parts.execute("DROP DATABASE plimsoll").unwrap();
    parts.ok(&["migrate"]);
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(state(&parts), before);
    parts.ok(&["audit", "--provider", "northwind"]);
}
