//! How many checkpoints of a partition are looked at to tell how it stands.

use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::read::pipeline::{CHECKPOINTS, NewestRow, newest};
use plimsoll::config::Config;

use crate::worker::Parts;

/// Checkpoints of a partition, each there twice as a repeated one is: the second, of a later control offset, counts. The oldest does not add up.
fn fill(parts: &Parts, partition: usize, count: usize) {
    let statement = format!(
        "INSERT INTO checkpoint (stream, generation, partition, from_offset, next_offset, control, log_time, consumed, accepted, duplicate, late, \
         quarantined) SELECT 'usage-1', 1, {partition}, number * 10, number * 10 + 10, c, toDateTime64(1800000000 + number, 3, 'UTC'), 10, \
         8 - c + (number = 0 AND c = 2), 1 + c, 1, 0 FROM numbers({count}) ARRAY JOIN [1, 2] AS c"
    );
    parts.execute(&statement).unwrap();
}

#[test]
fn the_newest_checkpoints_tell_what_all_of_them_would() {
    let parts = Parts::start();
    let sizes = [CHECKPOINTS - 1, CHECKPOINTS, CHECKPOINTS + 1, 3 * CHECKPOINTS];
    sizes.iter().enumerate().for_each(|(partition, count)| fill(&parts, partition, *count));
    let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let whole = "SELECT toString(c.stream) AS stream, c.partition AS partition, argMax(c.from_offset, c.next_offset) AS begin, \
                 max(c.next_offset) AS next, argMax(c.control, c.next_offset) AS control, \
                 toInt64(toUnixTimestamp64Milli(max(c.log_time))) AS log_time, argMax(c.consumed, c.next_offset) AS consumed, \
                 argMax(c.accepted, c.next_offset) AS accepted, argMax(c.duplicate, c.next_offset) AS duplicate, \
                 argMax(c.late, c.next_offset) AS late, argMax(c.quarantined, c.next_offset) AS quarantined, \
                 countIf(c.consumed != c.accepted + c.duplicate + c.late + c.quarantined) AS unequal \
                 FROM checkpoint AS c FINAL GROUP BY c.stream, c.partition ORDER BY partition";
    let whole: Vec<NewestRow> = runtime.block_on(client.fetch_all(client.select(whole))).unwrap();
    assert_eq!(whole.len(), sizes.len());
    for (mut all, count) in whole.into_iter().zip(sizes) {
        assert_eq!((all.unequal, all.accepted, all.next), (1, 6, count as u64 * 10));
        let found = runtime.block_on(newest(&client, "usage-1", all.partition)).unwrap().unwrap();
        // the oldest one is for audits where there are more than are looked at
        all.unequal = u64::from(count <= CHECKPOINTS);
        assert_eq!(format!("{found:?}"), format!("{all:?}"));
    }
    assert!(runtime.block_on(newest(&client, "usage-2", 0)).unwrap().is_none());
}
