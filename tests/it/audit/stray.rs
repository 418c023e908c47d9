//! Rows that no worker can have written: checkpoints that outrank the right ones, and rows of streams that nobody opened.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Site, altered, has};

/// A wrong checkpoint with a greater `control` takes the right one with it when parts are merged. One repair is enough all the same, even if
/// parts are merged all the time; it says what an audit said, and its dry run writes nothing.
pub fn outranked(site: &Site) {
    let span = |partition: u32, which: &str| {
        let of = format!("FROM checkpoint FINAL WHERE partition = {partition} AND from_offset < next_offset");
        let next = site.number(&format!("SELECT {which} {of}"));
        (site.number(&format!("SELECT min(from_offset) {of} AND next_offset = {next}")), next)
    };
    let (middle, newest) = (span(0, "arraySort(groupArray(next_offset))[2]"), span(1, "max(next_offset)"));
    let outrank = |(partition, (_, next)): (u32, (u64, u64)), replace: &str| {
        let row = format!("partition = {partition} AND next_offset = {next} AND from_offset < next_offset");
        altered(site, "checkpoint", replace, &row);
    };
    outrank((0, middle), "control + 1000 AS control, digest + 1 AS digest");
    outrank((1, newest), "control + 1000 AS control");
    site.execute("OPTIMIZE TABLE checkpoint FINAL");
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    for (partition, (from, next)) in [(0, middle), (1, newest)] {
        has(&found, "checkpoint", "differs", &format!("{partition} {from} {next}"));
    }
    let audits = site.number("SELECT count() FROM audit");
    let (_, said) = site.said(&["audit"]);
    let written = site.number("SELECT count() FROM audit");
    assert!(written > audits, "an audit writes down that it was made");
    assert_eq!(site.said(&["repair", "--dry-run"]), (2, said.clone()));
    assert_eq!(site.number("SELECT count() FROM audit"), written, "a dry run writes nothing");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                site.parts.execute("OPTIMIZE TABLE checkpoint FINAL").unwrap();
            }
        });
        let repaired = site.said(&["repair"]);
        is_over.store(true, Ordering::Release);
        assert_eq!(repaired, (0, said), "a repair says what an audit said");
    });
    site.green();
}

/// Rows of a stream that was never opened, of one whose name is none, and of a partition too many.
pub fn of_nobody(site: &Site) {
    let bucket = "array = 'array-3' AND meter = 'written' AND hour = toDateTime('2026-10-01 04:00:00', 'UTC')";
    for (table, replace, condition) in [
        ("usage_event", "'ghost-1' AS stream", "partition = 0 AND offset < 9"),
        ("usage_event", "7 AS partition", "partition = 0 AND offset = 3"),
        ("quarantine", "'ghost-1' AS stream", "partition = 0"),
        ("checkpoint", "'ghost-1' AS stream", "partition = 1"),
        ("checkpoint", "'nonsense' AS stream", "partition = 1"),
        (
            "usage_bucket",
            "'ghost-9' AS stream, toUInt64(9 * pow(2, 48)) + as_of AS version, \
             arrayMap(amount -> amount + 1, cell_amount) AS cell_amount",
            bucket,
        ),
    ] {
        altered(site, table, replace, condition);
    }
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    for (table, place) in [
        ("usage_event", "ghost-1/0"),
        ("usage_event", "usage-1/7"),
        ("quarantine", "ghost-1/0"),
        ("checkpoint", "ghost-1/1"),
        ("checkpoint", "nonsense/1"),
        ("usage_bucket", "ghost-9/"),
    ] {
        let names =
            |line: &(String, String, String)| line.0 == table && line.1 == "surplus" && line.2.starts_with(place);
        assert!(found.iter().any(names), "{table} {place} is not among {found:#?}");
    }
    site.repair();
    site.green();
    for table in ["usage_event", "quarantine", "checkpoint", "usage_bucket"] {
        let left = format!("SELECT count() FROM {table} WHERE stream != 'usage-1' OR partition > 1");
        assert_eq!(site.number(&left), 0, "{table}");
    }
}
