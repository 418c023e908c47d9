//! Arrays that the API keeps in memory: up to so many, and a page says the same with them and without.

use std::collections::BTreeSet;

use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::read::arrays::ArrayQuery;
use plimsoll::clickhouse::read::roll::{ARRAYS_MAX, SHAPES_MAX};
use plimsoll::config::Config;
use plimsoll::programme::health::page;
use plimsoll::programme::{Asked, Stand, keep, scorecards};
use plimsoll::statement::Rater;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::stage::{SAMPLE, shared_site};

/// 10 October 2026.
const START_S: i64 = 1_791_590_400;

fn event(provider: &str, array: &str, hour: i64) -> (String, String) {
    let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let reading = json!({"kind": "array", "resource": array, "meter": "effective_used", "value": 1_u64 << 40, "tier": "//Block - Premium"});
    let data = json!({"provider": provider, "array": {"id": array, "name": format!("{array} at {hour}")}, "readings": [reading]});
    let event = json!({"specversion": "1.0", "id": format!("{hour}"), "source": array, "type": "dev.plimsoll.usage.v1", "time": time.to_string(), "data": data});
    (array.to_owned(), event.to_string())
}

struct Read {
    runtime: Runtime,
    client: Client,
    rater: Rater,
}

impl Read {
    fn stand(&self) -> Stand {
        self.runtime.block_on(Stand::read(&self.client, None)).unwrap().unwrap()
    }

    /// All arrays of some providers, in pages of a size.
    fn arrays(&self, stand: &Stand, providers: Option<&[&str]>, limit: usize) -> Vec<Value> {
        let providers = providers.map(|own| own.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>());
        let mut query = ArrayQuery { providers, at: stand.at, after: None, limit };
        let mut all = Vec::new();
        loop {
            let (arrays, more) = self.runtime.block_on(page(&self.client, self.rater.book(), stand, &query)).unwrap();
            assert!(arrays.len() == limit || !more);
            query.after = arrays.last().map(|array| (array.provider.clone(), array.array.clone()));
            all.extend(arrays.iter().map(|array| serde_json::to_value(array).unwrap()));
            if !more {
                return all;
            }
        }
    }

    /// What scorecards say of arrays.
    fn cards(&self, stand: &Stand) -> Vec<Value> {
        let providers = vec!["fjordcloud".to_owned(), "northwind".to_owned()];
        let asked = Asked { providers, seller: None, at: stand.at, is_past: false };
        let cards = scorecards(&self.client, self.rater.book(), &asked, true, Some(stand));
        let cards = self.runtime.block_on(cards).unwrap();
        cards.iter().map(|card| serde_json::to_value(card).unwrap()).collect()
    }
}

