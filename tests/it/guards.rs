//! What refuses to go on, the mend that its message names, and what holds after the mend: with a real broker and a real engine.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::worker::Parts;

const START_S: i64 = 1_790_812_800;
const STEP_S: i64 = 300;
pub const BOOK: &str = r#"format = 1
[meter.used]
kind = "gauge"
base = "byte"
[meter.read]
kind = "counter"
base = "byte"
[meter.written]
kind = "delta"
base = "byte"
"#;

/// What an operator does to the broker behind Plimsoll's back.
pub struct Broker {
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
    kafka: String,
}

impl Broker {
    pub fn of(parts: &Parts) -> Self {
        let admin = ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { admin, runtime, kafka: parts.kafka.clone() }
    }

    fn options() -> AdminOptions {
        AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)))
    }

    pub fn create(&self, topic: &str, partitions: i32) {
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1))
            .set("message.timestamp.type", "LogAppendTime")
            .set("cleanup.policy", "delete");
        self.runtime.block_on(self.admin.create_topics([&new], &Self::options())).unwrap()[0].as_ref().unwrap();
        self.settle();
    }

    fn delete(&self, topic: &str) {
        self.runtime.block_on(self.admin.delete_topics(&[topic], &Self::options())).unwrap()[0].as_ref().unwrap();
        self.settle();
    }

    fn grow(&self, topic: &str, partitions: usize) {
        let grown = NewPartitions::new(topic, partitions);
        self.runtime.block_on(self.admin.create_partitions([&grown], &Self::options())).unwrap()[0].as_ref().unwrap();
        self.settle();
    }

    /// As retention does: the records of partition 0 below `first` are gone.
    fn expire(&self, topic: &str, first: i64) {
        let mut places = TopicPartitionList::new();
        places.add_partition_offset(topic, 0, Offset::Offset(first)).unwrap();
        self.runtime.block_on(self.admin.delete_records(&places, &Self::options())).unwrap();
    }

    fn stamp_by(&self, topic: &str, who: &str) {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic))
            .set("message.timestamp.type", who)
            .set("cleanup.policy", "delete")
            .set("retention.ms", "-1");
        self.runtime.block_on(self.admin.alter_configs([&change], &Self::options())).unwrap();
        self.settle();
    }

    /// A change takes a moment to be known everywhere.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(400));
    }

    /// Appends a decision as it stands, as another process might have.
    pub fn decide(&self, decision: &Value) {
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &self.kafka).create().unwrap();
        producer.send(BaseRecord::<str, _>::to("billing-control").partition(0).payload(&decision.to_string())).unwrap();
        producer.flush(Duration::from_secs(30)).unwrap();
    }
}

pub fn rules(
    stream: &str,
    topic: &str,
    (generation, partitions): (u32, u32),
    provider: &str,
    fold_version: u32,
) -> Value {
    json!({
        "stream": stream, "topic": topic, "generation": generation, "partitions": partitions, "provider": provider,
        "acceptance_window_ms": 400 * 86_400_000_i64, "future_limit_ms": 900_000, "max_event_bytes": 16 << 20,
        "max_event_readings": 50_000, "max_id_bytes": 256, "fold_version": fold_version
    })
}

/// One poll of an array: a level, a growing total and an amount.
fn poll(provider: &str, array: u64, step: i64) -> (String, String) {
    let key = format!("array-{array}");
    let time = chrono::DateTime::from_timestamp(START_S + step * STEP_S, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let counter = if step >= 40 { step - 40 } else { step } * 1000 + array as i64;
    let values = [("used", (step * 7919 + array as i64 * 31) % 100_000), ("read", counter), ("written", step % 13)];
    let readings: Vec<Value> = values
        .iter()
        .map(|(meter, value)| json!({"resource": "v", "kind": "volume", "customer": "acme", "meter": meter, "value": value}))
        .collect();
    let event = json!({
        "specversion": "1.0", "id": time.to_string(), "source": format!("urn:{key}"), "type": "dev.plimsoll.usage.v1",
        "time": time.to_string(), "data": {"provider": provider, "array": {"id": key, "site": "S"}, "readings": readings}
    });
    (key, event.to_string())
}

pub fn polls(provider: &str, arrays: std::ops::Range<u64>, steps: std::ops::Range<i64>) -> Vec<(String, String)> {
    steps.flat_map(|step| arrays.clone().map(move |array| (array, step))).map(|(a, s)| poll(provider, a, s)).collect()
}

/// Every cell of a provider: its place and its figures, as text.
pub fn usage(parts: &Parts, provider: &str) -> BTreeMap<String, String> {
    let at = |days: i64| chrono::DateTime::from_timestamp(START_S + days * 86_400, 0).unwrap().to_rfc3339();
    let (from, to) = (at(-1), at(5));
    let arguments = ["usage", "--provider", provider, "--from", &from, "--to", &to, "--step", "cell"];
    let rows = parts.lines(&[&arguments[..], &["--by", "array,customer,meter"]].concat());
    let cell = |mut row: Value| {
        let object = row.as_object_mut().unwrap();
        object.remove("provider");
        let place = ["array", "customer", "meter", "start"].map(|key| object[key].to_string()).join(" ");
        (place, row.to_string())
    };
    rows.into_iter().map(cell).collect()
}

fn refused(parts: &Parts, arguments: &[&str], said: &[&str]) -> String {
    let output = parts.run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} should refuse");
    for words in said {
        assert!(errors.contains(words), "{arguments:?} should say {words:?}, and says: {errors}");
    }
    errors
}

