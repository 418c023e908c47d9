//! The table `stream_mark`: how far arrays are put together of each partition ([`super::seen`]), and what of that counts.
//!
//! Workers that have not heard of the end of their generation go on past it, and what was put together of that cannot be taken back: least and
//! greatest only grow. So it is written down how far a part may get before it is put together ([`super::due`]). Where that ever was past the
//! end of a generation, the generation is put together once more, under `closed` 1 and up to its end: who writes there knows the end, so
//! nothing void gets in, and what anybody still writes under 0 counts no more. A recorded hole needs none of this: it lies above what
//! checkpoints cover, and a checkpoint is due only once all decisions are known that it reflects.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::{Deserialize, Serialize};

use super::read::void::register;
use super::void::Void;
use super::{Client, Error};
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::word::{Instant, Partition};

/// A row of it. Of all rows of a key the greatest of each column counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct MarkRow {
    /// The stream.
    pub stream: String,
    /// Its partition.
    pub partition: u32,
    /// 1 if the generation is put together once more, up to its end.
    pub closed: u8,
    /// Below this offset everything is put together.
    pub next_offset: u64,
    /// Nothing is, at or above this one.
    pub reached: u64,
    /// The end of its closed generation; 0 while nobody knows one.
    pub end_offset: u64,
    /// The log time of the checkpoint up to which it is put together, in milliseconds since 1970; 0 if it is one of none.
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
    /// The streams of which what was put together once more counts.
    pub again: Vec<String>,
    /// Their partitions that have no mark of that yet.
    pub(super) unbegun: Vec<MarkRow>,
    /// The greatest log time below the marks, in milliseconds since 1970.
    log_time: i64,
    /// Decisions below this offset are known.
    pub(super) control: u64,
}

#[derive(Row, Deserialize)]
struct KnownRow {
    next: u64,
}

impl Marks {
    /// The marks for whoever puts more together: it is known up to which decision they are.
    ///
    /// # Errors
    /// The server's, and a decision of a newer version.
    pub async fn read_to_go_on(client: &Client) -> Result<Self, Error> {
        // before the decisions are read: all below it are among them
        let known = client.select("SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM decision");
        let control = client.fetch_optional::<KnownRow>(known).await?.map_or(0, |row| row.next);
        Ok(Self { control, ..Self::read(client).await? })
    }

