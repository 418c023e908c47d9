//! Arrays, broker and collector go away, in turns and together: every instant is there once, and each with its own figures.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll::collect::Spool;
use plimsoll::dev::Part;

use super::stub::{Fault, Stub};
use super::{Collector, NOBODY, keeps_secrets, metric, times, until};
use crate::worker::{Parts, Worker};

const LONG: Duration = Duration::from_secs(90);
const VOLUMES: usize = 7;

fn ends_when_asked(mut worker: Worker) {
    // SAFETY: a signal to a process that we started and have not waited for
    unsafe { libc::kill(worker.pid(), libc::SIGTERM) };
    until("it ends when it is asked to", Duration::from_secs(20), || worker.ended().is_some());
    assert!(worker.ended().unwrap().success());
}

fn instants(stub: &Stub) -> u64 {
    // the array, three pages of volumes, two of tags
    stub.answered() / 6
}

fn polls_on(what: &str, stub: &Stub, more: u64) {
    let goal = instants(stub) + more;
    until(what, LONG, || instants(stub) >= goal);
}

fn dispositions(parts: &Parts) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for event in parts.lines(&["events", "--stream", "usage"]) {
        let word = event["reason"].as_str().or(event["disposition"].as_str()).unwrap();
        *found.entry(word.to_owned()).or_default() += 1;
    }
    found
}

#[test]
fn nothing_is_lost_or_doubled_whatever_goes_away() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "northwind", "--partitions", "3"]);
    let stubs = ["fa-1", "fa-2"].map(|id| (id, Stub::start(id, VOLUMES)));
    let arrays = stubs.each_ref().map(|(id, stub)| (*id, format!("http://{}", stub.address)));
    let keys = "interval_seconds = 1\ndelay_seconds = 0\npage_size = 3\nrequest_timeout_seconds = 2\nresponse_max_mbytes = 1\n[customers]\nfrom = \"tag\"\nnamespace = \"staas\"\nkey = \"chargeback\"";
    let collector = Collector::new(parts.directory.path(), "one", "flasharray", &parts.kafka, &arrays, keys);
    let [first, second] = stubs.each_ref().map(|(_, stub)| stub);

    let worker = collector.start();
    polls_on("it polls", first, 2);
    for fault in [Fault::Expired, Fault::Status(429), Fault::Malformed, Fault::Slow(Duration::from_secs(4))] {
        first.next_is(fault);
    }
    until("the faults are met", LONG, || first.is_done());
    polls_on("it goes on after faults", first, 2);
    second.away(true);
    polls_on("one array does not hold up the other", first, 4);
    second.away(false);
    polls_on("what was missed is made up for", second, 5);
    worker.kill();

    parts.dev.kill(Part::Kafka).unwrap();
    let worker = collector.start();
    polls_on("it polls while the broker is away", first, 3);
    worker.kill();
    assert!(collector.waiting() > 0);
    let worker = collector.start();
    polls_on("it polls on what it kept", first, 3);
    parts.dev.up(Some(Part::Kafka)).unwrap();
    until("the spool is sent", LONG, || collector.waiting() == 0);

    // another collector of the same arrays, which knows nothing of the first
    let twin = Collector::new(parts.directory.path(), "two", "flasharray", &parts.kafka, &arrays, keys);
    let doubled = twin.start();
    polls_on("both poll", first, 6);
    for worker in [worker, doubled] {
        ends_when_asked(worker);
    }
    for collector in [&collector, &twin] {
        let last = collector.start();
        // a signal before it listens for signals would end it at once
        std::thread::sleep(Duration::from_secs(1));
        until("what is left is sent", LONG, || collector.waiting() == 0);
        ends_when_asked(last);
        keeps_secrets(&collector.logged());
    }
    assert!(first.pages() > 0 && first.logins() >= 3);

    parts.ok(&["run", "--until-caught-up"]);
    let found = dispositions(&parts);
    assert!(found.keys().all(|word| word == "accepted" || word == "duplicate"), "{found:?}");
    assert!(found["duplicate"] > 0, "{found:?}");
    every_instant_is_there_once(&parts);
}

