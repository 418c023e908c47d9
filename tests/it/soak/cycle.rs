//! One cycle: a load, a fault in the midst of it, recovery, and a comparison.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::check::{self, Difference};
use super::crew::{AWAY_LOAD_KIB, Crew, PARTITIONS};
use super::disk::Disk;
use super::event::{Sent, What};
use super::fault::{Fault, Field};
use super::log::{self, Placed};
use super::luck::Luck;
use super::oracle::{Due, Oracle, WINDOW, hours_of};
use super::price::{Month, book};
use super::producer::{Acknowledged, Load};
use super::report::{Phases, Report};
use super::slice::{ARRAYS, POLLS, Source};
use crate::quote::oracle::whole;
use crate::worker::Parts;

const TOPIC: &str = "usage";
/// The longest recovery.
const RECOVERY_MAX: Duration = Duration::from_secs(60);
/// Before this cycle no meter is defined: what lies in the ledger by then is metered when the book comes.
const BOOK_CYCLE: u64 = 3;
/// A later book defines one more meter.
const DELTAS_CYCLE: u64 = 8;
/// Between two comparisons of everything with everything.
const WHOLE_EVERY: u64 = 20;

/// The parts, the workers, and what is known of them.
pub struct Soak {
    disk: Disk,
    crew: Crew,
    seed: u64,
    cycles: u64,
    month: Month,
    source: Source,
    oracle: Oracle,
    /// Everything that was ever sent; a record's number is its place.
    sent: Vec<Sent>,
    /// The next offset of each partition that is not read back yet.
    next: Vec<i64>,
    parts: Parts,
}

impl Soak {
    /// Starts broker and engine, and opens the stream.
    pub fn start(seed: u64, cycles: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let disk = Disk::new(directory.path().join("dev/engine"));
        let parts = Parts::start_in(directory);
        let text = std::fs::read_to_string(&parts.config).unwrap();
        let quick = text.replacen("properties = { ", "properties = { \"reconnect.backoff.max.ms\" = \"500\", ", 1);
        assert_ne!(text, quick);
        std::fs::write(&parts.config, quick).unwrap();
        let partitions = PARTITIONS.to_string();
        let stream = ["stream", "open", TOPIC, "--provider", "p", "--partitions", &partitions];
        parts.ok(&[&stream[..], &["--acceptance-window", WINDOW]].concat());
        parts.execute("CREATE TABLE soak_probe (n UInt64) ENGINE = MergeTree ORDER BY n").unwrap();
        let month = Month::last();
        let source = Source::new(seed, month.start_s(), cycles);
        let (oracle, next) = (Oracle::default(), vec![0; PARTITIONS as usize]);
        Self { disk, crew: Crew::new(&parts), seed, cycles, month, source, oracle, sent: Vec::new(), next, parts }
    }

    /// Runs one cycle and reports it.
    pub fn cycle(&mut self, cycle: u64, report: &mut Report) {
        let fault = Fault::of(self.seed, cycle);
        report.begin(cycle, fault);
        report.disk = self.disk.kind();
        let mut luck = Luck::of(self.seed, cycle);
        self.publish(cycle);
        let begun = Instant::now();
        self.crew.hold(&self.parts, luck.between(1, 3) as usize);
        let acknowledged = self.suffer(cycle, fault, &mut luck, report);
        let ended = Instant::now();
        self.crew.all_run();
        let from = self.next.clone();
        let placed = log::read(&self.parts.kafka, TOPIC, &mut self.next);
        let recovery = self.catch_up(ended);
        let compared = Instant::now();
        report.events += placed.len() as u64;
        report.acknowledged += acknowledged.len() as u64;
        report.killed = self.crew.killed;
        log::holds(&placed, &acknowledged);
        let difference = self.compare(cycle, &from, &placed);
        report.difference.add(difference.clone());
        assert!(difference.is_none(), "after {}: {difference:#?}", fault.name());
        let phases = Phases { struck: ended - begun, recovery, compared: compared.elapsed() };
        report.end(cycle, fault, placed.len(), phases);
    }

    /// Meters are defined while events of them are in the ledger already.
    fn publish(&mut self, cycle: u64) {
        if cycle == BOOK_CYCLE || cycle == DELTAS_CYCLE {
            self.parts.publish_book(&book(self.month, cycle == DELTAS_CYCLE));
            let meters: &[&str] = if cycle == BOOK_CYCLE { &["used", "read"] } else { &["written"] };
            meters.iter().for_each(|meter| self.oracle.define(meter));
        }
    }

