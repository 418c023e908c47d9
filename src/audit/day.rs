//! One array's UTC day: what is stored of it held against what the ledger gives (I8).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::finding::{Fault, Finding, Place};
use super::vector::Stand;
use crate::clickhouse::bucket_block::bucket_version;
use crate::clickhouse::read::bucket::{StoredBucket, place};
use crate::core::metering::bucket::{Bucket, BucketCell, SeriesKey};
use crate::core::metering::definition::Meters;
use crate::core::word::{Hour, Kind};
use crate::remeter::Metered;

/// Hours of a day.
pub const DAY_HOURS: i64 = 24;

/// One UTC day of one array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArrayDay {
    /// Who runs the array.
    pub provider: Arc<str>,
    /// The array.
    pub array: Arc<str>,
    /// Days since 1970-01-01.
    pub day: i64,
}

impl ArrayDay {
    /// Its first hour.
    #[must_use]
    pub fn from(&self) -> Hour {
        Hour(self.day * DAY_HOURS)
    }
}

/// What was found of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayFound {
    /// The greatest version of a bucket.
    pub version: u64,
    /// Buckets that the ledger gives.
    pub buckets: u64,
    /// Rows that are not what they must be.
    pub findings: u64,
    /// Whether a bucket counts more than the cut: nothing can be said of it at this cut.
    pub is_moving: bool,
}

/// Findings in memory at once; more are counted and not named.
pub const MAX_NAMED: usize = 100_000;

/// What was found of many days.
#[derive(Debug, Default)]
pub struct Found {
    /// By day.
    pub days: BTreeMap<ArrayDay, DayFound>,
    /// The rows that are not what they must be, as far as they are named.
    pub findings: Vec<Finding>,
    /// Readings that were metered again.
    pub readings: u64,
    /// Where the partition stood that owns each array, by provider and array.
    pub owners: HashMap<(Arc<str>, Arc<str>), Stand>,
}

impl Found {
    /// Adds what another part of the work found.
    pub fn merge(&mut self, other: Found) {
        for (day, found) in other.days {
            let own = self.days.entry(day).or_default();
            own.version = own.version.max(found.version);
            own.buckets += found.buckets;
            own.findings += found.findings;
            own.is_moving |= found.is_moving;
        }
        let room = MAX_NAMED.saturating_sub(self.findings.len());
        self.findings.extend(other.findings.into_iter().take(room));
        self.readings += other.readings;
        self.owners.extend(other.owners);
    }

    pub(super) fn day(&mut self, series: &SeriesKey, hour: Hour) -> &mut DayFound {
        let (provider, array) = (Arc::clone(&series.provider), Arc::clone(&series.array));
        self.days.entry(ArrayDay { provider, array, day: hour.0.div_euclid(DAY_HOURS) }).or_default()
    }

    pub(super) fn note(&mut self, series: &SeriesKey, hour: Hour, fault: Fault, detail: String) {
        self.day(series, hour).findings += 1;
        if self.findings.len() < MAX_NAMED {
            let place = Place::Bucket(Box::new(series.clone()), hour);
            self.findings.push(Finding { invariant: "I8", table: "usage_bucket", fault, place, detail });
        }
    }
}

/// What buckets are held against, apart from the ledger.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Where the partition stands that owns the arrays.
    pub stand: Stand,
    /// The meters that its buckets must reflect.
    pub meters: Arc<Meters>,
    /// The meters that anyone has defined.
    pub newest: Arc<Meters>,
    /// Up to where the ledger of the partition reaches, exclusive: no bucket can count more.
    pub end: u64,
}

/// The comparison of one array's hours: metered buckets in the order of the table, and how far they have been met.
pub struct Meeting<'a> {
    terms: &'a Terms,
    buckets: Vec<(&'a Bucket, &'a [BucketCell])>,
    next: usize,
}

