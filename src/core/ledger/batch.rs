//! Ledger rows on their way to the store, as columns: one row a record, its readings as array columns.

use chrono::{Datelike, Months, NaiveTime};

use super::column::{DictionaryColumn, TextColumn};
use super::judge::{LogRecord, Verdict};
use crate::core::event::{Event, Refusal};
use crate::core::word::{Disposition, Instant};

/// A column of instants of which some are absent.
#[derive(Clone, Debug, Default)]
pub struct MaybeInstants {
    /// 1 where there is none.
    pub absent: Vec<u8>,
    /// Milliseconds since 1970; 0 where there is none.
    pub ms: Vec<i64>,
}

impl MaybeInstants {
    fn push(&mut self, instant: Option<Instant>) {
        self.absent.push(u8::from(instant.is_none()));
        self.ms.push(instant.map_or(0, |instant| instant.0));
    }
}

/// The readings of accepted events, one element each.
#[derive(Clone, Debug, Default)]
pub struct ReadingColumns {
    /// Where each row's readings end.
    pub ends: Vec<u64>,
    /// [`Kind`](crate::core::word::Kind) by number.
    pub kinds: Vec<u8>,
    /// Resources.
    pub resources: DictionaryColumn,
    /// Names of the resources; empty = none.
    pub names: DictionaryColumn,
    /// Tenant tags; empty = none.
    pub customers: DictionaryColumn,
    /// Service tiers; empty = none.
    pub tiers: DictionaryColumn,
    /// Meters.
    pub meters: DictionaryColumn,
    /// Values in the meter's base unit.
    pub values: Vec<u64>,
}

/// What was not accepted, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Which row of the batch it belongs to.
    pub row: usize,
    /// What a person should know.
    pub detail: String,
    /// What the key names; empty = unattributed.
    pub array: String,
    /// The key's bytes.
    pub key: Vec<u8>,
    /// The headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value's bytes.
    pub raw: Vec<u8>,
    /// [`raw_hash`](super::digest::raw_hash) of it.
    pub raw_hash: u128,
}

/// Rows of `usage_event` and `quarantine` under consecutive positions of one partition.
#[derive(Clone, Debug, Default)]
pub struct LedgerBatch {
    /// Offsets.
    pub offsets: Vec<u64>,
    /// Append times in milliseconds.
    pub append_times: Vec<i64>,
    /// Disposition by number.
    pub dispositions: Vec<u8>,
    /// Reason codes; empty unless quarantined.
    pub reasons: DictionaryColumn,
    /// Providers; empty where unknown.
    pub providers: DictionaryColumn,
    /// Arrays; empty where unknown.
    pub arrays: DictionaryColumn,
    /// Names of the arrays; empty = none.
    pub array_names: DictionaryColumn,
    /// Sites; empty = none.
    pub sites: DictionaryColumn,
    /// CloudEvents sources.
    pub sources: DictionaryColumn,
    /// CloudEvents ids.
    pub ids: TextColumn,
    /// When measured.
    pub times: MaybeInstants,
    /// When recorded.
    pub recorded_times: MaybeInstants,
    /// Identities; 0 where unknown.
    pub identities: Vec<u128>,
    /// Content hashes; 0 where unknown.
    pub contents: Vec<u64>,
    /// Offsets of named decisions; -1 = none.
    pub decisions: Vec<i64>,
    /// Numbers of readings.
    pub reading_counts: Vec<u32>,
    /// The readings of accepted events.
    pub readings: ReadingColumns,
    /// What was not accepted.
    pub quarantine: Vec<QuarantineRow>,
    raw_bytes: usize,
    /// The end of the month of the first row's append time; rows past it lie in another table partition.
    month_end_ms: i64,
}

/// What of a record goes into its row, apart from its event.
#[derive(Clone, Copy, Debug)]
pub struct RowMeta<'a> {
    /// The judge's finding.
    pub verdict: Verdict,
    /// The decision that its header names.
    pub decision: Option<u64>,
    /// The provider to whom an undecodable record is attributed; empty = unattributed.
    pub provider: &'a str,
}

