//! A spool that runs full, as a collector meets it.

use std::time::Duration;

use plimsoll::collect::Spool;

use super::stub::Stub;
use super::{Collector, NOBODY, keeps_secrets, metric, times, until};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_full_spool_stops_the_polls_loudly_and_keeps_what_it_has() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 3_000));
    let arrays = [("fa", format!("http://{}", stub.address))];
    let keys = "interval_seconds = 1\ndelay_seconds = 0\nspool_max_mbytes = 1";
    let collector = Collector::new(directory.path(), "c", "flasharray", NOBODY, &arrays, keys);
    let address = collector.listen();

    let worker = collector.start();
    let refused = || metric(&address, "plimsoll_collect_spool_refused_total{array=\"fa\"}");
    until("it refuses", LONG, || refused().is_some_and(|refused| refused >= 2));
    let polled = metric(&address, "plimsoll_collect_polls_total{array=\"fa\"}").unwrap();
    let bytes = metric(&address, "plimsoll_collect_spool_bytes").unwrap();
    assert_eq!(metric(&address, "plimsoll_collect_spool_max_bytes"), Some(1 << 20));
    assert_eq!(metric(&address, "plimsoll_collect_gaps_total{array=\"fa\"}"), Some(0), "it is made up for later");
    assert!(metric(&address, "plimsoll_collect_last_success_timestamp_seconds").is_some());
    let answered = stub.answered();
    until("and again", LONG, || refused().is_some_and(|refused| refused >= 3));
    assert_eq!(stub.answered(), answered, "an array is not asked for what there is no room for");
    worker.kill();

    let log = collector.logged();
    assert!(log.contains("the spool is full"), "{log}");
    keeps_secrets(&log);
    let spool = Spool::open(&collector.spool, 1 << 20).unwrap();
    assert!(spool.bytes() == bytes && bytes <= 1 << 20, "{bytes}");
    let kept = spool.batch().unwrap().unwrap().records;
    assert_eq!(kept.len() as u64, polled);
    let times = times(&kept);
    assert!(times.len() >= 2 && times.windows(2).all(|pair| pair[1] == pair[0] + 1), "{times:?}");
}

#[test]
fn two_collectors_do_not_share_a_spool() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 1));
    let arrays = [("fa", format!("http://{}", stub.address))];
    let collector = Collector::new(directory.path(), "c", "flasharray", NOBODY, &arrays, "");
    let _first = collector.start();
    until("it runs", LONG, || collector.logged().contains("spool opened"));
    let output = collector.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is in use by another collector"), "{output:?}");
}