pub const CAUGHT_UP: [&str; 2] = ["run", "--until-caught-up"];

pub fn open(parts: &Parts, topic: &str, provider: &str, partitions: &str) {
    let arguments = ["stream", "open", topic, "--provider", provider, "--partitions", partitions];
    parts.ok(&[&arguments[..], &["--acceptance-window", "400d"]].concat());
}

/// A round of `plimsoll bill`.
pub const BILL: [&str; 2] = ["bill", "--once"];

/// What those who write SQL read of a provider, and what a command lists.
struct Told<'a> {
    parts: &'a Parts,
    provider: &'a str,
}

impl Told<'_> {
    /// How many arrays `array_health` has, and the newest reading of any of them.
    fn view(&self) -> (u64, u64) {
        let of = |question: &str| {
            let from = format!("FROM array_health WHERE provider = '{}'", self.provider);
            self.parts.number(&format!("SELECT {question} {from}"))
        };
        (of("count()"), of("toUInt64(toUnixTimestamp(max(last_reading)))"))
    }

    /// The same of `plimsoll health`.
    fn listed(&self) -> (u64, u64) {
        let rows = self.parts.lines(&["health", "--format", "json"]);
        let own: Vec<&Value> = rows.iter().filter(|row| row["provider"] == self.provider).collect();
        let newest = own.iter().map(|row| row["last_reading"].as_str().unwrap()).max().unwrap();
        let newest = chrono::DateTime::parse_from_rfc3339(newest).unwrap().timestamp();
        (own.len() as u64, newest.try_into().unwrap())
    }

    /// The same of `usage_reading`.
    fn read(&self) -> (u64, u64) {
        let of = |question: &str| {
            let from = format!("FROM usage_reading WHERE provider = '{}'", self.provider);
            self.parts.number(&format!("SELECT {question} {from}"))
        };
        (of("uniqExact(array)"), of("toUInt64(max(toUnixTimestamp(assumeNotNull(time))))"))
    }
}