    /// The load, and the fault in the midst of it; what Kafka acknowledged.
    fn suffer(&mut self, cycle: u64, fault: Fault, luck: &mut Luck, report: &mut Report) -> Vec<Acknowledged> {
        let polls = POLLS * ARRAYS;
        let padding = if fault == Fault::EngineAway { (AWAY_LOAD_KIB << 10).div_ceil(polls * 9 / 10) } else { 0 };
        let records = self.source.slice(cycle, padding as usize);
        let load = Load {
            kafka: &self.parts.kafka,
            topic: TOPIC,
            first: self.sent.len() as u64,
            records: &records,
            over: Duration::from_millis(luck.between(1000, 2500)),
            idempotent: luck.once_in(2),
        };
        let loaded = AtomicBool::new(false);
        let long = self.cycles > 2 * WHOLE_EVERY;
        let (parts, crew, disk) = (&self.parts, &mut self.crew, &self.disk);
        let mut field = Field { parts, crew, disk, luck, loaded: &loaded, long, rss_kib: 0 };
        let acknowledged = std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let acknowledged = load.send();
                loaded.store(true, Ordering::Release);
                acknowledged
            });
            field.strike(fault);
            sending.join().unwrap()
        });
        report.held(field.rss_kib);
        // the padding has done its work
        self.sent.extend(records.into_iter().map(|sent| match &sent.what {
            What::Poll(poll) if padding > 0 => poll.clone().sent(0),
            _ => sent,
        }));
        acknowledged
    }

    /// Waits until every partition has a checkpoint at the end of its log that reflects every decision.
    fn catch_up(&mut self, ended: Instant) -> Duration {
        let control = log::end_of(&self.parts.kafka, "billing-control", 0);
        let ends: Vec<String> = self
            .next
            .iter()
            .enumerate()
            .map(|(partition, end)| format!("(partition = {partition} AND next_offset >= {end})"))
            .collect();
        let query = format!(
            "SELECT uniqExact(partition) FROM checkpoint WHERE stream = '{TOPIC}-1' AND control >= {control} AND ({})",
            ends.join(" OR ")
        );
        loop {
            let caught_up = self.parts.try_number(&query);
            if caught_up == Ok(PARTITIONS) {
                return ended.elapsed();
            }
            self.crew.all_run();
            if ended.elapsed() > RECOVERY_MAX {
                panic!("not caught up within {RECOVERY_MAX:?}, {caught_up:?} partitions are: {}", self.crew.tail());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn compare(&mut self, cycle: u64, from: &[i64], placed: &[Placed]) -> Difference {
        let now_s = chrono::Utc::now().timestamp();
        let mut due: Vec<(Placed, &Sent, Due)> = Vec::new();
        let mut span: Option<(i64, i64)> = None;
        for placed in placed {
            let sent = &self.sent[usize::try_from(placed.number).unwrap()];
            let judged = self.oracle.judge(sent, placed, now_s);
            if let (What::Poll(poll), "accepted") = (&sent.what, judged.disposition) {
                let (first, last) = span.unwrap_or((poll.time_s, poll.time_s));
                span = Some((first.min(poll.time_s), last.max(poll.time_s)));
            }
            due.push((*placed, sent, judged));
        }
        let mut difference = check::ledger(&self.parts, TOPIC, from, &due);
        let last = cycle + 1 == self.cycles;
        let defined = cycle == BOOK_CYCLE || cycle == DELTAS_CYCLE;
        let month = self.source.start_s..self.source.start_s + 28 * 86_400;
        let (from_s, to_s) = match span {
            Some((first, last)) if !defined => hours_of(first, last),
            _ => (month.start, month.end),
        };
        self.oracle.meter(from_s, to_s);
        difference.add(check::cells(&self.parts, &self.oracle.cells, from_s, to_s));
        if last || (cycle + 1).is_multiple_of(WHOLE_EVERY) {
            // once more from nothing, and everything with everything
            self.oracle.meter(month.start, month.end);
            difference.add(check::cells(&self.parts, &self.oracle.cells, month.start, month.end));
            difference.add(self.whole_ledger());
            difference.add(check::unequal(&self.parts));
        }
        difference.add(check::totals(&self.parts, &self.oracle.counts));
        if cycle >= BOOK_CYCLE {
            let deltas = cycle >= DELTAS_CYCLE;
            difference.add(check::statements(&self.parts, &self.oracle.cells, self.month, deltas));
        }
        difference
    }

    /// A row taken away, a row added and figures changed by hand are found: the comparisons can fail.
    pub fn sees_damage(&self, cycles: u64) {
        if cycles <= BOOK_CYCLE {
            return; // no meter is defined yet
        }
        let partition = self.next.iter().position(|next| *next > 2).unwrap();
        let rows = format!("FROM usage_event FINAL WHERE partition = {partition} AND offset = 1");
        for damage in [
            format!("ALTER TABLE usage_event DELETE WHERE partition = {partition} AND offset = 0 SETTINGS mutations_sync = 2"),
            format!("INSERT INTO usage_event SELECT * REPLACE (append_time + INTERVAL 1 SECOND AS append_time) {rows}"),
            "INSERT INTO usage_bucket SELECT * REPLACE (version + 1 AS version, arrayMap(a -> a + 1000000000000000000, cell_amount) AS \
             cell_amount) FROM usage_bucket FINAL WHERE kind = 'array' AND meter = 'used'"
                .to_owned(),
        ] {
            self.parts.execute(&damage).unwrap();
        }
        let ledger = self.whole_ledger();
        assert_eq!((ledger.lost, ledger.doubled), (1, 1), "{ledger:?}");
        let month = (self.source.start_s, self.source.start_s + 28 * 86_400);
        assert!(check::cells(&self.parts, &self.oracle.cells, month.0, month.1).cells > 0);
        let deltas = cycles > DELTAS_CYCLE;
        assert!(check::statements(&self.parts, &self.oracle.cells, self.month, deltas).money > whole(0));
    }

    /// The whole topic and the whole ledger, judged again from the first record on.
    fn whole_ledger(&self) -> Difference {
        let mut next = vec![0; self.next.len()];
        let placed = log::read(&self.parts.kafka, TOPIC, &mut next);
        let (mut oracle, now_s) = (Oracle::default(), chrono::Utc::now().timestamp());
        let judge = |at: &Placed| {
            let sent = &self.sent[usize::try_from(at.number).unwrap()];
            (*at, sent, oracle.judge(sent, at, now_s))
        };
        let due: Vec<(Placed, &Sent, Due)> = placed.iter().map(judge).collect();
        check::ledger(&self.parts, TOPIC, &vec![0; next.len()], &due)
    }
}
