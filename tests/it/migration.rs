//! Tables of before a migration, with what they hold.

use plimsoll::clickhouse::migrate::{self, MIGRATIONS};
use plimsoll::clickhouse::{Client, check};
use plimsoll::config::Config;
use serde_json::json;

use crate::guards::{BILL, BOOK, Broker, CAUGHT_UP, open, polls, rules};
use crate::worker::Parts;

/// Takes migration 12 back: what migration 11 left, and nothing of what it made.
async fn take_back(client: &Client) {
    for table in ["stream_array", "stream_shape", "stream_mark", "void_span"] {
        client.execute(&format!("DROP TABLE {table}")).await.unwrap();
    }
    for view in ["array_health", "usage_reading"] {
        client.execute(&format!("DROP VIEW {view}")).await.unwrap();
    }
    for migration in MIGRATIONS.iter().filter(|migration| [1, 10].contains(&migration.number)) {
        for statement in migration.statements(client) {
            client.execute(&statement).await.unwrap();
        }
    }
    let forget = "ALTER TABLE schema_migration DELETE WHERE number = 12 SETTINGS mutations_sync = 2";
    client.execute(forget).await.unwrap();
}

#[test]
fn arrays_are_put_together_by_stream_from_then_on_and_what_is_void_is_left_out() {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    open(&parts, "usage", "p", "1");
    parts.publish_book(BOOK);
    parts.produce("usage", polls("p", 0..3, 0..4).into_iter());
    parts.ok(&CAUGHT_UP);
    parts.produce("usage", polls("p", 0..5, 4..6).into_iter());
    parts.ok(&CAUGHT_UP);
    broker.create("usage-2", 1);
    broker.decide(&json!({
        "kind": "StreamOpened", "rules": rules("usage-2", "usage-2", (2, 1), "p", 1),
        "closes": {"stream": "usage-1", "ends": [12], "reason": "test"}, "actor": "test"
    }));
    parts.ok(&CAUGHT_UP);

    let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let arrays = |table: &str| parts.number(&format!("SELECT uniqExact(array) FROM {table} WHERE provider = 'p'"));
    runtime.block_on(async {
        take_back(&client).await;
        let now = "now64(3, 'UTC')";
        let seen = format!("INSERT INTO array_seen VALUES ('p', 'array-4', {now}, {now}, ({now}, '', ''))");
        client.execute(&seen).await.unwrap();
        client.execute(&format!("INSERT INTO array_mark VALUES ('usage-1', 0, 22, {now})")).await.unwrap();
        check::tables(&client).await.unwrap_err();
    });
    assert_eq!((arrays("array_health"), arrays("usage_reading")), (1, 5), "as it was");
    runtime.block_on(async {
        let applied: Vec<u32> = migrate::apply(&client).await.unwrap().iter().map(|one| one.number).collect();
        assert_eq!(applied, [12]);
        assert!(migrate::apply(&client).await.unwrap().is_empty());
        check::tables(&client).await.unwrap();
    });
    let old = "SELECT count() FROM system.tables WHERE database = 'plimsoll' AND name IN ('array_seen', 'array_shape', 'array_mark')";
    assert_eq!((arrays("array_health"), parts.number(old)), (0, 0), "put together anew");
    parts.ok(&BILL);
    let right = || [arrays("array_health"), arrays("usage_reading"), arrays("stream_array")];
    assert_eq!(right(), [3; 3], "decisions that were mirrored long ago count too, and nothing void was put together");

    // what a second `plimsoll migrate` at the same time runs once more takes nothing away
    runtime.block_on(async {
        for statement in MIGRATIONS.iter().filter(|one| one.number == 12).flat_map(|one| one.statements(&client)) {
            client.execute(&statement).await.unwrap();
        }
    });
    assert_eq!(right(), [3; 3]);
}
