//! What is due to be put together: up to checkpoints, and never past the end of a closed generation.

use clickhouse::Row;
use serde::Deserialize;

use super::mark::{MarkRow, Marks};
use super::{Client, Error};
use crate::core::word::Instant;

/// Offsets of a partition that are put together in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From this offset on.
    pub from: u64,
    /// The mark that is written afterwards.
    pub to: MarkRow,
}

/// The newest checkpoint of a partition.
#[derive(Debug, Row, Deserialize)]
struct DueRow {
    stream: String,
    partition: u32,
    next_offset: u64,
    log_time: i64,
}

impl Marks {
    /// What could be put together of each partition: up to its newest checkpoint, or to the newest that lies before an instant of the log.
    ///
    /// # Errors
    /// The server's.
    pub async fn due(&self, client: &Client, before: Option<Instant>) -> Result<Vec<Part>, Error> {
        let lies_before = match before {
            Some(_) => "c.log_time <= fromUnixTimestamp64Milli({before:Int64}, 'UTC')",
            None => "1",
        };
        let sql = format!(
            "SELECT toString(c.stream) AS stream, c.partition AS partition, max(c.next_offset) AS next_offset, \
             toUnixTimestamp64Milli(max(c.log_time)) AS log_time FROM checkpoint AS c \
             WHERE {} AND c.control <= {{control:UInt64}} AND {lies_before} GROUP BY stream, partition ORDER BY stream, partition",
            self.above("c", "next_offset")
        );
        let mut select = client.select(&sql).param("open", self.streams()).param("control", self.control);
        if let Some(before) = before {
            select = select.param("before", before.0.max(0));
        }
        let rows: Vec<DueRow> = client.fetch_all(select).await?;
        Ok(rows.into_iter().filter_map(|row| self.part(row)).collect())
    }

    /// From a partition's mark up to its newest checkpoint, and never past the end of its generation.
    fn part(&self, due: DueRow) -> Option<Part> {
        let mark = self.open.iter().find(|mark| mark.stream == due.stream && mark.partition == due.partition)?;
        let next_offset = match mark.end_offset {
            0 => due.next_offset,
            end => due.next_offset.min(end),
        };
        let to = MarkRow { next_offset, reached: next_offset, log_time: due.log_time, ..mark.clone() };
        (mark.next_offset < next_offset).then_some(Part { from: mark.next_offset, to })
    }

    /// Writes down how far these parts will get, before anything of them is put together; and of generations that are put together once more all
    /// partitions at once, so that nobody takes some of them for all.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin(&self, client: &Client, parts: impl Iterator<Item = &Part>) -> Result<(), Error> {
        let begun = |part: &Part| MarkRow { next_offset: 0, log_time: 0, ..part.to.clone() };
        let rows: Vec<MarkRow> = self.unbegun.iter().cloned().chain(parts.map(begun)).collect();
        client.insert_rows("stream_mark", &rows).await
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::core::decision::Decision;
    use crate::core::decision::stream::{Closes, StreamRegister};
    use crate::core::ledger::rules::StreamRules;
    use crate::core::ledger::sample;
    use crate::core::word::{Offset, StreamId};

    fn rules(generation: u32) -> StreamRules {
        let own = format!("u-{generation}");
        StreamRules { stream: StreamId(own.clone()), topic: own, generation, partitions: 2, ..sample::rules("u") }
    }

    /// A stream of two partitions is opened.
    pub(in crate::clickhouse) fn opened() -> Decision {
        Decision::StreamOpened { rules: rules(1), closes: None, actor: "a".to_owned() }
    }

    /// It ends there.
    pub(in crate::clickhouse) fn closed(ends: &[u64]) -> Decision {
        let ends = ends.iter().map(|end| Offset(*end)).collect();
        let closes = Closes { stream: StreamId("u-1".to_owned()), ends, reason: "r".to_owned() };
        Decision::StreamOpened { rules: rules(2), closes: Some(closes), actor: "a".to_owned() }
    }

    pub(in crate::clickhouse) fn mark(partition: u32, closed: u8, next_offset: u64, reached: u64) -> MarkRow {
        let stream = "u-1".to_owned();
        MarkRow { stream, partition, closed, next_offset, reached, ..MarkRow::default() }
    }

    pub(in crate::clickhouse) fn of(decisions: &[Decision], rows: Vec<MarkRow>) -> Marks {
        Marks::of(&StreamRegister::of(decisions), rows)
    }

    #[test]
    fn what_is_due_ends_where_its_generation_does() {
        let due = |partition, next_offset| DueRow { stream: "u-1".to_owned(), partition, next_offset, log_time: 9 };
        let told = |marks: &Marks, partition, next| {
            let part = marks.part(due(partition, next))?;
            Some((part.from, part.to.next_offset, part.to.reached, part.to.end_offset, part.to.closed))
        };
        let open = of(&[opened()], vec![mark(0, 0, 10, 10)]);
        assert_eq!((told(&open, 0, 40), told(&open, 1, 40)), (Some((10, 40, 40, 0, 0)), Some((0, 40, 40, 0, 0))));
        assert_eq!((told(&open, 0, 10), told(&open, 2, 40)), (None, None), "nothing new, nobody's");

        let right = of(&[opened(), closed(&[30, 25])], vec![mark(0, 0, 10, 10)]);
        assert_eq!(told(&right, 0, 40), Some((10, 30, 30, 30, 0)), "a checkpoint of who has not heard of it");
        assert_eq!((told(&right, 0, 29), told(&right, 1, 25)), (Some((10, 29, 29, 30, 0)), Some((0, 25, 25, 25, 0))));

        let again = of(&[opened(), closed(&[30, 25])], vec![mark(0, 0, 40, 40), mark(0, 1, 5, 5)]);
        assert_eq!((told(&again, 0, 40), told(&again, 1, 40)), (Some((5, 30, 30, 30, 1)), Some((0, 25, 25, 25, 1))));
        let whole = of(&[opened(), closed(&[30, 25])], vec![mark(0, 0, 40, 40), mark(0, 1, 30, 30)]);
        assert_eq!(told(&whole, 0, 40), None, "it is not found past its end for ever");
    }
}
