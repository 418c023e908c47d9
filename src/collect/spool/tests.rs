//! What a spool holds after whatever may become of it.

use std::os::unix::fs::FileExt as _;

use tempfile::TempDir;

use super::*;

const ROOM: u64 = 64 << 20;

fn open(directory: &TempDir) -> Result<Spool, SpoolError> {
    Spool::open(directory.path(), ROOM)
}

fn put(spool: &Spool, n: i64) {
    spool.append(&format!("array-{}", n % 3), Instant(n), format!("event {n}").as_bytes()).unwrap();
}

/// Everything that is sent until nothing is left.
fn drain(spool: &Spool) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(batch) = spool.batch().unwrap() {
        sent.extend(batch.records.iter().map(|kept| String::from_utf8(kept.event.clone()).unwrap()));
        spool.acknowledge(&batch).unwrap();
    }
    sent
}

fn events(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|n| format!("event {n}")).collect()
}

fn files(directory: &TempDir) -> usize {
    segment::numbers(directory.path()).unwrap().len()
}

#[test]
fn events_come_out_in_order_once_and_leave_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    (0..10).for_each(|n| put(&spool, n));
    let first = spool.batch().unwrap().unwrap();
    assert_eq!(first.records, spool.batch().unwrap().unwrap().records, "the same until it is acknowledged");
    put(&spool, 10);
    spool.acknowledge(&first).unwrap();
    assert_eq!(drain(&spool), events(10..11));
    assert_eq!((spool.bytes(), files(&directory)), (0, 0));
    put(&spool, 11);
    assert_eq!(drain(&spool), events(11..12));
}

#[test]
fn what_is_not_acknowledged_is_there_after_a_kill() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    (0..5).for_each(|n| put(&spool, n));
    let _sent_and_unanswered = spool.batch().unwrap().unwrap();
    drop(spool);
    let spool = open(&directory).unwrap();
    assert_eq!(drain(&spool), events(0..5));
    drop(spool);
    let spool = open(&directory).unwrap();
    assert_eq!(drain(&spool), events(0..0));
    assert_eq!(spool.settled("array-1"), Some(Instant(4)), "what was read is known though the events are gone");
    assert_eq!(spool.settled("array-9"), None);
}

#[test]
fn an_event_that_was_cut_short_is_cut_off_and_no_other() {
    let whole = TempDir::new().unwrap();
    let spool = open(&whole).unwrap();
    (0..3).for_each(|n| put(&spool, n));
    drop(spool);
    let path = segment::path(whole.path(), 0);
    let bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - bytes.len() / 3;
    for cut in last..bytes.len() {
        let directory = TempDir::new().unwrap();
        std::fs::write(segment::path(directory.path(), 0), &bytes[..cut]).unwrap();
        let spool = open(&directory).unwrap();
        assert_eq!(spool.settled("array-2"), None, "it does not count as read, so it is polled again");
        put(&spool, 7);
        drop(spool);
        let mut sent = events(0..2);
        sent.push("event 7".to_owned());
        assert_eq!(drain(&open(&directory).unwrap()), sent, "cut at {cut}");
    }
}

#[test]
fn damage_is_told_with_its_place_and_nothing_is_sent_past_it() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    (0..3).for_each(|n| put(&spool, n));
    let file = File::options().write(true).open(segment::path(directory.path(), 0)).unwrap();
    let second = spool.bytes() / 3;
    file.write_all_at(b"X", second + 30).unwrap();
    let batch = spool.batch().unwrap().unwrap();
    assert_eq!(batch.records.len(), 1);
    spool.acknowledge(&batch).unwrap();
    assert!(matches!(spool.batch(), Err(SpoolError::Damaged { at, .. }) if at == second));
    drop(spool);
    assert!(matches!(open(&directory).map(drop), Err(SpoolError::Damaged { at, .. }) if at == second));
}

#[test]
fn a_full_spool_refuses_and_drops_nothing() {
    let directory = TempDir::new().unwrap();
    let event = vec![b'x'; 1000];
    let frame = frame::encode("array-0", Instant(0), &event).unwrap().len() as u64;
    let spool = Spool::open(directory.path(), 3 * frame).unwrap();
    for n in 0..3 {
        spool.append("array-0", Instant(n), &event).unwrap();
    }
    let refused = spool.append("array-0", Instant(3), &event).unwrap_err();
    assert!(matches!(refused, SpoolError::Full { bytes, limit } if bytes == limit && limit == 3 * frame), "{refused}");
    assert!(spool.check_room(0).is_ok() && spool.check_room(1).is_err());
    assert_eq!(spool.settled("array-0"), Some(Instant(2)), "what is refused does not count as read");
    let batch = spool.batch().unwrap().unwrap();
    assert_eq!(batch.records.len(), 3);
    spool.acknowledge(&batch).unwrap();
    spool.append("array-0", Instant(3), &event).unwrap();
}

#[test]
fn files_are_followed_by_others_and_batches_are_bounded() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    let event = vec![b'x'; (SEGMENT_BYTES / 2) as usize];
    for n in 0..5 {
        spool.append("a", Instant(n), &event).unwrap();
    }
    assert_eq!(files(&directory), 3, "a file has its bytes and the event that goes beyond");
    let batch = spool.batch().unwrap().unwrap();
    assert_eq!(batch.records.len(), 2, "of one file at a time");
    spool.acknowledge(&batch).unwrap();
    assert_eq!(files(&directory), 2);
    for n in 0..=BATCH_RECORDS {
        spool.append("b", Instant(n as i64), b"small").unwrap();
    }
    let counts: Vec<usize> = std::iter::from_fn(|| {
        let batch = spool.batch().unwrap()?;
        spool.acknowledge(&batch).unwrap();
        Some(batch.records.len())
    })
    .collect();
    assert_eq!(counts, [2, BATCH_RECORDS, 2], "two great ones; one great and small ones up to the limit; the rest");
    assert!(BATCH_BYTES as usize > frame::FRAME_MAX_BYTES + 16, "one of the greatest events fits");
}

#[test]
fn one_collector_at_a_time() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    assert!(matches!(open(&directory).map(drop), Err(SpoolError::Locked { .. })));
    drop(spool);
    open(&directory).unwrap();
}

#[test]
fn where_a_new_array_begins_is_known_after_a_kill() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    spool.begin("array-0", Instant(7)).unwrap();
    drop(spool);
    let spool = open(&directory).unwrap();
    assert_eq!((spool.settled("array-0"), spool.settled("array-1")), (Some(Instant(7)), None));
    put(&spool, 9);
    spool.begin("array-0", Instant(8)).unwrap();
    assert_eq!(spool.settled("array-0"), Some(Instant(9)), "what is read stays read");
}

#[test]
fn what_was_given_up_stays_given_up_while_it_runs() {
    let directory = TempDir::new().unwrap();
    let spool = open(&directory).unwrap();
    put(&spool, 3);
    spool.settle("array-0", Instant(9));
    spool.settle("array-0", Instant(5));
    assert_eq!(spool.settled("array-0"), Some(Instant(9)));
    drain(&spool);
    drop(spool);
    assert_eq!(open(&directory).unwrap().settled("array-0"), Some(Instant(9)));
}
