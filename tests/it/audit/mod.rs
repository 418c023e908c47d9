//! What is stored, held against itself and against the log; and mended.

mod generation;
mod stray;

use std::collections::BTreeMap;

use plimsoll::audit::auditor::Auditor;
use plimsoll::audit::close::{AHEAD_DAYS, Ahead, Why, ahead, green};
use plimsoll::audit::sums;
use plimsoll::clickhouse::read::bucket::{self, BucketQuery};
use plimsoll::clickhouse::read::rating::vector;
use plimsoll::clickhouse::{Client, Error};
use plimsoll::config::Config;
use plimsoll::core::billing::proof::CutPoint;
use plimsoll::core::metering::bucket::SeriesKey;
use plimsoll::core::word::{Hour, Instant};
use plimsoll::remeter::{Cut, Definitions, Remeter, Scope};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::guards::BOOK;
use crate::stage::site_of;
use crate::worker::Parts;

async fn remeter(client: &Client) -> Remeter {
    let vector = vector(client).await.unwrap();
    let points = vector.into_iter().map(|(stream, partition, offset)| CutPoint { stream, partition, offset });
    Remeter::new(client.clone(), Cut::new(&points.collect::<Vec<_>>()).unwrap())
}

/// Every bucket that is stored comes out of the ledger again, and no other.
async fn remetered_is_stored(client: &Client) -> (u64, u64) {
    let remeter = remeter(client).await;
    let meters = Definitions::read(client).await.unwrap().newest();
    let spans = remeter.arrays(None).await.unwrap();
    let from = spans.iter().map(|span| span.oldest.hour()).min().unwrap();
    let to = Hour(spans.iter().map(|span| span.newest.hour()).max().unwrap().0 + 4);
    let scope = Scope { provider: None, arrays: Vec::new(), from, to };
    let mut metered = BTreeMap::new();
    let mut readings = 0;
    remeter
        .each::<Error>(&scope, &meters, |array| {
            readings += array.readings;
            for (row, cells) in array.buckets.iter() {
                let key = (row.series.as_ref().clone(), row.hour);
                assert!(metered.insert(key, (row.clone(), cells.to_vec())).is_none(), "twice");
            }
            Ok(())
        })
        .await
        .unwrap();
    let mut buckets = 0;
    let query = BucketQuery { provider: None, arrays: Vec::new(), from: Hour(0), to: Hour(1_000_000) };
    let mut rows = bucket::read(client, &query).unwrap();
    let owned = |(provider, array): (&str, &str), place: bucket::Place<'_>| {
        let (meter, kind, resource, hour) = place;
        (provider.to_owned(), array.to_owned(), meter.to_owned(), kind, resource.to_owned(), hour)
    };
    let name = |series: &SeriesKey, hour| owned((&series.provider, &series.array), bucket::place(series, hour));
    let mut by_place: BTreeMap<_, _> =
        metered.into_iter().map(|((series, hour), row)| (name(&series, hour), row)).collect();
    while let Some(row) = rows.next().await.unwrap() {
        let found = by_place.remove(&owned((row.provider, row.array), row.place()));
        let (bucket, cells) = found.unwrap_or_else(|| panic!("surplus: {row:?}"));
        assert!(row.says(&bucket, &cells), "{row:?} is not {cells:?}");
        buckets += 1;
    }
    assert_eq!(by_place.len(), 0, "missing");
    (buckets, readings)
}

const START_S: i64 = 1_790_812_800;
const POLLS: i64 = 400;
const ARRAYS: i64 = 4;

