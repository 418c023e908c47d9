//! The table `audit`: what was found of a day, kept for closes.

use std::collections::BTreeMap;
use std::sync::Arc;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::day::{ArrayDay, DayFound};
use super::vector::Stand;
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::{Client, Error};

/// Rows in one insert.
const BATCH: usize = 10_000;

/// A row of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct AuditRow {
    provider: String,
    array: String,
    day: u16,
    /// The greatest version that a bucket could have: [`bucket_version`](crate::clickhouse::bucket_block::bucket_version) of generation and `as_of`.
    pub cut_version: u64,
    audited_at: i64,
    stream: String,
    partition: u32,
    /// The ledger was read below this offset.
    pub as_of: u64,
    /// The meters were those defined below this offset of the control log.
    pub control: u64,
    /// The greatest version of a bucket of the day; 0 if it has none.
    pub version: u64,
    buckets: u64,
    /// Rows that were not what they must be.
    pub findings: u64,
    green: u8,
    digest: u128,
}

impl AuditRow {
    /// What an audit at `audited_at_ms` found of a day.
    #[must_use]
    pub fn new(day: &ArrayDay, found: &DayFound, stand: &Stand, audited_at_ms: i64) -> Self {
        let row = Self {
            provider: day.provider.to_string(),
            array: day.array.to_string(),
            day: u16::try_from(day.day).unwrap_or_default(),
            cut_version: stand.version(),
            audited_at: audited_at_ms,
            stream: stand.point.stream.0.clone(),
            partition: stand.point.partition.0,
            as_of: stand.point.offset.0,
            control: stand.control.0,
            version: found.version,
            buckets: found.buckets,
            findings: found.findings,
            green: u8::from(found.findings == 0),
            digest: 0,
        };
        Self { digest: row.digest_now(), ..row }
    }

    /// The day.
    #[must_use]
    pub fn array_day(&self) -> ArrayDay {
        let (provider, array) = (Arc::from(self.provider.as_str()), Arc::from(self.array.as_str()));
        ArrayDay { provider, array, day: i64::from(self.day) }
    }

    /// Whether the audit found nothing. A row that was changed by hand counts for nothing.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.green == 1 && self.findings == 0 && self.is_genuine()
    }

    /// Whether the row says what was written.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.digest == self.digest_now()
    }

    /// When, in milliseconds since 1970.
    #[must_use]
    pub fn audited_at_ms(&self) -> i64 {
        self.audited_at
    }

    fn digest_now(&self) -> u128 {
        let numbers = [
            u64::from(self.day),
            self.cut_version,
            self.audited_at as u64,
            u64::from(self.partition),
            self.as_of,
            self.control,
            self.version,
            self.buckets,
            self.findings,
            u64::from(self.green),
        ];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        for text in [&self.provider, &self.array, &self.stream] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        xxh3_128(&bytes)
    }
}

/// Writes rows. The same rows may be written again.
///
/// # Errors
/// The server's.
pub async fn write(client: &Client, rows: &[AuditRow]) -> Result<(), Error> {
    for batch in rows.chunks(BATCH) {
        client
            .in_time(client.settings().insert_timeout, async {
                let insert = client.raw().insert::<AuditRow>("audit").await?;
                // an audit may span many months, and each is a partition of the table
                let mut insert = insert.with_setting("max_partitions_per_insert_block", "0");
                for row in batch {
                    insert.write(row).await?;
                }
                insert.end().await
            })
            .await?;
    }
    Ok(())
}

/// The newest row of each day in [from, to), days since 1970, of a provider or of all.
///
/// # Errors
/// The server's.
pub async fn newest(
    client: &Client,
    provider: Option<&str>,
    (from, to): (i64, i64),
) -> Result<BTreeMap<ArrayDay, AuditRow>, Error> {
    let condition = if provider.is_some() { " AND provider = {provider:String}" } else { "" };
    let sql = format!(
        "SELECT provider, array, day, cut_version, audited_at, stream, partition, as_of, control, version, buckets, findings, green, digest \
         FROM audit FINAL WHERE day >= toDate({{from:UInt16}}) AND day < toDate({{to:UInt16}}){condition} \
         ORDER BY provider, array, day, audited_at DESC, cut_version DESC LIMIT 1 BY provider, array, day"
    );
    let day = |day: i64| u16::try_from(day.max(0)).unwrap_or(u16::MAX);
    let select = client.select(&sql).param("from", day(from)).param("to", day(to));
    let mut rows = Rows::<AuditRow>::of(client, select.param("provider", provider.unwrap_or_default()))?;
    let mut newest = BTreeMap::new();
    while let Some(row) = rows.next().await? {
        newest.insert(row.array_day(), row);
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::proof::CutPoint;
    use crate::core::word::{Instant, Offset, Partition, StreamId};

    #[test]
    fn a_row_that_was_changed_is_not_green() {
        let day = ArrayDay { provider: "p".into(), array: "a".into(), day: 20_000 };
        let point = CutPoint { stream: StreamId("u-1".to_owned()), partition: Partition(3), offset: Offset(9) };
        let stand = Stand { point, generation: 1, control: Offset(2), log_time: Instant(0) };
        let green = AuditRow::new(&day, &DayFound { version: 5, buckets: 3, ..DayFound::default() }, &stand, 7);
        assert!(green.is_green());
        let red = AuditRow::new(&day, &DayFound { findings: 1, ..DayFound::default() }, &stand, 7);
        assert!(!red.is_green() && red.is_genuine());
        let painted = AuditRow { green: 1, findings: 0, ..red };
        assert!(!painted.is_green() && !painted.is_genuine());
        assert!(!AuditRow { as_of: 10, ..green }.is_green());
    }
}