/// Two providers send the same; the stream of one of them is opened again twice. What it is billed by must not show it.
#[test]
fn a_stream_that_was_opened_again_meters_as_if_it_never_had_been() {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    open(&parts, "usage", "p", "3");
    open(&parts, "plain", "r", "3");
    parts.publish_book(BOOK);
    let both = |topic: &str, arrays: std::ops::Range<u64>, steps: std::ops::Range<i64>| {
        parts.produce(topic, polls("p", arrays.clone(), steps.clone()).into_iter());
        parts.produce("plain", polls("r", arrays, steps).into_iter());
    };
    both("usage", 0..6, 0..38);
    parts.ok(&CAUGHT_UP);
    let before = usage(&parts, "p");
    let told = Told { parts: &parts, provider: "p" };
    assert_eq!(told.view().0, 0, "nothing is put together yet");
    parts.ok(&BILL);
    let right = (6, told.read().1);
    assert_eq!([told.view(), told.listed(), told.read()], [right; 3], "one round, right after the first usage");
    let end = |partition: u32| {
        parts.number(&format!(
            "SELECT max(next_offset) FROM checkpoint WHERE stream = 'usage-1' AND partition = {partition}"
        ))
    };
    let ends: Vec<u64> = (0..3).map(end).collect();
    assert_eq!(ends.iter().sum::<u64>(), 6 * 38);

    // workers that have not heard of the end fold and meter what lies behind it, of an array too that nobody knew before
    both("usage", 0..9, 38..50);
    parts.ok(&CAUGHT_UP);
    assert_ne!(usage(&parts, "p"), before);
    parts.ok(&BILL);
    let late = told.view();
    assert!(late.0 == 9 && late.1 > right.1);
    assert_eq!([told.listed(), told.read()], [late; 2]);
    broker.create("usage-2", 5);
    broker.decide(&json!({
        "kind": "StreamOpened", "rules": rules("usage-2", "usage-2", (2, 5), "p", 1),
        "closes": {"stream": "usage-1", "ends": ends, "reason": "more arrays"}, "actor": "test"
    }));
    parts.ok(&CAUGHT_UP);
    let (found, void) = (usage(&parts, "p"), parts.lines(&["stream", "void", "usage-1"]));
    assert_eq!(found, before, "what is void is metered no more");
    assert_eq!(void.len(), 9 * 12, "and is listed");
    assert!(void.iter().all(|row| row["why"] == "past_end" && row["disposition"] == "accepted"), "{void:?}");
    assert!(parts.ok(&["stream", "list"]).contains("usage-2  5 partitions"));
    // an array of nothing but void records is shown no more: by itself, and though somebody who has not heard of the end may still write
    assert_eq!([told.listed(), told.read()], [right; 2], "as soon as decisions are mirrored");
    assert_eq!(told.view(), late, "and here once all is put together once more");
    let zombie = || {
        let columns = "INSERT INTO stream_array SELECT 'usage-1', 0, 'p', 'nobody', now64(3, 'UTC'), now64(3, 'UTC'), (now64(3, 'UTC'), '', '')";
        parts.execute(columns).unwrap();
    };
    for _ in 0..2 {
        parts.ok(&BILL);
        assert_eq!([told.view(), told.listed(), told.read()], [right; 3]);
        zombie();
    }
    let whole = "SELECT count() FROM (SELECT max(next_offset) AS n, max(end_offset) AS e FROM stream_mark WHERE closed = 1 GROUP BY partition) WHERE n = e";
    assert_eq!(parts.number(whole), 3, "up to the ends, and never past them");
    assert_eq!(parts.number("SELECT count() FROM void_span"), 3, "once, however often it is mirrored");

    // sent again to where it counts; old events are duplicates there, levels hold over the seam, counters have their predecessor
    parts.ok(&["stream", "void", "usage-1", "--send-again"]);
    parts.produce("usage-2", polls("p", 0..6, 30..38).into_iter());
    both("usage-2", 0..9, 50..60);
    parts.ok(&CAUGHT_UP);
    assert_eq!(usage(&parts, "p"), usage(&parts, "r"));
    let events = parts.lines(&["events", "--stream", "usage"]);
    let of = |disposition: &str| events.iter().filter(|row| row["disposition"] == disposition).count();
    assert_eq!((of("accepted"), of("duplicate"), events.len()), (9 * 12 + 9 * 10, 6 * 8, 9 * 22 + 6 * 8));
    let appended = |row: &Value| chrono::DateTime::parse_from_rfc3339(row["append_time"].as_str().unwrap()).unwrap();
    let place = |row: &Value| (appended(row), row["partition"].as_u64(), row["offset"].as_u64());
    assert!(events.is_sorted_by_key(place), "partitions are told one after the other, and not as the log grew");

    // by command: it waits for workers, and refuses to leave records behind
    both("usage-2", 0..9, 60..70);
    let arguments = ["stream", "reopen", "usage", "--partitions", "2", "--reason", "fewer arrays", "--wait", "1s"];
    refused(&parts, &arguments, &["is folded to", "keep a worker running", "--at-checkpoints"]);
    parts.ok(&CAUGHT_UP);
    let dry = parts.ok(&[&arguments[..], &["--dry-run"]].concat());
    assert!(dry.contains("usage-3 would be opened on topic usage-3, 2 partitions"), "{dry}");
    assert!(parts.ok(&arguments).contains("usage-3 is open"));
    parts.ok(&["stream", "open", "other", "--provider", "o", "--partitions", "1"]);
    refused(&parts, &["stream", "open", "usage", "--provider", "x", "--partitions", "3"], &["its name is taken"]);
    both("usage-3", 0..9, 70..80);
    parts.ok(&CAUGHT_UP);
    assert_eq!(usage(&parts, "p"), usage(&parts, "r"));
    assert!(parts.lines(&["stream", "void", "usage-2"]).is_empty());
    let listed = parts.ok(&["stream", "list", "--all"]);
    assert!(listed.contains("usage-1  3 partitions") && listed.contains("ended at"), "{listed}");
}