fn event(array: i64, poll: i64, time_s: i64) -> (String, String) {
    let luck = plimsoll::load::random::hash(7, array as u64, poll as u64);
    let time = chrono::DateTime::from_timestamp(time_s, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let customer = if luck.is_multiple_of(9) { "globex" } else { "acme" };
    let counter = if poll > 200 { poll - 200 } else { poll + 5000 } * 1000;
    let readings: Vec<String> = [("used", luck % 1_000_000), ("read", counter as u64), ("written", luck % 777)]
        .iter()
        .map(|(meter, value)| {
            format!(
                r#"{{"resource":"v","kind":"volume","customer":"{customer}","tier":"//T","meter":"{meter}","value":{value}}}"#
            )
        })
        .collect();
    let value = format!(
        r#"{{"specversion":"1.0","id":"{poll}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"array-{array}","site":"S"}},"readings":[{}]}}}}"#,
        readings.join(",")
    );
    (format!("array-{array}"), value)
}

/// Polls with some disorder, some of them twice, some late, some that are nothing.
fn records(polls: std::ops::Range<i64>) -> impl Iterator<Item = (String, String)> {
    polls.flat_map(|poll| {
        (0..ARRAYS).flat_map(move |array| {
            let poll = if poll % 10 == 3 { poll + 4 } else { poll };
            let good = event(array, poll, START_S + poll * 300);
            match poll % 23 {
                5 => vec![good.clone(), (good.0.clone(), "{".to_owned())],
                6 => vec![good, event(array, -poll, 1_500_000_000 + poll)],
                _ => vec![good],
            }
        })
    })
}

struct Site {
    parts: Parts,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn start() -> Self {
        let parts = site_of("p", 2);
        parts.publish_book(BOOK);
        for slice in 0..4 {
            parts.produce("usage", records(slice * POLLS / 4..(slice + 1) * POLLS / 4));
            parts.ok(&["run", "--until-caught-up"]);
        }
        Self::of(parts)
    }

    /// Over parts that have been used.
    fn of(parts: Parts) -> Self {
        let config = Config::load(Some(&parts.config)).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self { parts, client: Client::new(&config.clickhouse), runtime }
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(self.client.execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The exit code and the lines of an audit: (table, fault, what names the row).
    fn audit(&self, arguments: &[&str]) -> (i32, Vec<(String, String, String)>) {
        let (code, lines) = self.said(&[&["audit"], arguments].concat());
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).map(|line| {
            let text = |key: &str| line[key].as_str().map_or_else(|| line[key].to_string(), str::to_owned);
            let place = match text("table").as_str() {
                _ if line["offset"].is_null() && line["hour"].is_null() && line["next_offset"].is_null() => {
                    format!("{}/{}", text("stream"), text("partition"))
                }
                "usage_bucket" => format!("{} {} {}", text("array"), text("meter"), text("hour")),
                "decision" => text("offset"),
                "checkpoint" => format!("{} {} {}", text("partition"), text("from_offset"), text("next_offset")),
                _ => format!("{} {}", text("partition"), text("offset")),
            };
            (text("table"), text("fault"), place)
        });
        (code, lines.collect())
    }

    /// The exit code of an audit or a repair, and what it prints.
    fn said(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.parts.run(&[arguments, &["--format", "json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code != 1), "{errors}");
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn green(&self) {
        let (code, found) = self.audit(&[]);
        assert_eq!((code, found), (0, vec![]), "the audit is not green");
    }

    fn repair(&self) {
        let output = self.parts.run(&["repair"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}\n{}", String::from_utf8_lossy(&output.stdout));
    }

    /// Everything that a bill is made of, as text.
    fn figures(&self) -> Vec<String> {
        let figures = "usage --provider p --from 2026-09-01 --to 2026-12-01 --step hour --by array,customer,meter";
        self.parts.ok(&figures.split(' ').collect::<Vec<_>>()).lines().map(str::to_owned).collect()
    }

    /// What keeps a close from being green at the newest checkpoints.
    fn not_green(&self) -> Vec<(String, Why)> {
        let instant = |text: &str| Instant(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis());
        let (from, to) = (instant("2026-10-01T00:00:00Z"), instant("2026-11-01T00:00:00Z"));
        let named = self.runtime.block_on(async {
            let vector = vector(&self.client).await.unwrap().into_iter();
            let cut: Vec<_> =
                vector.map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect();
            green(&self.client, "p", from, to, &cut).await.unwrap()
        });
        named.into_iter().map(|not| (not.day.array.to_string(), not.why)).collect()
    }

    /// The buckets that differ by SQL alone.
    fn by_sql(&self) -> Vec<String> {
        let scope =
            Scope { provider: None, arrays: Vec::new(), from: Hour(START_S / 3600), to: Hour(START_S / 3600 + 48) };
        let found = self.runtime.block_on(async {
            let definitions = Definitions::read(&self.client).await.unwrap();
            let auditor = Auditor::new(self.client.clone(), definitions);
            sums::check(&auditor, &scope, &mut |_, _, _| {}).await.unwrap()
        });
        found.iter().map(|finding| finding.place.to_string()).collect()
    }

    fn ahead(&self) -> Ahead {
        self.runtime.block_on(async {
            let auditor = Auditor::new(self.client.clone(), Definitions::read(&self.client).await.unwrap());
            ahead(&auditor, Some("p"), Instant(0), AHEAD_DAYS, &mut |_, _, _| {}).await.unwrap()
        })
    }

    fn number(&self, sql: &str) -> u64 {
        self.parts.number(sql)
    }
}

fn has(found: &[(String, String, String)], table: &str, fault: &str, place: &str) {
    let wanted = (table.to_owned(), fault.to_owned(), place.to_owned());
    assert!(found.contains(&wanted), "{wanted:?} is not among {found:#?}");
}

/// A copy of one row with other values, as someone would write it by hand.
fn altered(site: &Site, table: &str, replace: &str, condition: &str) {
    // a row is chosen first: in one query the new values would stand in the condition
    let chosen = format!("SELECT * FROM {table} FINAL WHERE {condition}");
    site.execute(&format!("INSERT INTO {table} SELECT * REPLACE({replace}) FROM ({chosen})"));
}

#[test]
fn what_was_deleted_or_altered_by_hand_is_found_and_mended() {
    let site = Site::start();
    let (buckets, readings) = site.runtime.block_on(remetered_is_stored(&site.client));
    assert!(buckets > 400 && readings >= 4_000, "{buckets} buckets, {readings} readings");
    site.green();
    assert!(site.figures().len() > 100);
    closable(&site);
    let figures = site.figures();
    deleted(&site);
    let red = site.not_green();
    assert!(red.iter().any(|(array, why)| array == "array-1" && matches!(why, Why::Red(_))), "{red:?}");
    // somebody paints the audit green
    altered(&site, "audit", "1 AS green, 0 AS findings, audited_at + 1 AS audited_at", "green = 0");
    assert!(site.not_green().iter().any(|(_, why)| *why == Why::Forged));
    site.repair();
    assert_eq!(site.not_green(), []);
    site.green();
    assert_eq!(site.figures(), figures);
    changed(&site);
    site.repair();
    site.green();
    assert_eq!(site.figures(), figures);
    stray::outranked(&site);
    stray::of_nobody(&site);
    assert_eq!(site.figures(), figures);
    killed(&site);
    site.green();
    assert_eq!(site.figures(), figures);
    forgotten(&site);
    assert_eq!(site.figures(), figures, "buckets are not metered from a ledger that is in doubt");
}

/// A close waits for audits that are missing or older than a bucket, and for no others.
fn closable(site: &Site) {
    assert_eq!(site.not_green(), []);
    site.execute("DELETE FROM audit WHERE array = 'array-3' SETTINGS lightweight_deletes_sync = 2");
    let missing = site.not_green();
    assert!(!missing.is_empty() && missing.iter().all(|(array, why)| array == "array-3" && *why == Why::Unaudited));
    let ahead = site.ahead();
    assert_eq!((ahead.audited, ahead.red, ahead.moving, ahead.left), (missing.len(), 0, 0, 0));
    assert_eq!(site.not_green(), []);
    assert_eq!(site.ahead(), Ahead::default(), "nothing is done twice");
    site.parts.produce("usage", [event(2, 100_001, START_S + 7 * 300 + 1)].into_iter());
    site.parts.ok(&["run", "--until-caught-up"]);
    let stale = site.not_green();
    assert!(
        !stale.is_empty() && stale.iter().all(|(array, why)| array == "array-2" && *why == Why::Stale),
        "{stale:?}"
    );
    assert!(site.ahead().audited >= stale.len());
    assert_eq!(site.not_green(), []);
}

/// One row of every table is deleted.
fn deleted(site: &Site) {
    let accepted = site.number("SELECT min(offset) + 5 FROM usage_event FINAL WHERE partition = 0 AND disposition = 'accepted' AND offset > 30");
    let aside =
        site.number("SELECT min(offset) FROM quarantine FINAL WHERE partition = 0 AND disposition = 'quarantined'");
    let late = site.number("SELECT min(offset) FROM quarantine FINAL WHERE partition = 1 AND disposition = 'late'");
    // the middle one of the chain, and the newest
    let middle = site.number("SELECT arraySort(groupArray(next_offset))[2] FROM checkpoint FINAL WHERE partition = 0 AND from_offset < next_offset");
    let newest = site.number("SELECT max(next_offset) FROM checkpoint FINAL WHERE partition = 1");
    let bucket = "array = 'array-1' AND meter = 'used' AND hour = toDateTime('2026-10-01 05:00:00', 'UTC')";
    let last = site.number("SELECT max(offset) FROM decision");
    for (table, condition) in [
        ("usage_event", format!("partition = 0 AND offset = {accepted}")),
        ("quarantine", format!("partition = 0 AND offset = {aside}")),
        ("quarantine", format!("partition = 1 AND offset = {late}")),
        ("checkpoint", format!("partition = 0 AND next_offset = {middle}")),
        ("checkpoint", format!("partition = 1 AND next_offset = {newest}")),
        ("usage_bucket", bucket.to_owned()),
        ("decision", format!("offset = {}", last - 1)),
    ] {
        site.execute(&format!("DELETE FROM {table} WHERE {condition} SETTINGS lightweight_deletes_sync = 2"));
    }
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    has(&found, "usage_event", "missing", &format!("0 {accepted}"));
    has(&found, "quarantine", "missing", &format!("0 {aside}"));
    has(&found, "quarantine", "missing", &format!("1 {late}"));
    has(&found, "usage_bucket", "missing", "array-1 used 2026-10-01T05:00:00Z");
    has(&found, "decision", "missing", &(last - 1).to_string());
    let gap = |partition: &str, next: u64| {
        let ends = |(table, fault, place): &&(String, String, String)| {
            table == "checkpoint"
                && fault == "missing"
                && place.starts_with(partition)
                && place.ends_with(&format!(" {next}"))
        };
        assert!(found.iter().any(|line| ends(&line)), "checkpoint {partition} {next} is not among {found:#?}");
    };
    gap("0", middle);
    gap("1", newest);
}

/// One row of every table is altered, so that it looks right by itself wherever that can be.
fn changed(site: &Site) {
    let value = site.number(
        "SELECT min(offset) FROM usage_event FINAL WHERE partition = 0 AND disposition = 'accepted' AND offset > 40",
    );
    let site_of = site.number(
        "SELECT min(offset) FROM usage_event FINAL WHERE partition = 1 AND disposition = 'accepted' AND offset > 50",
    );
    let moved = site.number(
        "SELECT min(offset) FROM usage_event FINAL WHERE partition = 1 AND disposition = 'accepted' AND offset > 70",
    );
    let aside =
        site.number("SELECT max(offset) FROM quarantine FINAL WHERE partition = 0 AND disposition = 'quarantined'");
    let next = site.number("SELECT arraySort(groupArray(next_offset))[1] FROM checkpoint FINAL WHERE partition = 0 AND from_offset < next_offset");
    let last = site.number("SELECT max(offset) FROM decision");
    altered(
        site,
        "usage_event",
        "arrayMap(value -> value + 1, reading_value) AS reading_value",
        &format!("partition = 0 AND offset = {value}"),
    );
    altered(site, "usage_event", "'elsewhere' AS site", &format!("partition = 1 AND offset = {site_of}"));
    altered(site, "usage_event", "append_time + 1 AS append_time", &format!("partition = 1 AND offset = {moved}"));
    altered(site, "quarantine", "'}' AS raw", &format!("partition = 0 AND offset = {aside}"));
    altered(
        site,
        "checkpoint",
        "digest + 1 AS digest, control + 100 AS control",
        &format!("partition = 0 AND next_offset = {next}"),
    );
    altered(site, "decision", "'someone' AS actor", &format!("offset = {last}"));
    let hour = |hour: u32| {
        format!("array = 'array-2' AND meter = 'written' AND hour = toDateTime('2026-10-01 {hour:02}:00:00', 'UTC')")
    };
    let amounts = "arrayMap(amount -> amount + 1, cell_amount) AS cell_amount";
    altered(site, "usage_bucket", amounts, &hour(3));
    altered(site, "usage_bucket", &format!("{amounts}, version + 1000000 AS version"), &hour(4));
    altered(
        site,
        "usage_bucket",
        &format!("{amounts}, version + 1000000 AS version, as_of + 1000000 AS as_of"),
        &hour(5),
    );
    altered(site, "usage_bucket", "'no-such-volume' AS resource", &hour(6));
    altered(site, "usage_bucket", "'no-such-array' AS array", &hour(7));
    altered(site, "usage_bucket", "partition + 1 AS partition", &hour(8));
    let by_sql = site.by_sql();
    assert!(by_sql.iter().any(|place| place.ends_with("array-2 volume v written 2026-10-01T03:00:00Z")), "{by_sql:?}");
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    has(&found, "usage_event", "differs", &format!("0 {value}"));
    has(&found, "usage_event", "differs", &format!("1 {site_of}"));
    has(&found, "usage_event", "surplus", &format!("1 {moved}"));
    has(&found, "quarantine", "differs", &format!("0 {aside}"));
    has(&found, "checkpoint", "differs", &format!("0 0 {next}"));
    has(&found, "decision", "differs", &last.to_string());
    for (hour, fault) in [(3, "differs"), (4, "differs"), (5, "differs"), (6, "surplus"), (8, "differs")] {
        has(&found, "usage_bucket", fault, &format!("array-2 written 2026-10-01T{hour:02}:00:00Z"));
    }
    has(&found, "usage_bucket", "surplus", "no-such-array written 2026-10-01T07:00:00Z");
    // the same, seen by less of it
    let (code, _) = site.audit(&["--provider", "p", "--from", "2026-10-02", "--to", "2026-10-03"]);
    assert_eq!(code, 2, "the ledger's rows count for any day");
}

/// Very much is destroyed, and repairs are killed until one comes through.
fn killed(site: &Site) {
    site.execute("DELETE FROM usage_bucket WHERE array != 'array-0' AND meter != '$observed' SETTINGS lightweight_deletes_sync = 2");
    site.execute("DELETE FROM usage_event WHERE offset % 3 = 1 SETTINGS lightweight_deletes_sync = 2");
    site.execute("DELETE FROM quarantine WHERE 1 SETTINGS lightweight_deletes_sync = 2");
    for round in 1..4 {
        let mut repair = site.parts.command(&["repair"]);
        let mut repair =
            repair.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500 * round));
        repair.kill().unwrap();
        repair.wait().unwrap();
    }
    site.repair();
}

/// The log is gone, and then a row of the ledger: nothing that is stored can mend that, and nobody guesses.
fn forgotten(site: &Site) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &site.parts.kafka).create().unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..2 {
        all.add_partition_offset("usage", partition, Offset::End).unwrap();
    }
    site.runtime.block_on(admin.delete_records(&all, &AdminOptions::new())).unwrap();
    let lost = site.number(
        "SELECT min(offset) FROM usage_event FINAL WHERE partition = 0 AND disposition = 'accepted' AND offset > 60",
    );
    site.execute(&format!(
        "DELETE FROM usage_event WHERE partition = 0 AND offset = {lost} SETTINGS lightweight_deletes_sync = 2"
    ));
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    has(&found, "usage_event", "missing", &format!("0 {lost}"));
    let output = site.parts.run(&["repair"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    let named = format!("cannot be mended from anything that is stored: I1  usage_event missing  usage-1/0/{lost}");
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains(&named), "{errors}");
}
