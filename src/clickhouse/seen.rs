//! The tables `array_seen`, `array_shape` and `array_mark`: where arrays were heard of and what their readings look like, put together of
//! the ledger so that nobody has to read it for that.
//!
//! What is put together is least and greatest only, and is written before the mark that says so: a crash in between, a second process and a
//! replay change nothing. A reader takes what lies at or above the marks from the ledger itself ([`Marks::above`]).

use std::fmt::Write as _;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::{Deserialize, Serialize};

use super::read::void::register;
use super::void::{Void, counted};
use super::{Client, Error};
use crate::core::word::{Instant, Offset, Partition};

/// How far a partition is put together.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct MarkRow {
    /// The stream.
    pub stream: String,
    /// Its partition.
    pub partition: u32,
    /// Below this offset.
    pub next_offset: u64,
    /// The greatest log time below it, in milliseconds since 1970.
    pub log_time: i64,
}

/// How far all partitions are put together, and what counts at all.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// What is void.
    pub void: Void,
    /// The partitions that are not put together to their end, each once; those of which nothing is with 0.
    pub open: Vec<MarkRow>,
    /// Whether anything is put together.
    pub is_kept: bool,
    /// The greatest log time below the marks, in milliseconds since 1970.
    log_time: i64,
}

impl Marks {
    /// The marks of all partitions of all streams that were ever opened.
    ///
    /// # Errors
    /// The server's, and a decision of a newer version.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        let sql = "SELECT toString(m.stream) AS stream, m.partition AS partition, max(m.next_offset) AS next_offset, \
                   toUnixTimestamp64Milli(max(m.log_time)) AS log_time FROM array_mark AS m GROUP BY stream, partition";
        let (register, marks) =
            futures_util::future::try_join(register(client), client.fetch_all::<MarkRow>(client.select(sql))).await?;
        let mut open = Vec::new();
        for generation in register.all() {
            for partition in 0..generation.rules.partitions {
                let stream = &generation.rules.stream.0;
                let mark = marks.iter().find(|mark| mark.stream == *stream && mark.partition == partition);
                let none = MarkRow { stream: stream.clone(), partition, next_offset: 0, log_time: 0 };
                let mark = mark.cloned().unwrap_or(none);
                let end = generation.end(Partition(partition));
                if end.is_none_or(|end| Offset(mark.next_offset) < end) {
                    open.push(mark);
                }
            }
        }
        let log_time = marks.iter().map(|mark| mark.log_time).max().unwrap_or_default();
        let void = Void::of(register.all().map(|generation| &**generation));
        Ok(Self { void, open, is_kept: !marks.is_empty(), log_time })
    }

    /// The condition that an offset is not below its partition's mark. It names each partition, so that the sorting key of a table by
    /// position is of use; `table` is the table's name in the statement, `offset` the column.
    #[must_use]
    pub fn above(&self, table: &str, offset: &str) -> String {
        let mut text = "(0".to_owned();
        for (place, MarkRow { partition, next_offset, .. }) in self.open.iter().enumerate() {
            // writing to a text does not fail
            let _ = write!(
                text,
                " OR ({table}.stream = {{open:Array(String)}}[{}] AND {table}.partition = {partition} AND {table}.{offset} >= {next_offset})",
                place + 1
            );
        }
        text + ")"
    }

    /// Gives a statement with [`Marks::above`] and what is void its parameters.
    pub fn bind(&self, query: Query) -> Query {
        let open: Vec<&str> = self.open.iter().map(|mark| mark.stream.as_str()).collect();
        self.void.bind(query).param("open", open)
    }

    /// The greatest log time under any checkpoint; none before the first.
    ///
    /// # Errors
    /// The server's.
    pub async fn log_time(&self, client: &Client) -> Result<Option<Instant>, Error> {
        let sql = format!(
            "SELECT toUnixTimestamp64Milli(max(c.log_time)) AS newest FROM checkpoint AS c WHERE {}",
            self.above("c", "next_offset")
        );
        let open: Vec<&str> = self.open.iter().map(|mark| mark.stream.as_str()).collect();
        let newest: Option<i64> = client.fetch_optional(client.select(&sql).param("open", open)).await?;
        let newest = newest.unwrap_or_default().max(self.log_time);
        Ok((newest > 0).then_some(Instant(newest)))
    }

    /// How far each of the partitions could be put together: to its newest checkpoint that lies before an instant of the log.
    ///
    /// # Errors
    /// The server's.
    pub async fn due(&self, client: &Client, before: Instant) -> Result<Vec<MarkRow>, Error> {
        let sql = format!(
            "SELECT toString(c.stream) AS stream, c.partition AS partition, max(c.next_offset) AS next_offset, \
             toUnixTimestamp64Milli(max(c.log_time)) AS log_time FROM checkpoint AS c \
             WHERE {} AND c.log_time <= fromUnixTimestamp64Milli({{before:Int64}}, 'UTC') GROUP BY stream, partition \
             ORDER BY stream, partition",
            self.above("c", "next_offset")
        );
        let open: Vec<&str> = self.open.iter().map(|mark| mark.stream.as_str()).collect();
        client.fetch_all(client.select(&sql).param("open", open).param("before", before.0.max(0))).await
    }
}