/// A topic that was cut, re-created, grown or set otherwise is refused with the command that mends it.
#[test]
fn what_refuses_names_its_mend() {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    parts.publish_book(BOOK);
    open(&parts, "wide", "w", "3");
    open(&parts, "gone", "g", "2");
    parts.produce("wide", polls("w", 0..6, 0..10).into_iter());
    parts.produce("gone", polls("g", 0..6, 0..10).into_iter());
    parts.ok(&CAUGHT_UP);

    // more partitions than N
    broker.grow("wide", 4);
    let mend = "plimsoll stream reopen wide --partitions 4 --at-checkpoints --reason";
    refused(&parts, &CAUGHT_UP, &["topic wide has 4 partitions and 3 are due", mend]);
    let again = ["stream", "open", "wide", "--provider", "w", "--partitions", "3", "--acceptance-window", "400d"];
    refused(&parts, &again, &[mend]);
    parts.produce("wide", polls("w", 0..6, 10..12).into_iter());
    let told = parts.ok(&["stream", "reopen", "wide", "--partitions", "4", "--at-checkpoints", "--reason", "grown"]);
    assert!(told.contains("12 records of topic wide are void"), "{told}");
    assert_eq!(parts.lines(&["stream", "void", "wide-1", "--send-again"]).len(), 12);
    parts.ok(&CAUGHT_UP);
    assert_eq!(
        parts.number("SELECT count() FROM usage_event FINAL WHERE stream = 'wide-2' AND disposition = 'accepted'"),
        12
    );

    // deleted and re-created
    broker.delete("gone");
    broker.create("gone", 2);
    refused(&parts, &CAUGHT_UP, &["the topic was cut or re-created", "plimsoll stream reopen gone-1 --at-checkpoints"]);
    refused(&parts, &["stream", "reopen", "gone", "--reason", "r"], &["add --at-checkpoints"]);
    parts.produce("gone", polls("g", 0..6, 9..13).into_iter());
    parts.ok(&["stream", "reopen", "gone", "--at-checkpoints", "--reason", "re-created"]);
    parts.ok(&["stream", "void", "gone-1", "--send-again", "--below-end"]);
    parts.ok(&CAUGHT_UP);
    let of = |disposition: &str| {
        let of = "SELECT count() FROM usage_event FINAL WHERE stream = 'gone-2' AND disposition = ";
        parts.number(&format!("{of}'{disposition}'"))
    };
    assert_eq!(
        (of("accepted"), of("duplicate")),
        (18, 6),
        "what the new log has is folded, and known events are known"
    );

    // a build that folds otherwise
    broker.create("newer", 1);
    broker
        .decide(&json!({"kind": "StreamOpened", "rules": rules("newer-1", "newer", (1, 1), "n", 2), "actor": "test"}));
    refused(&parts, &CAUGHT_UP, &["newer-1 is folded by version 2", "plimsoll stream reopen newer-1 --reason"]);
    parts.ok(&["stream", "reopen", "newer-1", "--reason", "this build"]);
    parts.ok(&CAUGHT_UP);

    // a control log whose order of time nobody vouches for
    broker.stamp_by("billing-control", "CreateTime");
    let mend = "--entity-name billing-control --add-config message.timestamp.type=LogAppendTime";
    refused(&parts, &CAUGHT_UP, &["message.timestamp.type is \"CreateTime\"", mend]);
    broker.stamp_by("billing-control", "LogAppendTime");
    parts.ok(&CAUGHT_UP);
}

/// I1 with holes: spans of checkpoints and recorded holes tile the offsets of a partition.
fn tiles(parts: &Parts, stream: &str, end: u64, lost: u64) {
    let consumed = parts.number(&format!("SELECT sum(consumed) FROM checkpoint FINAL WHERE stream = '{stream}'"));
    let judged = parts.number(&format!(
        "SELECT sum(accepted + duplicate + late + quarantined) FROM checkpoint FINAL WHERE stream = '{stream}'"
    ));
    let recorded = parts.number(&format!(
        "SELECT toUInt64(sum(JSONExtractUInt(body, 'to') - JSONExtractUInt(body, 'from'))) FROM decision FINAL \
         WHERE kind = 'OffsetsLost' AND JSONExtractString(body, 'stream') = '{stream}'"
    ));
    assert_eq!((consumed, consumed + recorded, recorded), (judged, end, lost), "I1 of {stream}");
}