impl<'a> Meeting<'a> {
    /// Begins with nothing met. Every day with a bucket is counted.
    pub fn new(terms: &'a Terms, metered: &'a Metered, found: &mut Found) -> Self {
        let mut buckets: Vec<_> = metered.buckets.iter().collect();
        buckets.sort_unstable_by(|(a, _), (b, _)| place(&a.series, a.hour).cmp(&place(&b.series, b.hour)));
        buckets.iter().for_each(|(bucket, _)| found.day(&bucket.series, bucket.hour).buckets += 1);
        Self { terms, buckets, next: 0 }
    }

    /// Meets the next stored row of the array, in the order of the table.
    pub fn meet(&mut self, row: &StoredBucket<'_>, found: &mut Found) {
        while let Some((bucket, _)) = self.buckets.get(self.next) {
            if place(&bucket.series, bucket.hour) >= row.place() {
                break;
            }
            self.miss(found);
        }
        let metered =
            self.buckets.get(self.next).filter(|(bucket, _)| place(&bucket.series, bucket.hour) == row.place());
        self.next += usize::from(metered.is_some());
        judge(self.terms, row, metered.copied(), found);
    }

    /// After the last stored row of the array.
    pub fn end(mut self, found: &mut Found) {
        while self.next < self.buckets.len() {
            self.miss(found);
        }
    }

    fn miss(&mut self, found: &mut Found) {
        let (bucket, _) = self.buckets[self.next];
        found.note(
            &bucket.series,
            bucket.hour,
            Fault::Missing,
            "the ledger gives a bucket, and none is stored".to_owned(),
        );
        self.next += 1;
    }
}

/// Holds one stored row against the bucket that the ledger gives; none if it gives none.
pub fn judge(terms: &Terms, row: &StoredBucket<'_>, metered: Option<(&Bucket, &[BucketCell])>, found: &mut Found) {
    let series = series(row);
    let hour = row.hour();
    let own = found.day(&series, hour);
    own.version = own.version.max(row.version);
    let Terms { stand, meters, newest, end } = terms;
    let generation = row.stream.rsplit_once('-').and_then(|(_, generation)| generation.parse::<u32>().ok());
    let is_own = row.stream == stand.point.stream.0 && row.partition == stand.point.partition.0;
    if generation.map(|generation| bucket_version(generation, crate::core::word::Offset(row.as_of)))
        != Some(row.version)
    {
        let detail = format!("its version {} is not that of {} as of {}", row.version, row.stream, row.as_of);
        return found.note(&series, hour, Fault::Differs, detail);
    }
    if row.stream == stand.point.stream.0 && !is_own {
        let detail =
            format!("it says partition {}, and its array belongs to {}", row.partition, stand.point.partition.0);
        return found.note(&series, hour, Fault::Differs, detail);
    }
    if row.version > stand.version() {
        // counts more than the cut; more than there is cannot be counted
        if is_own && row.as_of > *end {
            let detail =
                format!("it says that it counts {} up to {}, where the ledger ends at {end}", row.stream, row.as_of);
            return found.note(&series, hour, Fault::Differs, detail);
        }
        own.is_moving = true;
        return;
    }
    match metered {
        None if meters.get(row.meter).is_none() && newest.get(row.meter).is_some() => {} // its meter is being metered right now
        None if row.is_empty() => {}
        None => found.note(&series, hour, Fault::Surplus, "the ledger gives no bucket here".to_owned()),
        Some((bucket, cells)) if !row.says(bucket, cells) => {
            let detail = format!("as of {}: {}", row.as_of, row.difference(bucket, cells));
            found.note(&series, hour, Fault::Differs, detail);
        }
        Some(_) => {}
    }
}

/// The series of a stored row.
#[must_use]
pub fn series(row: &StoredBucket<'_>) -> SeriesKey {
    SeriesKey {
        provider: row.provider.into(),
        array: row.array.into(),
        // the column's type has no other numbers
        kind: Kind::from_number(row.kind as u8).unwrap_or(Kind::Array),
        resource: row.resource.into(),
        meter: row.meter.into(),
    }
}
