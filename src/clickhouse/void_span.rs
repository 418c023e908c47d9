//! The table `void_span`: what is void, for who reads usage by SQL. Decisions say it, of which not all count; so it is written down where
//! they are mirrored. A span is never taken back: the log settles for good what counts.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};
use crate::core::decision::stream::StreamRegister;

/// A row of it: positions of a partition, from one up to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Row, Serialize, Deserialize)]
pub struct VoidSpanRow {
    /// The stream.
    pub stream: String,
    /// Its partition.
    pub partition: u32,
    /// The first void offset.
    pub from_offset: u64,
    /// The first offset behind them; the greatest number past an end.
    pub to_offset: u64,
}

/// Writes what is void and not written yet.
///
/// # Errors
/// The server's.
pub async fn write(client: &Client, register: &StreamRegister) -> Result<(), Error> {
    let mut spans = spans(register);
    if spans.is_empty() {
        return Ok(());
    }
    let sql = "SELECT DISTINCT toString(v.stream) AS stream, v.partition AS partition, v.from_offset AS from_offset, \
               v.to_offset AS to_offset FROM void_span AS v";
    for there in client.fetch_all::<VoidSpanRow>(client.select(sql)).await? {
        spans.remove(&there);
    }
    client.insert_rows("void_span", &Vec::from_iter(spans)).await
}

/// All that is void: past the ends of closed generations, and in recorded holes.
fn spans(register: &StreamRegister) -> BTreeSet<VoidSpanRow> {
    let mut spans = BTreeSet::new();
    for generation in register.all() {
        let mut add = |partition, from_offset, to_offset| {
            let stream = generation.rules.stream.0.clone();
            spans.insert(VoidSpanRow { stream, partition, from_offset, to_offset });
        };
        for (partition, end) in (0..).zip(generation.ends.iter().flatten()) {
            add(partition, end.0, u64::MAX);
        }
        for hole in generation.holes.iter().filter(|hole| hole.from < hole.to) {
            add(hole.partition.0, hole.from.0, hole.to.0);
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::due::tests::{closed, opened};
    use crate::core::decision::Decision;
    use crate::core::word::{Offset, Partition, StreamId};

    #[test]
    fn what_is_past_an_end_or_in_a_hole_is_void() {
        let lost = |partition, from, to| Decision::OffsetsLost {
            stream: StreamId("u-1".to_owned()),
            partition: Partition(partition),
            from: Offset(from),
            to: Offset(to),
            reason: "r".to_owned(),
            actor: "a".to_owned(),
        };
        let of = |decisions: &[Decision]| -> Vec<(u32, u64, u64)> {
            let spans = spans(&StreamRegister::of(decisions));
            spans.into_iter().map(|span| (span.partition, span.from_offset, span.to_offset)).collect()
        };
        assert_eq!(of(&[opened()]), []);
        let log = [opened(), lost(1, 5, 8), lost(0, 9, 9), closed(&[30, 25]), lost(0, 1, 2), closed(&[3, 2])];
        assert_eq!(of(&log), [(0, 30, u64::MAX), (1, 5, 8), (1, 25, u64::MAX)], "and not what decides nothing");
    }
}
