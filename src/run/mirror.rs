//! The mirror of the control log in the table `decision`, and of what it makes void in `void_span`: the same rows, however often and by
//! however many processes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::clickhouse::{Client, Error, void_span};
use crate::core::decision::Decision;
use crate::core::word::Offset;
use crate::kafka::control::{ControlFollower, ControlRecord};

/// Between two looks for new decisions.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Decisions in one insert.
const MIRROR_BATCH: usize = 500;
/// An insert takes no more decisions once it holds so many bytes.
const MIRROR_BATCH_BYTES: usize = 32 << 20;

/// A row of the table `decision`.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct DecisionRow {
    /// The record's offset.
    pub offset: u64,
    /// When it was appended, in milliseconds.
    pub append_time: i64,
    /// The decision's kind.
    pub kind: String,
    /// Whom it concerns; empty = all.
    pub provider: String,
    /// Who made it.
    pub actor: String,
    /// The record's JSON.
    pub body: String,
    /// SHA-256 over the hash before it and the body, in hex.
    pub hash: String,
}

impl From<&ControlRecord> for DecisionRow {
    fn from(record: &ControlRecord) -> Self {
        Self {
            offset: record.offset.0,
            append_time: record.append_time.0,
            kind: record.decision.kind().to_owned(),
            provider: record.decision.provider().unwrap_or_default().to_owned(),
            actor: record.decision.actor().to_owned(),
            body: record.body.clone(),
            hash: record.hash.clone(),
        }
    }
}

#[derive(Row, Deserialize)]
struct Mirrored {
    next: u64,
}

/// Mirrors until `stop` is set; trouble is waited out.
pub async fn mirror(client: Client, control: ControlFollower, stop: &AtomicBool) {
    let mut next = None;
    while !stop.load(Ordering::Acquire) {
        match mirror_new(&client, &control, &mut next).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "decisions are not mirrored yet"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Mirrors what was decided since the last time.
///
/// # Errors
/// What ClickHouse says.
pub async fn mirror_new(client: &Client, control: &ControlFollower, next: &mut Option<u64>) -> Result<(), Error> {
    let from = match *next {
        Some(next) => next,
        None => {
            let query = client.select("SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM decision");
            client.fetch_all::<Mirrored>(query).await?.first().map_or(0, |row| row.next)
        }
    };
    let records = control.records(Offset(from));
    // before the decisions: who has mirrored them once does not look at them again; the first time in case that another version did
    if next.is_none() || records.iter().any(voids) {
        void_span::write(client, &control.register()).await?;
    }
    let mut left = &records[..];
    while !left.is_empty() {
        let (batch, rest) = left.split_at(batch_length(left.iter().map(|record| record.body.len())));
        insert(client, batch).await?;
        left = rest;
    }
    *next = Some(records.last().map_or(from, |record| record.offset.0 + 1));
    Ok(())
}

/// Whether a decision can make records void.
fn voids(record: &ControlRecord) -> bool {
    matches!(record.decision, Decision::StreamOpened { closes: Some(_), .. } | Decision::OffsetsLost { .. })
}

/// How many of the next decisions, of these sizes in bytes, go into one insert.
fn batch_length(sizes: impl Iterator<Item = usize>) -> usize {
    let (mut length, mut bytes) = (0, 0);
    for size in sizes.take(MIRROR_BATCH) {
        length += 1;
        bytes += size;
        if bytes >= MIRROR_BATCH_BYTES {
            break;
        }
    }
    length
}

/// Writes the rows of some records. The same rows may be written again.
///
/// # Errors
/// What ClickHouse says.
pub async fn insert(client: &Client, records: &[ControlRecord]) -> Result<(), Error> {
    client
        .in_time(client.settings().insert_timeout, async {
            let mut insert = client.raw().insert::<DecisionRow>("decision").await?;
            for record in records {
                insert.write(&DecisionRow::from(record)).await?;
            }
            insert.end().await
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_of_decisions_is_bounded_by_number_and_bytes() {
        let length = |sizes: &[usize]| batch_length(sizes.iter().copied());
        let few = |count: usize| length(&vec![100; count]);
        assert_eq!(
            [0, 1, MIRROR_BATCH - 1, MIRROR_BATCH, MIRROR_BATCH + 1].map(few),
            [0, 1, MIRROR_BATCH - 1, MIRROR_BATCH, MIRROR_BATCH]
        );
        assert_eq!(length(&[MIRROR_BATCH_BYTES - 1, 1, 1]), 2);
        assert_eq!(length(&[MIRROR_BATCH_BYTES, 1, 1]), 1);
    }
}