#[test]
fn a_page_of_the_roll_is_what_the_engine_says_up_to_its_limits() {
    let parts = shared_site(2);
    parts.ok(&["catalog", "apply", SAMPLE]);
    let of = |rows: &[(&str, &str, i64)]| {
        let events: Vec<_> = rows.iter().map(|(provider, array, hour)| event(provider, array, *hour)).collect();
        parts.produce("usage", events.into_iter());
        parts.ok(&["run", "--until-caught-up"]);
    };
    let (north, fjord) = ("northwind", "fjordcloud");
    let first = ["a1", "a2", "a3", "a4", "a5"].map(|array| (north, array, 0));
    of(&[&first[..], &[(fjord, "b1", 0), (fjord, "b2", 0), (fjord, "a5", 1)]].concat());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
    assert!(runtime.block_on(keep::put_together_before(&client, None)).unwrap() > 0);
    // above the marks: newer readings, new arrays at both ends and in between, an array that two name for the first time, one that moves
    of(&[
        (north, "a1", 2),
        (north, "a0", 2),
        (north, "a25", 2),
        (north, "zz", 2),
        (fjord, "zz", 40),
        (fjord, "0", 2),
        (fjord, "a2", 30),
    ]);

    let read = Read { rater: runtime.block_on(Rater::newest(&client)).unwrap(), client, runtime };
    let stand = read.stand();
    assert!(stand.has_roll());
    let engine = stand.clone().without_roll();
    for providers in [None, Some(&[north][..]), Some(&[fjord]), Some(&[north, fjord]), Some(&[])] {
        let told = read.arrays(&engine, providers, 100);
        for limit in [1, 2, 3, 5, 8, 100] {
            assert_eq!(read.arrays(&stand, providers, limit), told, "{providers:?}, {limit} on a page");
        }
    }
    let all = read.arrays(&stand, None, 100);
    let of = |provider: &str, array: &str, key: &str| {
        all.iter().find(|row| row["provider"] == provider && row["array"] == array).unwrap()[key].clone()
    };
    assert_eq!((all.len(), of(north, "a1", "name")), (14, json!("a1 at 2")));
    assert_eq!((of(north, "zz", "state"), of(north, "zz", "other_provider")), (json!("moved"), json!(fjord)));
    assert_eq!(of(north, "a2", "state"), "moved");
    assert_eq!(read.cards(&stand), read.cards(&engine));

    // its limits
    let seen = parts.number("SELECT uniqExact(provider, array) FROM stream_array");
    let insert = |table: &str, values: &str, from: u64, to: usize| {
        let sql = format!(
            "INSERT INTO {table} SELECT 'usage-1', 0, 'northwind', {values} FROM numbers({from}, {to} - {from})"
        );
        parts.execute(&sql).unwrap();
    };
    let time = "toDateTime64(1791590400, 3, 'UTC')";
    let array = format!("concat('x', toString(number)), {time}, {time}, ({time}, 'x', '')");
    insert("stream_array", &array, seen, ARRAYS_MAX - 1);
    assert!(read.stand().has_roll());
    insert("stream_array", &array, ARRAYS_MAX as u64 - 1, ARRAYS_MAX);
    assert!(read.stand().has_roll());
    insert("stream_array", &array, ARRAYS_MAX as u64, ARRAYS_MAX + 1);
    let too_many = read.stand();
    assert!(!too_many.has_roll());
    assert_eq!(read.arrays(&too_many, Some(&[fjord]), 100), read.arrays(&engine, Some(&[fjord]), 100));
    parts.execute("ALTER TABLE stream_array DELETE WHERE startsWith(array, 'x') SETTINGS mutations_sync = 2").unwrap();
    assert!(read.stand().has_roll());
    let shapes = parts.number("SELECT count() FROM (SELECT DISTINCT * EXCEPT newest FROM stream_shape)");
    let shape = format!("'a1', 'volume', concat('m', toString(number)), '', '', 0, {time}");
    insert("stream_shape", &shape, shapes, SHAPES_MAX);
    assert!(read.stand().has_roll());
    insert("stream_shape", &shape, SHAPES_MAX as u64, SHAPES_MAX + 1);
    assert!(!read.stand().has_roll());
}

/// What is known is not read again until more is put together.
#[test]
fn the_roll_is_read_again_when_more_is_put_together() {
    let parts = shared_site(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
    let mut known: Option<Stand> = None;
    for hour in 0..2 {
        parts.produce("usage", std::iter::once(event("northwind", &format!("a{hour}"), hour)));
        parts.ok(&["run", "--until-caught-up"]);
        runtime.block_on(async {
            let before = Stand::read_again(&client, known.take()).await.unwrap().unwrap();
            assert!(before.has_roll() == (hour > 0));
            assert_eq!(keep::put_together_before(&client, None).await.unwrap(), 1);
            let after = Stand::read_again(&client, Some(before.clone())).await.unwrap().unwrap();
            assert!(after.has_roll() && !after.shares_roll(&before));
            let again = Stand::read_again(&client, Some(after.clone())).await.unwrap().unwrap();
            assert!(again.shares_roll(&after));
            known = Some(again);
        });
    }
}
