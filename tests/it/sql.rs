//! Every query of docs/SQL.md is run on a pipeline's tables.

use std::collections::BTreeMap;

use plimsoll::clickhouse::Client;
use plimsoll::config::Config;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::worker::Parts;

const PAGE: &str = include_str!("../../docs/SQL.md");

fn queries() -> Vec<&'static str> {
    PAGE.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The rows that a query gives.
fn rows(runtime: &Runtime, client: &Client, query: &str) -> Vec<Value> {
    let answer = runtime.block_on(async {
        let mut rows = client.raw().query_raw(query).fetch_bytes("JSONEachRow").unwrap();
        rows.collect().await
    });
    let text = answer.unwrap_or_else(|error| panic!("{query}: {error}"));
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

const TIB: u64 = 1 << 40;
/// What each kind of resource holds of one customer of the price book on the array that is known: the array's bytes are those of its volumes and files.
const KNOWN: [(&str, u64); 6] =
    [("array", 6), ("volume", 3), ("pod", 3), ("realm", 3), ("file_system", 2), ("object_bucket", 1)];

/// A whole UTC day of one array, a reading each hour.
fn known(day: chrono::NaiveDate) -> impl Iterator<Item = (String, String)> {
    (0..24).map(move |hour| {
        let reading = |(kind, tib): &(&str, u64)| {
            let mut reading = json!({"kind": kind, "resource": format!("of-{kind}"), "meter": "effective_used", "value": tib * TIB});
            match *kind {
                "array" => reading["resource"] = json!("known"),
                // one of the two tags of a customer
                _ => reading["customer"] = json!("ACME"),
            }
            reading
        };
        let readings: Vec<Value> = KNOWN.iter().map(reading).collect();
        let data = json!({"provider": "northwind", "array": {"id": "known"}, "readings": readings});
        let event = json!({"specversion": "1.0", "id": format!("{hour}"), "source": "s", "type": "dev.plimsoll.usage.v1",
                           "time": format!("{day}T{hour:02}:00:00Z"), "data": data});
        ("known".to_owned(), event.to_string())
    })
}

/// Sums of the page are what was sent: no kind is added to one that holds it, and none is left out.
fn sums_are_right(runtime: &Runtime, client: &Client, day: chrono::NaiveDate) {
    let asking = |part: &str| queries().into_iter().find(|query| query.contains(part)).unwrap();
    let of = |query: &str, key: &str, value: &str| -> Vec<Value> {
        rows(runtime, client, query).into_iter().filter(|row| row[key] == value).collect()
    };
    let held: BTreeMap<String, Value> = of(asking("FROM usage_daily"), "customer", "acme")
        .into_iter()
        .map(|row| (row["day"].as_str().unwrap().to_owned(), row["tib"].clone()))
        .collect();
    assert_eq!(held.get(&day.to_string()).and_then(Value::as_f64), Some(6.0), "{held:?}");
    let most = of(asking("FROM usage_cell"), "array", "known");
    assert_eq!(most.iter().map(|row| row["most"].clone()).collect::<Vec<_>>(), [json!("6.00 TiB")], "{most:?}");
}

/// An event of an array with one volume: at this time, under this id.
fn single(array: &str, id: &str, time: chrono::DateTime<chrono::Utc>) -> (String, String) {
    let reading = json!({"kind": "volume", "resource": "of-volume", "meter": "effective_used", "value": 5});
    let data = json!({"provider": "northwind", "array": {"id": array}, "readings": [reading]});
    let time = time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let event = json!({"specversion": "1.0", "id": id, "source": "s", "type": "dev.plimsoll.usage.v1", "time": time, "data": data});
    (array.to_owned(), event.to_string())
}

/// Buckets reach ahead of now, and what is told of them does not: of an array that is read each hour all of the last day is observed, and no more.
fn nothing_is_ahead(runtime: &Runtime, client: &Client) {
    let told = |part: &str| rows(runtime, client, queries().into_iter().find(|query| query.contains(part)).unwrap());
    let now = chrono::Utc::now().naive_utc();
    let observed = told("AS observed\n");
    assert!(observed.iter().all(|row| row["observed"].as_f64().unwrap() <= 1.0), "{observed:?}");
    let steady = observed.iter().find(|row| row["array"] == "steady").map(|row| row["observed"].as_f64());
    assert_eq!(steady, Some(Some(1.0)), "{observed:?}");
    for row in told("FROM usage_cell") {
        let at = chrono::NaiveDateTime::parse_from_str(row["at"].as_str().unwrap(), "%Y-%m-%d %H:%M:%S").unwrap();
        assert!(at < now, "{row}");
    }
    for row in told("FROM usage_daily") {
        assert!(row["day"].as_str().unwrap() < &*chrono::Utc::now().date_naive().to_string(), "{row}");
    }
}

/// Whatever was put aside, a person is told why, also where the record by itself is without fault.
fn examples_are_told(runtime: &Runtime, client: &Client) {
    let query = queries().into_iter().find(|query| query.contains("for_example")).unwrap();
    let told: BTreeMap<String, String> = rows(runtime, client, query)
        .into_iter()
        .map(|row| (row["reason"].as_str().unwrap().to_owned(), row["for_example"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told.keys().collect::<Vec<_>>(), ["conflict", "future", "undecodable"], "{told:?}");
    assert_eq!(told["conflict"], "source s, id 0 was accepted before, with other content");
    assert!(told["future"].starts_with("measured at 2") && told["future"].contains(", appended at 2"), "{told:?}");
    assert!(!told["undecodable"].is_empty(), "{told:?}");
}

#[test]
fn each_query_of_the_page_is_answered() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "northwind", "--partitions", "2"]);
    parts.ok(&["catalog", "apply", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pricebook")]);
    parts.ok(&["load", "--stream", "usage", "--events", "400", "--readings", "4", "--arrays", "4"]);
    parts.produce("usage", [("a".to_owned(), "{".to_owned())].into_iter());
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(3)).date_naive();
    parts.produce("usage", known(day));
    // under an identity that was accepted, and an hour ahead of the log
    let ahead = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
    parts.produce("usage", [single("known", "0", midnight), single("known", "ahead", ahead)].into_iter());
    let hours = |back: i64| chrono::Utc::now() - chrono::TimeDelta::hours(back);
    parts.produce("usage", (0..27).map(|back| single("steady", &back.to_string(), hours(back))));
    parts.ok(&["run", "--until-caught-up"]);

    let config = Config::load(Some(&parts.config)).unwrap();
    let client = Client::new(&config.clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let queries = queries();
    assert!(queries.len() > 10);
    for query in queries {
        let is_empty = rows(&runtime, &client, query).is_empty();
        assert!(!is_empty || query.contains("-- may be empty"), "nothing is answered to {query}");
    }
    sums_are_right(&runtime, &client, day);
    nothing_is_ahead(&runtime, &client);
    examples_are_told(&runtime, &client);
    // and each name of the page's table is there
    let (_, table) = PAGE.split_once("| name |").unwrap();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        for name in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            let found = parts
                .number(&format!("SELECT count() FROM system.tables WHERE database = 'plimsoll' AND name = '{name}'"));
            assert_eq!(found, 1, "{name}");
        }
    }
}