    /// The marks of all partitions of all streams that were ever opened.
    ///
    /// # Errors
    /// The server's, and a decision of a newer version.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        let sql = "SELECT toString(m.stream) AS stream, m.partition AS partition, m.closed AS closed, max(m.next_offset) AS next_offset, \
                   max(m.reached) AS reached, max(m.end_offset) AS end_offset, toUnixTimestamp64Milli(max(m.log_time)) AS log_time \
                   FROM stream_mark AS m GROUP BY stream, partition, closed";
        let (register, rows) =
            futures_util::future::try_join(register(client), client.fetch_all::<MarkRow>(client.select(sql))).await?;
        Ok(Self::of(&register, rows))
    }

    /// What these rows say of the streams that are known.
    pub(super) fn of(register: &StreamRegister, rows: Vec<MarkRow>) -> Self {
        let key = |row: MarkRow| ((row.stream.clone(), row.partition, row.closed), row);
        let rows = rows.into_iter().map(key).collect();
        let void = Void::of(register.all().map(|generation| &**generation));
        let mut marks = Self { void, ..Self::default() };
        register.all().for_each(|generation| marks.take(generation, &rows));
        marks
    }

    fn take(&mut self, generation: &Generation, rows: &BTreeMap<(String, u32, u8), MarkRow>) {
        let stream = &generation.rules.stream.0;
        let found = |partition, closed| rows.get(&(stream.clone(), partition, closed));
        let end = |partition| generation.end(Partition(partition));
        let is_past =
            |partition: u32| end(partition).zip(found(partition, 0)).is_some_and(|(end, mark)| mark.reached > end.0);
        let is_again = (0..generation.rules.partitions).any(is_past);
        if is_again {
            self.again.push(stream.clone());
        }
        for partition in 0..generation.rules.partitions {
            let closed = u8::from(is_again);
            let end_offset = end(partition).map_or(0, |end| end.0);
            let none = MarkRow { stream: stream.clone(), partition, closed, ..MarkRow::default() };
            let kept = found(partition, closed);
            let mark = MarkRow { end_offset, ..kept.cloned().unwrap_or(none) };
            if is_again && kept.is_none() {
                self.unbegun.push(mark.clone());
            }
            self.is_kept |= mark.next_offset > 0;
            self.log_time = self.log_time.max(mark.log_time);
            if end(partition).is_none_or(|end| mark.next_offset < end.0) {
                self.open.push(mark);
            }
        }
    }

    /// Whether what is put together below these is what is below others.
    #[must_use]
    pub fn are(&self, others: &Self) -> bool {
        (self.is_kept, &self.again, &self.open) == (others.is_kept, &others.again, &others.open)
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

    /// Gives a statement with [`Marks::above`] or [`super::seen::counts`] and what is void its parameters.
    pub fn bind(&self, query: Query) -> Query {
        self.void.bind(query).param("open", self.streams()).param("again", &self.again)
    }

    pub(super) fn streams(&self) -> Vec<&str> {
        self.open.iter().map(|mark| mark.stream.as_str()).collect()
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
        let newest: Option<i64> = client.fetch_optional(client.select(&sql).param("open", self.streams())).await?;
        let newest = newest.unwrap_or_default().max(self.log_time);
        Ok((newest > 0).then_some(Instant(newest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::due::tests::{closed, mark, of, opened};

    #[test]
    fn each_partition_is_named_with_its_mark() {
        let marks = Marks { open: vec![mark(0, 0, 7, 7), mark(1, 0, 0, 0)], ..Marks::default() };
        let first = "(e.stream = {open:Array(String)}[1] AND e.partition = 0 AND e.offset >= 7)";
        let second = "(e.stream = {open:Array(String)}[2] AND e.partition = 1 AND e.offset >= 0)";
        assert_eq!(marks.above("e", "offset"), format!("(0 OR {first} OR {second})"));
        assert_eq!(Marks::default().above("e", "offset"), "(0)", "nothing is left to read");
    }

    #[test]
    fn what_was_put_together_past_an_end_is_put_together_once_more() {
        let rows = || vec![mark(0, 0, 30, 30), mark(1, 0, 20, 20)];
        let open = of(&[opened()], rows());
        assert_eq!((open.again.len(), open.open.len(), open.is_kept), (0, 2, true), "an open generation has no end");

        let right = of(&[opened(), closed(&[30, 25])], rows());
        assert!(right.again.is_empty() && right.unbegun.is_empty());
        let left: Vec<_> = right.open.iter().map(|mark| (mark.partition, mark.closed, mark.end_offset)).collect();
        assert_eq!(left[0], (1, 0, 25), "the first is whole, and what is there goes on");

        // begun and not ended: rows past the end may be there without a mark
        let mut begun = rows();
        begun[1].reached = 26;
        let again = of(&[opened(), closed(&[30, 25])], begun.clone());
        assert_eq!(again.again, ["u-1"]);
        let of_it = |marks: &Marks| -> Vec<(u32, u8, u64)> {
            let own = marks.open.iter().filter(|mark| mark.stream == "u-1");
            own.map(|mark| (mark.partition, mark.closed, mark.next_offset)).collect()
        };
        assert_eq!(of_it(&again), [(0, 1, 0), (1, 1, 0)], "all of it, from the beginning");
        assert_eq!(again.unbegun.len(), 2);
        assert!(!again.is_kept && again.log_time == 0, "nothing that counts is there yet");

        begun.extend([mark(0, 1, 30, 30), mark(1, 1, 10, 10)]);
        let further = of(&[opened(), closed(&[30, 25])], begun);
        assert_eq!((of_it(&further), further.unbegun.len(), further.is_kept), (vec![(1, 1, 10)], 0, true));
    }

    #[test]
    fn a_generation_of_nothing_but_void_records_is_begun_once_more_too() {
        let rows = vec![mark(0, 0, 3, 3)];
        let again = of(&[opened(), closed(&[0, 0])], rows.clone());
        assert_eq!((again.unbegun.len(), again.again.len()), (2, 1), "else nobody would know that it is whole");
        let begun = rows.into_iter().chain([mark(0, 1, 0, 0), mark(1, 1, 0, 0)]).collect();
        let whole = of(&[opened(), closed(&[0, 0])], begun);
        assert_eq!((whole.unbegun.len(), whole.again.len()), (0, 1));
        assert!(whole.open.iter().all(|mark| mark.stream != "u-1"));
    }
}
