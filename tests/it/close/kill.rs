//! Closers killed with -9 at any moment, several at a time, on real parts: whatever they leave, the next ones finish it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::process::Stdio;
use std::time::{Duration, Instant};

use plimsoll::core::billing::document::Document;
use plimsoll::core::closing::register::{Register, Subject};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::setting::{Poll, Setting, VOLUMES, WAIT, event, hours, until};
use crate::quote::random::Random;
use crate::worker::Worker;

/// For so long closers are killed, twice.
const KILLING: Duration = Duration::from_secs(12);
/// The longest life of a closer that is killed, in milliseconds.
const LIFE_MAX_MS: u64 = 5_000;
const LABELS: [(&str, u32); 3] = [("2026-08", 8), ("2026-09", 9), ("2026-10", 10)];

/// Says the seed when a test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with PLIMSOLL_SEED={}", self.0);
        }
    }
}

#[test]
fn closers_that_are_killed_leave_one_close_one_number_and_one_document_each() {
    let seed = Seed(std::env::var("PLIMSOLL_SEED").ok().map_or(11, |seed| seed.parse().unwrap()));
    let mut random = Random::new(seed.0);
    let mut setting = Setting::start(8, 10);
    let mut killed = kill(&mut setting, &mut random, 1..13);
    settle(&setting);
    // every month has something to correct now
    for (copy, (_, month)) in (26..).zip(LABELS) {
        setting.produce(vec![event(&Poll { hour: hours(month).start + 300, copy, array: 500, volumes: &VOLUMES })]);
    }
    killed += kill(&mut setting, &mut random, 13..25);
    settle(&setting);

    let (mut closer, _client, _runtime) = setting.closer();
    closer.follow().unwrap();
    let register = closer.register();
    println!(
        "{killed} closers killed, {} closes count, {} are void, {} documents",
        register.closes().len(),
        register.void().len(),
        register.issued().len()
    );
    assert!(killed >= 5, "too few were at work when they were killed: {killed}");
    assert!(register.closes().len() >= 2 * LABELS.len(), "every month is corrected once at least");
    assert!(closer.waiting().unwrap().is_empty(), "a draft waits");
    let documents = numbered(closer.register());
    stored(&setting, &documents);
    let output = setting.parts.run(&["prove", "--all", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let count = documents.len() as u64;
    assert_eq!((&summary["proven"], &summary["documents"]), (&count.into(), &count.into()), "{text}");
    told(&setting, &documents);
}

/// Two closers of either kind at a time, each killed after a while; late usage now and then, so that there is always something to close.
fn kill(setting: &mut Setting, random: &mut Random, mut copies: Range<u32>) -> u32 {
    let (begun, mut killed) = (Instant::now(), 0);
    while begun.elapsed() < KILLING {
        let (label, month) = random.pick(&LABELS);
        let mut closers = [start(setting, &["bill"]), start(setting, &["close", "--provider", "p", "--period", label])];
        for _ in 0..2 {
            let most = LIFE_MAX_MS >> random.below(5);
            std::thread::sleep(Duration::from_millis(random.below(most / 2)));
            let one = &mut closers[random.below(2) as usize];
            killed += u32::from(one.ended().is_none());
            one.kill_now();
        }
        for mut one in closers {
            killed += u32::from(one.ended().is_none());
            one.kill_now();
        }
        if random.chance(2)
            && let Some(copy) = copies.next()
        {
            let hour = hours(month).start + random.below(600) as i64;
            let poll = Poll { hour, copy, array: 8 + random.below(40), volumes: &VOLUMES };
            setting.produce(vec![event(&poll)]);
        }
    }
    killed
}

fn start(setting: &Setting, arguments: &[&str]) -> Worker {
    let mut command = setting.parts.command(arguments);
    command.env("PLIMSOLL_BILL__INTERVAL_SECONDS", "1").env("PLIMSOLL_LOG__FILTER", "off");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Worker::of(command)
}

/// Closers that nobody kills finish everything: every period is closed and nothing is left to correct.
fn settle(setting: &Setting) {
    setting.caught_up();
    for (label, _) in LABELS {
        until("every period is closed and corrected", || {
            setting.parts.ok(&["bill", "--once"]);
            let (_, object, said) = setting.close(label, &[]);
            assert_ne!(object["outcome"], "refused", "{object} {said}");
            object["outcome"] == "nothing_to_correct"
        });
    }
    setting.parts.ok(&["bill", "--once"]);
}

/// The numbers of all documents: of each seller without a gap, of each draft one, of each period and revision one close.
fn numbered(register: &Register) -> BTreeSet<String> {
    let mut revisions: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for closed in register.closes() {
        revisions.entry(closed.close.period.clone()).or_default().push(closed.close.revision);
    }
    for (period, revisions) in &revisions {
        let wanted: Vec<u32> = (0..revisions.len() as u32).collect();
        assert_eq!(*revisions, wanted, "{period:?}");
    }
    assert!(revisions.len() >= LABELS.len(), "{revisions:?}");
    let drafts = register.issued().iter().map(|issued| match &issued.subject {
        Subject::Draft(draft) => draft.clone(),
        Subject::Note(note) => panic!("nobody credited anything: {note:?}"),
    });
    let drafts: BTreeSet<_> = drafts.collect();
    assert_eq!(drafts.len(), register.issued().len(), "a draft has two numbers");
    let numbers: BTreeSet<String> = register.issued().iter().map(|issued| issued.numbered.number.clone()).collect();
    for seller in ["V", "P"] {
        let own = numbers.iter().filter(|number| number.starts_with(seller)).count();
        let wanted: BTreeSet<String> = (1..=own).map(|number| format!("{seller}-{number:04}")).collect();
        assert!(wanted.is_subset(&numbers), "{numbers:?}");
    }
    assert_eq!(numbers.len(), register.issued().len());
    numbers
}

/// Each document is stored once, and so is each draft of a close that counts.
fn stored(setting: &Setting, numbers: &BTreeSet<String>) {
    let parts = &setting.parts;
    let count = numbers.len() as u64;
    assert_eq!(parts.number("SELECT count() FROM invoice FINAL"), count);
    assert_eq!(parts.number("SELECT uniqExact(number) FROM invoice"), count);
    let counted = "rating_id IN (SELECT rating_id FROM invoice FINAL)";
    let drafts = format!("SELECT count() FROM rating FINAL WHERE {counted}");
    assert_eq!(parts.number(&drafts), count, "rows of drafts");
    let rows = format!(
        "SELECT count() FROM (SELECT rating_id, contract, customer, count() AS rows FROM rated_line FINAL WHERE {counted} GROUP BY ALL) AS l \
         FULL JOIN (SELECT rating_id, contract, customer, JSONLength(document, 'rows') AS rows FROM rating FINAL WHERE {counted}) AS r \
         USING (rating_id, contract, customer) WHERE l.rows != r.rows"
    );
    assert_eq!(parts.number(&rows), 0, "rated lines of drafts");
}

/// Whoever follows the topic of documents was told of each, and of no other.
fn told(setting: &Setting, numbers: &BTreeSet<String>) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &setting.parts.kafka)
        .set("group.id", "erp")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let (_, end) = consumer.fetch_watermarks("billing-invoice", 0, WAIT).unwrap();
    let mut from = TopicPartitionList::new();
    from.add_partition_offset("billing-invoice", 0, Offset::Beginning).unwrap();
    consumer.assign(&from).unwrap();
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let since = Instant::now();
    loop {
        assert!(since.elapsed() < WAIT, "the topic of documents is not read to its end {end}");
        let Some(record) = consumer.poll(Duration::from_millis(100)) else { continue };
        let record = record.unwrap();
        let key = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
        let document = Document::from_json(std::str::from_utf8(record.payload().unwrap()).unwrap()).unwrap();
        assert_eq!(document.number.as_ref(), Some(&key));
        let digest = document.proof.digest.unwrap();
        let before = told.insert(key, digest.clone());
        assert!(before.is_none_or(|before| before == digest), "told twice, and not the same");
        if record.offset() + 1 >= end {
            break;
        }
    }
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), *numbers);
}