const SEEN: &str = "INSERT INTO array_seen SELECT e.provider, e.array, min(assumeNotNull(e.time)), max(assumeNotNull(e.time)), \
     max((assumeNotNull(e.time), toString(e.array_name), toString(e.site))) FROM usage_event AS e WHERE";
const SHAPE: &str = "INSERT INTO array_shape SELECT e.provider, e.array, r_kind, r_meter, r_tier, e.site, \
     toUInt8(notEmpty(r_customer)) AS r_tagged, max(assumeNotNull(e.time)) FROM usage_event AS e \
     ARRAY JOIN e.reading_kind AS r_kind, e.reading_meter AS r_meter, e.reading_tier AS r_tier, e.reading_customer AS r_customer WHERE";

/// Puts a partition together from an offset on, up to a mark, and then writes the mark.
///
/// # Errors
/// The server's.
pub async fn put_together(client: &Client, void: &Void, from: u64, to: &MarkRow) -> Result<(), Error> {
    let forms = [
        (SEEN, "GROUP BY e.provider, e.array"),
        (SHAPE, "GROUP BY e.provider, e.array, r_kind, r_meter, r_tier, e.site, r_tagged"),
    ];
    for (insert, group) in forms {
        let sql = format!(
            "{insert} e.stream = {{stream:String}} AND e.partition = {{partition:UInt32}} AND e.offset >= {{from:UInt64}} \
             AND e.offset < {{to:UInt64}} AND e.disposition = 'accepted' AND {} {group}",
            counted("e.")
        );
        let query = void.bind(client.raw().query_raw(&sql));
        let query = query.param("stream", &to.stream).param("partition", to.partition);
        let query = query.param("from", from).param("to", to.next_offset);
        let query = query.with_setting("max_threads", client.settings().query_max_threads.to_string());
        let query = query.with_setting("max_memory_usage", client.settings().query_max_memory_bytes.to_string());
        client.in_time(client.settings().insert_timeout, query.execute()).await?;
    }
    client.insert_rows("array_mark", std::slice::from_ref(to)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_is_named_with_its_mark() {
        let mark = |partition, next_offset| MarkRow { stream: "u-1".to_owned(), partition, next_offset, log_time: 0 };
        let marks = Marks { open: vec![mark(0, 7), mark(1, 0)], ..Marks::default() };
        let first = "(e.stream = {open:Array(String)}[1] AND e.partition = 0 AND e.offset >= 7)";
        let second = "(e.stream = {open:Array(String)}[2] AND e.partition = 1 AND e.offset >= 0)";
        assert_eq!(marks.above("e", "offset"), format!("(0 OR {first} OR {second})"));
        assert_eq!(Marks::default().above("e", "offset"), "(0)", "nothing is left to read");
    }
}
