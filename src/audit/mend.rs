//! Writes that mend. The right row is inserted first and the wrong ones are deleted after it, named by a hash over all their columns: a kill in
//! between leaves the right row in force, and what is left over is found and deleted the next time.
//!
//! Of rows of one key and version ClickHouse keeps the one inserted last, so the right row is in force as soon as it is there, unless the
//! wrong one has a greater version: that one is deleted. A checkpoint whose wrong row has a greater `control` is the exception: the wrong row goes
//! first, since it would collapse over the right one. A kill in between leaves a checkpoint missing, which is mended by itself.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::read::ledger::{IN_OFFSETS, Offsets};
use crate::clickhouse::{Client, Error};

/// Hashes in one statement.
const HASHES: usize = 2_000;

/// A table whose rows stand under positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positioned {
    /// Its name.
    pub table: &'static str,
    /// Its columns apart from stream and partition.
    pub columns: &'static str,
}

#[derive(Row, Deserialize)]
struct HashRow {
    offset: u64,
    append_time: i64,
    hash: String,
}

impl Positioned {
    /// Deletes the rows at some offsets that are not in force under the right append time: `right` says which that is, none if no row may be
    /// there. The right rows have to be in the table already. Returns how many offsets were cleared of something.
    ///
    /// # Errors
    /// The server's.
    pub async fn keep_only(
        &self,
        client: &Client,
        offsets: &Offsets<'_>,
        suspects: &[u64],
        right: impl Fn(u64) -> Option<i64>,
    ) -> Result<(), Error> {
        let Self { table, columns } = self;
        let hash = format!("hex(sipHash128(tuple({columns})))");
        let rows = |is_final: &str| {
            let sql = format!(
                "SELECT offset, append_time, {hash} AS hash FROM {table}{is_final} WHERE {IN_OFFSETS} AND has({{suspects:Array(UInt64)}}, offset)"
            );
            offsets.select(client, &sql).param("suspects", suspects)
        };
        let in_force: Vec<HashRow> = client.fetch_all(rows(" FINAL")).await?;
        let kept: Vec<&str> = in_force
            .iter()
            .filter(|row| right(row.offset) == Some(row.append_time))
            .map(|row| row.hash.as_str())
            .collect();
        let all: Vec<HashRow> = client.fetch_all(rows("")).await?;
        let mut wrong: Vec<&str> =
            all.iter().map(|row| row.hash.as_str()).filter(|hash| !kept.contains(hash)).collect();
        wrong.sort_unstable();
        wrong.dedup();
        for hashes in wrong.chunks(HASHES) {
            let sql = format!(
                "DELETE FROM {table} WHERE {IN_OFFSETS} AND has({{suspects:Array(UInt64)}}, offset) AND has({{hashes:Array(String)}}, {hash})"
            );
            let query = client.raw().query_raw(&sql).param("stream", &offsets.stream.0);
            let query =
                query.param("partition", offsets.partition.0).param("from", offsets.from).param("to", offsets.to);
            delete(client, query.param("suspects", suspects).param("hashes", hashes)).await?;
        }
        Ok(())
    }
}

/// Runs a deletion and waits until no reader sees the rows any more, on all replicas.
///
/// # Errors
/// The server's.
pub async fn delete(client: &Client, query: clickhouse::query::Query) -> Result<(), Error> {
    let query = query.with_setting("lightweight_deletes_sync", "2").with_setting("mutations_sync", "2");
    client.in_time(client.settings().insert_timeout, query.execute()).await
}
