//! What a close asks of audits: that each array day's newest audit is green and no bucket of the day is newer (DESIGN §7).

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::Deserialize;

use super::auditor::{Auditor, Tell};
use super::day::{ArrayDay, DAY_HOURS};
use super::error::AuditError;
use super::record::{AuditRow, newest};
use super::vector::{Stand, Vector};
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::read::void;
use crate::clickhouse::void::{Void, counted};
use crate::clickhouse::{Client, Error};
use crate::core::billing::proof::CutPoint;
use crate::core::metering::definition::OBSERVED;
use crate::core::word::{HOUR_MS, Instant, Partition};
use crate::remeter::{Definitions, hold_ms};

/// Array days audited by one call of [`ahead`], at most, unless its caller says less.
pub const AHEAD_DAYS: usize = 2_000;
/// A day that was found red is looked at again after this long, in milliseconds: it may have been mended by hand.
const RED_AGAIN_MS: i64 = 600_000;

/// Why an array day is not green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody has audited it.
    Unaudited,
    /// Its newest audit found so many rows that are not what they must be: `plimsoll audit` names them, `plimsoll repair` mends them.
    Red(u64),
    /// A bucket of it, or a meter, is newer than its newest audit.
    Stale,
    /// The row of its newest audit was changed by hand.
    Forged,
}

/// An array day that keeps a close from being green.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotGreen {
    /// Which.
    pub day: ArrayDay,
    /// Why.
    pub why: Why,
}

/// What a call of [`ahead`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Array days that were audited.
    pub audited: usize,
    /// Those of them that are red.
    pub red: usize,
    /// Days of which nothing could be said, since their buckets move: they stay due.
    pub moving: usize,
    /// Days that are due still: call again.
    pub left: usize,
}

#[derive(Row, Deserialize)]
struct DayRow {
    provider: String,
    array: String,
    day: i64,
    version: u64,
    stream: String,
    partition: u32,
}

/// Runs audits that are due, of array days that are over, the oldest first, `most` of them at the most: those that no audit has seen and those
/// with a bucket newer than their newest audit. Days from `since` on are looked for: a closer names the start of its earliest open period.
/// Call it again and again: what is done is not done again, and any number of processes may call it (rows are added, never changed).
///
/// # Errors
/// The server's.
pub async fn ahead(
    auditor: &Auditor,
    provider: Option<&str>,
    since: Instant,
    most: usize,
    tell: Tell<'_>,
) -> Result<Ahead, AuditError> {
    let vector = auditor.vector().await?;
    let end = vector.stands().iter().map(|stand| stand.log_time).max().unwrap_or(Instant(0));
    let days = (day_of(since), day_of(end) + 1);
    let stored = stored(auditor.client(), provider, days, Some(hold_ms(&auditor.definitions().newest()))).await?;
    let audits = newest(auditor.client(), provider, days).await?;
    let now_ms = chrono::Utc::now().timestamp_millis();
    let mut due: Vec<ArrayDay> = Vec::new();
    for (day, seen) in stored {
        let Some(stand) = vector.stand(&seen.stream, Partition(seen.partition)) else { continue };
        let is_over = day.from().start().plus_ms(DAY_HOURS * HOUR_MS) <= end;
        let audit = audits.get(&day);
        let why = judge(audit, seen.version, false, Some(stand), auditor.definitions());
        let is_due = match why {
            None => false,
            Some(Why::Red(_)) => audit.is_some_and(|audit| now_ms - audit.audited_at_ms() >= RED_AGAIN_MS),
            Some(_) => true,
        };
        if is_over && is_due {
            due.push(day);
        }
    }
    due.sort_by_key(|day| day.day);
    let left = due.len().saturating_sub(most);
    due.truncate(most);
    if due.is_empty() {
        return Ok(Ahead::default());
    }
    let audited = auditor.days(&due.into_iter().collect(), tell).await?;
    let red = audited.found.days.values().filter(|found| found.findings > 0).count();
    Ok(Ahead { audited: audited.found.days.len(), red, moving: audited.moving.len(), left })
}

/// What keeps a close of [from, to) at `cut` from being green: each array day of the provider in which the ledger has an accepted event, or
/// a bucket is stored, whose newest audit is missing, red, older than one of its buckets, or of fewer meters than the cut reflects. Empty means
/// green. A day that a part of which lies in the period counts as a whole. [`Auditor::days`] audits what is named here.
///
/// # Errors
/// The server's.
pub async fn green(
    client: &Client,
    provider: &str,
    from: Instant,
    to: Instant,
    cut: &[CutPoint],
) -> Result<Vec<NotGreen>, Error> {
    let definitions = Definitions::read(client).await?;
    let vector = Vector::at(client, cut).await?;
    let days = (day_of(from), day_of(Instant(to.0 - 1)) + 1);
    let mut stored = stored(client, Some(provider), days, None).await?;
    let void = void::read(client).await?;
    for point in cut {
        let mut rows = ledger_days(client, (provider, &void), days, point)?;
        while let Some(row) = rows.next().await? {
            stored.entry(row.day()).or_insert(row);
        }
    }
    let audits = newest(client, Some(provider), days).await?;
    let named = |(day, seen): (ArrayDay, DayRow)| {
        let stand = vector.stand(&seen.stream, Partition(seen.partition));
        let why = judge(audits.get(&day), seen.version, true, stand, &definitions)?;
        Some(NotGreen { day, why })
    };
    Ok(stored.into_iter().filter_map(named).collect())
}

