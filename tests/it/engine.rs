//! The engine's process, spoken to by the ordinary client.

use std::sync::OnceLock;
use std::time::Duration;

use clickhouse::{Client, Compression, Row, error::Error};
use plimsoll::dev::{Dev, Guard, Part};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Longest time that any test here may take.
const LIMIT: Duration = Duration::from_secs(120);

/// An engine of its own for a test, with its data, both of which go with it.
pub struct Engine {
    dev: Dev,
    client: Client,
    url: String,
    _guard: Guard,
    _directory: TempDir,
}

impl Engine {
    /// Starts one in a directory of its own, which takes half a second.
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let dev = Dev::new(directory.path()).with_program(env!("CARGO_BIN_EXE_plimsoll"));
        let guard = dev.guard();
        let status = dev.up(Some(Part::Engine)).unwrap();
        let url = status.engine.url.unwrap();
        let client = Client::default().with_url(&url);
        Self { dev, client, url, _guard: guard, _directory: directory }
    }

    async fn run(&self, sql: &str) {
        self.client.query(sql).execute().await.unwrap();
    }

    async fn number(&self, sql: &str) -> u64 {
        self.client.query(sql).fetch_one().await.unwrap()
    }
}

/// One runtime for all tests: the client keeps connections that belong to the runtime that opened them.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
    runtime.block_on(async { tokio::time::timeout(LIMIT, test).await.expect("the test takes too long") })
}

#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
struct Wide {
    id: u64,
    amount: i128,
    price: i128,
    at: i64,
    names: Vec<String>,
    maybe: Option<u32>,
    site: String,
}

fn wide(id: u64) -> Wide {
    let sign = if id.is_multiple_of(2) { 1 } else { -1 };
    Wide {
        id,
        amount: sign * (i128::from(id) << 80),
        price: sign * (i128::from(id) * 1_000_000_000 + 1),
        at: 1_790_000_000_123 + i64::try_from(id).unwrap(),
        names: (0..id % 4).map(|index| format!("name \\ '{index}\t")).collect(),
        maybe: (!id.is_multiple_of(3)).then_some(u32::try_from(id).unwrap()),
        site: ["HAM1", "BGO1", ""][usize::try_from(id % 3).unwrap()].to_owned(),
    }
}

const WIDE: &str = "CREATE TABLE wide (id UInt64, amount Int128, price Decimal(38, 9), at DateTime64(3, 'UTC'),
    names Array(String), maybe Nullable(UInt32), site LowCardinality(String)) ENGINE = MergeTree ORDER BY id";

#[test]
fn rows_come_back_as_they_went_in() {
    let engine = Engine::start();
    block_on(async {
        engine.run(WIDE).await;
        let rows: Vec<Wide> = (0..50_000).map(wide).collect();
        for (compression, half) in [(Compression::None, &rows[..25_000]), (Compression::Lz4, &rows[25_000..])] {
            let client = engine.client.clone().with_compression(compression);
            let mut insert = client.insert::<Wide>("wide").await.unwrap();
            for row in half {
                insert.write(row).await.unwrap();
            }
            insert.end().await.unwrap_or_else(|error| panic!("with {compression:?}: {error}"));
        }
        for compression in [Compression::None, Compression::Lz4] {
            let client = engine.client.clone().with_compression(compression);
            let read: Vec<Wide> = client.query("SELECT ?fields FROM wide ORDER BY id").fetch_all().await.unwrap();
            assert!(read == rows, "with {compression:?}");
        }
        let none: Vec<Wide> =
            engine.client.query("SELECT ?fields FROM wide WHERE id > 99999").fetch_all().await.unwrap();
        assert_eq!(none, []);
    });
}

/// A block of the Native format with one column.
fn native(name: &str, values: std::ops::Range<u64>) -> Vec<u8> {
    let mut block = vec![1];
    let mut rows = values.end - values.start;
    while rows >= 0x80 {
        block.push(u8::try_from(rows & 0x7f).unwrap() | 0x80);
        rows >>= 7;
    }
    block.push(u8::try_from(rows).unwrap());
    for text in [name, "UInt64"] {
        block.push(u8::try_from(text.len()).unwrap());
        block.extend(text.as_bytes());
    }
    block.extend(values.flat_map(u64::to_le_bytes));
    block
}