fn every_instant_is_there_once(parts: &Parts) {
    let accepted = "FROM usage_event FINAL WHERE disposition = 'accepted'";
    for array in ["fa-1", "fa-2"] {
        let own = format!("{accepted} AND array = '{array}'");
        let count = parts.number(&format!("SELECT count() {own}"));
        let instants = parts.number(&format!(
            "SELECT toUInt64(dateDiff('second', assumeNotNull(min(time)), assumeNotNull(max(time))) + 1) {own}"
        ));
        assert_eq!(count, instants, "{array}: every second from the first to the last");
        assert!(count > 20, "{array}: {count}");
        assert_eq!(parts.number(&format!("SELECT uniqExact(time) {own}")), count);
    }
    let right = "1000000 * (toUInt64OrZero(substring(resource, 2)) + 1) + toUnixTimestamp(assumeNotNull(time)) % 1000";
    let tag = "if(resource = 'v0', '', concat('cc-', substring(resource, 2)))";
    let volumes = "FROM usage_reading WHERE kind = 'volume'";
    let wrong = format!("SELECT count() {volumes} AND (value != {right} OR customer != {tag} OR tier != '//Block')");
    assert_eq!(parts.number(&wrong), 0);
    let events = parts.number(&format!("SELECT count() {accepted}"));
    assert_eq!(parts.number(&format!("SELECT count() {volumes}")), events * VOLUMES as u64);
    let sums = "SELECT count() FROM usage_event FINAL WHERE disposition = 'accepted' AND arraySum(arrayMap((k, m, v) -> if(m != 'effective_used', 0, if(k = 'array', toInt64(v), -toInt64(v))), reading_kind, reading_meter, reading_value)) != 0";
    assert_eq!(parts.number(sums), 0, "the array has what its volumes have at that instant");
}

#[test]
fn an_instant_that_cannot_be_read_is_a_gap_and_holds_up_no_other() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 1));
    let arrays = [("fa", format!("http://{}", stub.address))];
    let keys = "interval_seconds = 1\ndelay_seconds = 0";
    let collector = Collector::new(directory.path(), "c", "flasharray", NOBODY, &arrays, keys);
    let address = collector.listen();
    let worker = collector.start();
    let of_array =
        |name: &str| metric(&address, &format!("plimsoll_collect_{name}{{array=\"fa\"}}")).unwrap_or_default();
    until("it polls", LONG, || of_array("polls_total") > 0);
    let unknown = chrono::Utc::now().timestamp() + 2;
    stub.does_not_know(unknown * 1000);
    until("it gives the instant up", LONG, || of_array("gaps_total") > 0);
    let read = of_array("polls_total");
    until("it makes up for the others", LONG, || of_array("polls_total") > read + 3);
    assert_eq!(of_array("gaps_total"), 1);
    assert_eq!(metric(&address, "plimsoll_collect_failures_total{array=\"fa\",reason=\"no_sample\"}"), Some(3));
    worker.kill();
    let log = collector.logged();
    assert!(log.contains("a gap: these instants were not read"), "{log}");
    let spool = Spool::open(&collector.spool, 1 << 30).unwrap();
    let times = times(&spool.batch().unwrap().unwrap().records);
    let (first, last) = (times[0], times[times.len() - 1]);
    let expected: Vec<i64> = (first..=last).filter(|time| *time != unknown).collect();
    assert!(first < unknown && last > unknown + 3, "{times:?}");
    assert_eq!(times, expected);
}

/// The first instant that was due is noted though nothing was ever read, also over a kill.
#[test]
fn what_falls_due_before_an_array_first_answers_is_missed_and_not_forgotten() {
    for (kind, is_made_up_for) in [("flasharray", true), ("flashblade", false)] {
        let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 1));
        let arrays = [("fa", format!("http://{}", stub.address))];
        let keys = "interval_seconds = 1\ndelay_seconds = 0";
        let collector = Collector::new(directory.path(), "c", kind, NOBODY, &arrays, keys);
        let address = collector.listen();
        let of_array =
            |name: &str| metric(&address, &format!("plimsoll_collect_{name}{{array=\"fa\"}}")).unwrap_or_default();
        stub.away(true);
        let worker = collector.start();
        until("it fails", LONG, || collector.logged().contains("not polled"));
        let failed = chrono::Utc::now().timestamp();
        worker.kill();
        std::thread::sleep(Duration::from_secs(3));
        stub.away(false);
        let back = chrono::Utc::now().timestamp();
        let worker = collector.start();
        until("it polls", LONG, || of_array("polls_total") > 5);
        let gaps = of_array("gaps_total");
        worker.kill();
        let spool = Spool::open(&collector.spool, 1 << 30).unwrap();
        let times = times(&spool.batch().unwrap().unwrap().records);
        if is_made_up_for {
            assert!(gaps == 0 && times[0] <= failed, "{gaps} {times:?}");
            assert!(times.windows(2).all(|pair| pair[1] == pair[0] + 1), "{times:?}");
        } else {
            assert!(gaps >= 2 && times[0] >= back, "{gaps} {back} {times:?}");
        }
    }
}