/// Why a day is not green; none if it is. `version` is the greatest of its buckets; if `exact`, the audit has to have seen just that.
fn judge(
    audit: Option<&AuditRow>,
    version: u64,
    exact: bool,
    stand: Option<&Stand>,
    definitions: &Definitions,
) -> Option<Why> {
    let Some(audit) = audit else { return Some(Why::Unaudited) };
    if !audit.is_genuine() {
        return Some(Why::Forged);
    }
    let meters = |control| definitions.below(crate::core::word::Offset(control));
    let fewer_meters = stand.is_some_and(|stand| {
        stand.control.0 > audit.control && meters(audit.control) != definitions.below(stand.control)
    });
    if version > audit.cut_version || (exact && version != audit.version) || fewer_meters {
        return Some(Why::Stale);
    }
    (!audit.is_green()).then_some(Why::Red(audit.findings))
}

impl DayRow {
    fn day(&self) -> ArrayDay {
        ArrayDay { provider: self.provider.as_str().into(), array: self.array.as_str().into(), day: self.day }
    }
}

/// Of each array day of which buckets are stored the greatest version. With `hold_ms`, cheaply: by the built-in gauge alone, of which every
/// accepted event writes the bucket of its hour, and which stands for all buckets that the event reaches within the hold.
async fn stored(
    client: &Client,
    provider: Option<&str>,
    (from, to): (i64, i64),
    hold_ms: Option<i64>,
) -> Result<BTreeMap<ArrayDay, DayRow>, Error> {
    let meter = if hold_ms.is_some() { " AND meter = {observed:String}" } else { "" };
    let provider_is = if provider.is_some() { " AND provider = {provider:String}" } else { "" };
    let sql = format!(
        "SELECT toString(provider) AS provider, toString(array) AS array, intDiv(toInt64(toUnixTimestamp(hour)), 86400) AS day, \
         max(b.version) AS version, toString(argMax(stream, b.version)) AS stream, argMax(partition, b.version) AS partition \
         FROM usage_bucket AS b WHERE hour >= toDateTime({{from:Int64}}, 'UTC') AND hour < toDateTime({{to:Int64}}, 'UTC'){meter}{provider_is} \
         GROUP BY provider, array, day ORDER BY provider, array, day"
    );
    // an event of one day reaches so many days further
    let reach = hold_ms.map_or(0, |hold_ms| hold_ms.div_euclid(DAY_HOURS * HOUR_MS) + 1);
    let select = client.select(&sql).param("from", (from - reach).max(0) * 86_400).param("to", to * 86_400);
    let select = select.param("observed", OBSERVED).param("provider", provider.unwrap_or_default());
    let mut rows = Rows::<DayRow>::of(client, select)?;
    let mut days: BTreeMap<ArrayDay, DayRow> = BTreeMap::new();
    let mut recent: Vec<(ArrayDay, u64)> = Vec::new();
    while let Some(mut row) = rows.next().await? {
        let day = row.day();
        recent.retain(|(other, _)| {
            other.array == day.array && other.provider == day.provider && other.day >= day.day - reach
        });
        let own = row.version;
        row.version = recent.iter().map(|(_, version)| *version).fold(own, u64::max);
        recent.push((day.clone(), own));
        if day.day >= from {
            days.insert(day, row);
        }
    }
    Ok(days)
}

/// The array days in which the ledger has accepted events below a point of a cut.
fn ledger_days(
    client: &Client,
    (provider, void): (&str, &Void),
    (from, to): (i64, i64),
    point: &CutPoint,
) -> Result<Rows<DayRow>, Error> {
    let sql = format!(
        "SELECT toString(provider) AS provider, toString(array) AS array, \
               intDiv(toUnixTimestamp64Milli(assumeNotNull(time)), 86400000) AS day, toUInt64(0) AS version, \
               {{stream:String}} AS stream, {{partition:UInt32}} AS partition FROM usage_event \
               WHERE usage_event.stream = {{stream:String}} AND usage_event.partition = {{partition:UInt32}} AND offset < {{below:UInt64}} \
               AND provider = {{provider:String}} AND disposition = 'accepted' \
               AND append_time >= fromUnixTimestamp64Milli({{from:Int64}} - 86400000, 'UTC') \
               AND time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') AND time < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC') \
               AND {} GROUP BY provider, array, day",
        counted("usage_event.")
    );
    let select = void.bind(client.select(&sql)).param("stream", &point.stream.0).param("partition", point.partition.0);
    let select = select.param("below", point.offset.0).param("provider", provider);
    Rows::of(client, select.param("from", from.max(1) * 86_400_000).param("to", to * 86_400_000))
}

fn day_of(instant: Instant) -> i64 {
    instant.hour().0.div_euclid(DAY_HOURS)
}

/// The days that are named, to have them audited.
#[must_use]
pub fn days(named: &[NotGreen]) -> BTreeSet<ArrayDay> {
    named.iter().map(|not| not.day.clone()).collect()
}
