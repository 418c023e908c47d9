//! Holes that tables show: records put aside that nobody has decided about, and days that are not audited green.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::Deserialize;

use crate::audit::auditor::Auditor;
use crate::audit::close::{NotGreen, Why, days, green};
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::read::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::closer::error::CloseError;
use crate::core::closing::hole::Hole;
use crate::core::closing::stand::may_hold;
use crate::core::cut::CutPoint;
use crate::core::decision::closing::PeriodKey;
use crate::core::decision::resolution::{Position, Resolution, resolutions};
use crate::core::word::{Hour, Offset, Partition, StreamId};
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::remeter::Definitions;

#[derive(Row, Deserialize)]
struct AsideRow {
    stream: String,
    partition: u32,
    offset: u64,
    array: String,
    reason: String,
}

/// Quarantined records of a provider without a decision, and records that were sent again and are not folded below the cut. What says by
/// itself that it was measured after the period keeps no period before from closing, unless its time is what is wrong with it.
pub async fn aside(
    client: &Client,
    control: &ControlFollower,
    period: &PeriodKey,
    cut: &[CutPoint],
) -> Result<Vec<Hole>, CloseError> {
    let sql = format!(
        "SELECT toString(q.stream) AS stream, q.partition AS partition, q.offset AS offset, q.array AS array, toString(q.reason) AS reason \
         FROM quarantine AS q FINAL LEFT JOIN (SELECT stream, partition, offset, time FROM usage_event FINAL \
         WHERE disposition = 'quarantined' AND time IS NOT NULL) AS e \
         ON e.stream = q.stream AND e.partition = q.partition AND e.offset = q.offset \
         WHERE q.disposition = 'quarantined' AND (q.provider = {{provider:String}} OR (q.provider = '' AND q.stream IN {{own:Array(String)}})) \
         AND NOT (ifNull(e.time >= fromUnixTimestamp64Milli({{end:Int64}}, 'UTC'), 0) AND q.reason != 'future') AND {}",
        counted("q.")
    );
    let streams = control.register();
    let own = streams.all().filter(|generation| may_hold(generation, &period.provider));
    let own: Vec<&str> = own.map(|generation| generation.rules.stream.0.as_str()).collect();
    let select = void::read(client).await?.bind(client.select(&sql)).param("provider", &period.provider);
    let mut rows: Rows<AsideRow> = Rows::of(client, select.param("own", own).param("end", period.end.0))?;
    let resolved =
        control.look(Offset(0), |records| resolutions(records.iter().map(|record| (record.offset, &record.decision))));
    let below: BTreeMap<(&str, u32), u64> =
        cut.iter().map(|point| ((point.stream.0.as_str(), point.partition.0), point.offset.0)).collect();
    let mut unresolved: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut resent: BTreeSet<Offset> = BTreeSet::new();
    while let Some(row) = rows.next().await? {
        let is_below = below.get(&(row.stream.as_str(), row.partition)).is_some_and(|next| row.offset < *next);
        let position: Position = (StreamId(row.stream), Partition(row.partition), Offset(row.offset));
        match resolved.get(&position) {
            Some(Resolution { resent: true, decision, .. }) => {
                resent.insert(*decision);
            }
            Some(_) => {}
            None if is_below => *unresolved.entry(row.array).or_default().entry(row.reason).or_default() += 1,
            None => {}
        }
    }
    let mut holes: Vec<Hole> = unresolved.into_iter().map(|(array, reasons)| quarantined(array, &reasons)).collect();
    holes.extend(not_folded(client, period, &below, resent).await?);
    Ok(holes)
}

fn quarantined(array: String, reasons: &BTreeMap<String, u64>) -> Hole {
    Hole::Quarantined {
        array: Some(array).filter(|array| !array.is_empty()),
        events: reasons.values().sum(),
        reasons: reasons.iter().map(|(reason, events)| format!("{events} {reason}")).collect(),
    }
}

#[derive(Row, Deserialize)]
struct FoldedRow {
    stream: String,
    partition: u32,
    offset: u64,
    decision: i64,
}

/// Records that were sent again and whose new record is not below the cut.
async fn not_folded(
    client: &Client,
    period: &PeriodKey,
    below: &BTreeMap<(&str, u32), u64>,
    mut resent: BTreeSet<Offset>,
) -> Result<Option<Hole>, Error> {
    if resent.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT toString(stream) AS stream, partition, offset, decision FROM usage_event \
               WHERE decision >= 0 AND (provider = {provider:String} OR provider = '')";
    let mut rows: Rows<FoldedRow> = Rows::of(client, client.select(sql).param("provider", &period.provider))?;
    while let Some(row) = rows.next().await? {
        if below.get(&(row.stream.as_str(), row.partition)).is_some_and(|next| row.offset < *next) {
            resent.remove(&Offset(row.decision.unsigned_abs()));
        }
    }
    Ok(Some(Hole::Resent { events: resent.len() as u64 }).filter(|_| !resent.is_empty()))
}

/// Array days of the period that are not green. Those that nobody has audited since their buckets moved are audited now.
pub async fn not_green(client: &Client, period: &PeriodKey, cut: &[CutPoint]) -> Result<Vec<Hole>, CloseError> {
    let (start, end) = (period.start, period.end);
    let mut named = green(client, &period.provider, start, end, cut).await?;
    let due: Vec<NotGreen> =
        named.iter().filter(|not| matches!(not.why, Why::Unaudited | Why::Stale)).cloned().collect();
    if !due.is_empty() {
        let auditor = Auditor::new(client.clone(), Definitions::read(client).await?);
        let refused = |error: crate::audit::AuditError| SeamError::retryable(error.to_string());
        auditor.days(&days(&due), &mut |_, _, _| {}).await.map_err(refused)?;
        named = green(client, &period.provider, start, end, cut).await?;
    }
    Ok(named.into_iter().map(red).collect())
}

fn red(not: NotGreen) -> Hole {
    let why = match not.why {
        Why::Unaudited => "not audited yet: `plimsoll audit`".to_owned(),
        Why::Red(1) => "the audit found a row that is not what it must be: `plimsoll audit` names it".to_owned(),
        Why::Red(rows) => {
            format!("the audit found {rows} rows that are not what they must be: `plimsoll audit` names them")
        }
        Why::Stale => "buckets are newer than the audit: `plimsoll audit`".to_owned(),
        Why::Forged => "the row of its audit was altered: `plimsoll audit`".to_owned(),
    };
    let day = Hour(not.day.from().0).start().rfc3339();
    Hole::Audit { array: not.day.array.to_string(), day: day.get(..10).unwrap_or_default().to_owned(), why }
}