/// The command that a refusal names, with a reason.
fn mend(errors: &str, begins: &str) -> Vec<String> {
    let from = errors.find(begins).unwrap_or_else(|| panic!("{begins:?} is not in {errors}"));
    let command = errors[from..].split(" --reason").next().unwrap();
    let words = command.split_whitespace().skip(1).map(str::to_owned);
    words.chain(["--reason".to_owned(), "it is gone".to_owned()]).collect()
}

#[test]
fn lost_offsets_are_recorded_and_folding_goes_on() {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    parts.publish_book(BOOK);
    open(&parts, "expired", "e", "1");
    open(&parts, "refilled", "f", "1");
    parts.produce("expired", polls("e", 0..2, 0..5).into_iter());
    parts.produce("refilled", polls("f", 0..2, 0..5).into_iter());
    parts.ok(&CAUGHT_UP);
    let nothing = ["stream", "lost", "expired", "--partition", "0", "--from", "10", "--to", "12", "--reason", "r"];
    refused(&parts, &nothing, &["nothing is lost"]);

    // retention overtakes the checkpoint
    parts.produce("expired", polls("e", 0..2, 5..10).into_iter());
    broker.expire("expired", 14);
    let errors = refused(&parts, &CAUGHT_UP, &["the log starts at offset 14, but 10 is due: 4 offsets"]);
    let wrong = |from: &str, to: &str, said: &str| {
        let arguments = ["stream", "lost", "expired", "--partition", "0", "--from", from, "--to", to, "--reason", "r"];
        refused(&parts, &arguments, &[said]);
    };
    wrong("8", "14", "offset 10 is due, not 8");
    wrong("10", "16", "14 is where folding can go on");
    let command = mend(&errors, "plimsoll stream lost");
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    assert!(parts.ok(&[&command[..], &["--dry-run"]].concat()).contains("would record [10, 14)"));
    refused(&parts, &CAUGHT_UP, &["10 is due"]);
    parts.ok(&command);
    assert!(parts.ok(&command).contains("recorded as lost already"));
    parts.ok(&CAUGHT_UP);
    tiles(&parts, "expired-1", 20, 4);

    // re-created and refilled beyond the checkpoint
    broker.delete("refilled");
    broker.create("refilled", 1);
    parts.produce("refilled", polls("f", 2..4, 0..8).into_iter());
    let errors =
        refused(&parts, &CAUGHT_UP, &["the record at offset 9 is not the one that was folded", "stream reopen"]);
    let command = mend(&errors, "plimsoll stream lost");
    parts.ok(&command.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..2 {
        parts.ok(&CAUGHT_UP);
    }
    tiles(&parts, "refilled-1", 16, 0);
    let rows = "SELECT count() FROM usage_event FINAL WHERE stream = 'refilled-1' AND array IN ('array-2', 'array-3')";
    assert_eq!(parts.number(rows), 6, "what the new log has from offset 10 on");
}

/// A stream may be opened before there is a price book; once there is one, for providers that it has.
#[test]
fn a_stream_is_opened_for_a_provider_that_the_price_book_has() {
    let parts = Parts::start();
    let of = |topic, provider| ["stream", "open", topic, "--provider", provider, "--partitions", "1"];
    let early = parts.ok(&of("early", "northwind"));
    assert!(early.contains("northwind is in no price book yet"), "{early}");
    parts.publish_book(BOOK);
    let meters = parts.ok(&of("meters", "somebody"));
    assert!(meters.contains("somebody is in no price book yet"), "a book of meters alone has nobody: {meters}");
    parts.ok(&["catalog", "apply", crate::stage::SAMPLE]);
    refused(&parts, &of("late", "fjordclod"), &["the price book has no provider fjordclod; did you mean fjordcloud?"]);
    let late = parts.ok(&of("late", "fjordcloud"));
    assert!(late.contains("late-1 is open") && !late.contains("price book"), "{late}");
    // what is open is found open, whoever the book has by now
    assert!(parts.ok(&of("meters", "somebody")).contains("is open already"));
    let listed = parts.ok(&["stream", "list"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
}