impl LedgerBatch {
    /// Adds the row of a record.
    pub fn push(&mut self, record: &LogRecord<'_>, decoded: &Result<Event<'_>, Box<Refusal>>, meta: &RowMeta<'_>) {
        if self.offsets.is_empty() {
            self.month_end_ms = month_end(record.append_time).0;
        }
        self.offsets.push(record.offset.0);
        self.append_times.push(record.append_time.0);
        self.dispositions.push(meta.verdict.disposition.number());
        self.reasons.push(meta.verdict.disposition.reason().map_or("", |reason| reason.as_str()).as_bytes());
        self.identities.push(meta.verdict.identity);
        self.contents.push(meta.verdict.content);
        self.decisions.push(meta.decision.and_then(|offset| i64::try_from(offset).ok()).unwrap_or(-1));
        match decoded {
            Ok(event) => self.push_event(event, meta.verdict.disposition == Disposition::Accepted),
            Err(refusal) => self.push_refusal(record, refusal, meta.provider),
        }
        self.readings.ends.push(self.readings.values.len() as u64);
        if !matches!(meta.verdict.disposition, Disposition::Accepted | Disposition::Duplicate) {
            self.push_quarantine(record, decoded);
        }
    }

    fn push_event(&mut self, event: &Event<'_>, with_readings: bool) {
        self.providers.push(event.provider.as_bytes());
        self.arrays.push(event.array.as_bytes());
        self.array_names.push(event.array_name.as_deref().unwrap_or_default().as_bytes());
        self.sites.push(event.site.as_deref().unwrap_or_default().as_bytes());
        self.sources.push(event.source.as_bytes());
        self.ids.push(event.id.as_bytes());
        self.times.push(Some(event.time));
        self.recorded_times.push(event.recorded);
        self.reading_counts.push(event.readings.len() as u32);
        if with_readings {
            for reading in &event.readings {
                self.readings.kinds.push(reading.kind as u8);
                self.readings.resources.push(reading.resource.as_bytes());
                self.readings.names.push(reading.name.as_deref().unwrap_or_default().as_bytes());
                self.readings.customers.push(reading.customer.as_deref().unwrap_or_default().as_bytes());
                self.readings.tiers.push(reading.tier.as_deref().unwrap_or_default().as_bytes());
                self.readings.meters.push(reading.meter.as_bytes());
                self.readings.values.push(reading.value);
            }
        }
    }

    fn push_refusal(&mut self, record: &LogRecord<'_>, refusal: &Refusal, provider: &str) {
        let keyed = key_array(record.raw.key);
        self.providers.push(refusal.provider.as_deref().unwrap_or(provider).as_bytes());
        self.arrays.push(refusal.array.as_deref().unwrap_or(&keyed).as_bytes());
        self.array_names.push(b"");
        self.sites.push(b"");
        self.sources.push(refusal.source.as_deref().unwrap_or_default().as_bytes());
        self.ids.push(refusal.id.as_deref().unwrap_or_default().as_bytes());
        self.times.push(refusal.time);
        self.recorded_times.push(None);
        self.reading_counts.push(refusal.readings);
    }

    fn push_quarantine(&mut self, record: &LogRecord<'_>, decoded: &Result<Event<'_>, Box<Refusal>>) {
        self.raw_bytes += record.raw.value.len();
        self.quarantine.push(QuarantineRow {
            row: self.offsets.len() - 1,
            detail: decoded.as_ref().err().map_or_else(String::new, |refusal| refusal.detail.clone()),
            array: key_array(record.raw.key),
            key: record.raw.key.unwrap_or_default().to_vec(),
            headers: record.raw.headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect(),
            raw: record.raw.value.to_vec(),
            raw_hash: super::digest::raw_hash(record.raw.headers, record.raw.value),
        });
    }

    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Whether it reaches into a second month: a batch of many months would touch more table partitions than an insert may.
    #[must_use]
    pub fn spans_months(&self) -> bool {
        self.append_times.last().is_some_and(|&last| last >= self.month_end_ms)
    }

    /// About how many bytes it holds: what a flush is bounded by.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len() * 120 + self.ids.bytes() + self.readings.values.len() * 29 + self.raw_bytes
    }
}

/// The array that a key names: what a quarantined record belongs to. Empty if the key cannot be an id.
fn key_array(key: Option<&[u8]>) -> String {
    key.filter(|key| key.len() <= 256).and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default().to_owned()
}

/// The first instant after the UTC month of `instant`.
fn month_end(instant: Instant) -> Instant {
    let next = chrono::DateTime::from_timestamp_millis(instant.0).and_then(|time| {
        let first = time.date_naive().with_day(1)?.checked_add_months(Months::new(1))?;
        Some(first.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
    });
    Instant(next.unwrap_or(i64::MAX))
}