#[test]
fn a_large_body_of_native_blocks_is_taken() {
    const BLOCK: u64 = 1_000_000;
    let engine = Engine::start();
    block_on(async {
        engine.run("CREATE TABLE big (n UInt64) ENGINE = MergeTree ORDER BY n").await;
        for (compression, blocks) in [(Compression::None, 0..13), (Compression::Lz4, 13..14)] {
            let client = engine.client.clone().with_compression(compression);
            let mut insert = client.insert_formatted_with("INSERT INTO big (n) FORMAT Native");
            for block in blocks {
                insert.send(native("n", block * BLOCK..(block + 1) * BLOCK).into()).await.unwrap();
            }
            insert.end().await.unwrap_or_else(|error| panic!("with {compression:?}: {error}"));
        }
        assert_eq!(engine.number("SELECT count() FROM big").await, 14 * BLOCK);
        assert_eq!(engine.number("SELECT sum(n) FROM big").await, 14 * BLOCK * (14 * BLOCK - 1) / 2);
    });
}

#[test]
fn an_error_in_the_middle_is_not_the_end() {
    let engine = Engine::start();
    block_on(async {
        let mut cursor = engine
            .client
            .query("SELECT number + throwIf(number = 500000) AS n FROM numbers(1000000)")
            .with_setting("max_threads", "1")
            .with_setting("max_block_size", "1000")
            .fetch::<u64>()
            .unwrap();
        let mut rows = 0;
        let error = loop {
            match cursor.next().await {
                Ok(Some(_)) => rows += 1,
                Ok(None) => panic!("ended after {rows} rows without an error"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(rows > 0 && rows <= 500_000, "{rows} rows came first");
        assert!(error.contains("Code: 395"), "{error}");
    });
}

/// An empty chunk is how the engine says that a stream is over: blocks that a filter empties must not look like it.
#[test]
fn blocks_without_rows_do_not_end_a_stream() {
    let engine = Engine::start();
    block_on(async {
        engine.run("CREATE TABLE holes (n UInt64) ENGINE = MergeTree ORDER BY n").await;
        engine.run("INSERT INTO holes SELECT number FROM numbers(1000000)").await;
        for source in ["numbers(1000000)", "(SELECT n AS number FROM holes)"] {
            for threads in ["1", "4"] {
                let query = engine
                    .client
                    .query(&format!("SELECT number FROM {source} WHERE number < 10 OR number % 100000 = 99999"))
                    .with_setting("max_block_size", "100")
                    .with_setting("max_threads", threads);
                let mut rows: Vec<u64> = query.clone().fetch_all().await.unwrap();
                rows.sort_unstable();
                let expected: Vec<u64> = (0..10).chain((1..=10).map(|step| step * 100_000 - 1)).collect();
                assert_eq!(rows, expected, "from {source} with {threads} threads");
                let mut lines = String::new();
                let mut cursor = query.fetch_bytes("JSONEachRow").unwrap();
                while let Some(bytes) = cursor.next().await.unwrap() {
                    lines.push_str(std::str::from_utf8(&bytes).unwrap());
                }
                assert_eq!(lines.lines().count(), 20, "from {source} with {threads} threads");
            }
        }
    });
}

#[test]
fn errors_have_the_servers_codes() {
    let engine = Engine::start();
    block_on(async {
        let failure = |sql: &'static str| async { engine.client.query(sql).execute().await.unwrap_err().to_string() };
        assert!(failure("SELECT * FROM absent").await.contains("Code: 60. DB::Exception"));
        assert!(failure("SELEC 1").await.contains("Code: 62. DB::Exception"));
        assert!(failure("SELECT 1; SELECT 2").await.contains("Multi-statements"));
        // More than fits any buffer: the client must read why, not that its connection broke.
        let mut insert = engine.client.insert_formatted_with("INSERT INTO absent FORMAT Native");
        let sent = insert.send(native("n", 0..4_000_000).into()).await;
        let error = sent.and(insert.end().await).unwrap_err();
        assert!(matches!(&error, Error::BadResponse(text) if text.contains("Code: 60")), "{error}");
    });
}

#[test]
fn parameters_settings_and_database_reach_one_statement_only() {
    let engine = Engine::start();
    block_on(async {
        let text = "it's \\ a\ttab\nand ø {x:String} --";
        let back: String = engine.client.query("SELECT {text:String}").param("text", text).fetch_one().await.unwrap();
        assert_eq!(back, text);
        let sum: u64 = engine
            .client
            .query("SELECT arraySum({list:Array(UInt64)}) + {one:UInt64}")
            .param("list", vec![1_u64, 2, 3])
            .param("one", 1_u64)
            .fetch_one()
            .await
            .unwrap();
        assert_eq!(sum, 7);

        engine.run("CREATE DATABASE other").await;
        let probe = "SELECT concat(currentDatabase(), ' ', toString(getSetting('max_block_size')))";
        for _ in 0..20 {
            let client = engine.client.clone().with_database("other");
            let changed: String = client.query(probe).with_setting("max_block_size", "77").fetch_one().await.unwrap();
            assert_eq!(changed, "other 77");
            let plain: String = engine.client.query(probe).fetch_one().await.unwrap();
            assert_eq!(plain, "default 65409");
        }
        let error = engine.client.query("SELECT 1").with_setting("no_such_setting", "1").execute().await.unwrap_err();
        assert!(error.to_string().contains("Code: 115"), "{error}");
        let error = engine.client.clone().with_database("absent").query("SELECT 1").execute().await.unwrap_err();
        assert!(error.to_string().contains("Code: 81"), "{error}");
    });
}

#[test]
fn an_insert_that_is_not_ended_leaves_nothing() {
    let engine = Engine::start();
    block_on(async {
        engine.run("CREATE TABLE cut (n UInt64) ENGINE = MergeTree ORDER BY n").await;
        for _ in 0..5 {
            let mut insert = engine.client.insert_formatted_with("INSERT INTO cut FORMAT Native");
            insert.send(native("n", 0..1000).into()).await.unwrap();
            drop(insert);
        }
        // The engine's process learns of it when the connection breaks.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(engine.number("SELECT count() FROM cut").await, 0);
    });
}

#[test]
fn many_at_once_are_served() {
    const TASKS: u64 = 24;
    let engine = Engine::start();
    block_on(async {
        engine.run("CREATE TABLE many (n UInt64) ENGINE = MergeTree ORDER BY n").await;
        let tasks = (0..TASKS).map(|task| {
            let client = engine.client.clone();
            tokio::spawn(async move {
                for step in 0..10 {
                    let mut insert = client.insert_formatted_with("INSERT INTO many FORMAT Native");
                    let first = (task * 10 + step) * 100;
                    insert.send(native("n", first..first + 100).into()).await.unwrap();
                    insert.end().await.unwrap();
                    let seen: u64 = client.query("SELECT count() FROM many").fetch_one().await.unwrap();
                    assert!(seen >= 100);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(engine.number("SELECT uniqExact(n) FROM many").await, TASKS * 1000);
    });
}

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let engine = Engine::start();
    block_on(async {
        engine.run("CREATE TABLE safe (n UInt64) ENGINE = MergeTree ORDER BY n").await;
        let mut acknowledged = 0;
        for _ in 0..3 {
            for _ in 0..10 {
                let mut insert = engine.client.insert_formatted_with("INSERT INTO safe FORMAT Native");
                insert.send(native("n", acknowledged..acknowledged + 1000).into()).await.unwrap();
                insert.end().await.unwrap();
                acknowledged += 1000;
            }
            engine.dev.kill(Part::Engine).unwrap();
            assert!(engine.client.query("SELECT 1").execute().await.is_err(), "nobody must answer");
            let url = engine.dev.up(Some(Part::Engine)).unwrap().engine.url;
            assert_eq!(url.as_ref(), Some(&engine.url), "the port must stay");
            assert_eq!(engine.number("SELECT count() FROM safe").await, acknowledged);
        }
        engine.dev.down(Some(Part::Engine)).unwrap();
        engine.dev.up(Some(Part::Engine)).unwrap();
        assert_eq!(engine.number("SELECT uniqExact(n) FROM safe").await, acknowledged);
    });
}
