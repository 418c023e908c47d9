//! I8 by SQL: the sums of each series and hour, by tags, added up by the database from readings and from cells. It shares no code with the
//! meter function, so that a mistake in one shows.
//!
//! Of equal instants the reading counts that was recorded last; a level holds to the next reading or for `max_hold`; a counter grows by the
//! difference to its predecessor if that is at most `max_hold` older, and whole if it fell. Amount, known milliseconds and the
//! number of readings are compared, for each UTC hour and tag set.

use clickhouse::Row;
use serde::Deserialize;

use super::auditor::Auditor;
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::vector::Stand;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::metering::bucket::SeriesKey;
use crate::core::metering::definition::{MeterKind, Meters, OBSERVED};
use crate::core::word::{Hour, Kind};
use crate::remeter::{Chunk, Scope};

/// Readings that one query adds up: it bounds the server's memory, at about 250 bytes each.
const READINGS: u64 = 1_500_000;
/// Differences that are named, of one chunk.
const MAX_NAMED: u64 = 10_000;

#[derive(Row, Deserialize)]
struct OffRow {
    provider: String,
    array: String,
    kind: i8,
    resource: String,
    meter: String,
    hour: i64,
    amount_off: i128,
    observed_off: i64,
    count_off: i64,
}

/// Holds a scope's buckets against sums of the ledger at the newest vector. Hours with a bucket newer than that are left out.
///
/// # Errors
/// The server's.
pub async fn check(
    auditor: &Auditor,
    scope: &Scope,
    tell: &mut (dyn FnMut(&'static str, u64, u64) + Send),
) -> Result<Vec<Finding>, AuditError> {
    let (client, definitions) = (auditor.client(), auditor.definitions());
    let vector = auditor.vector().await?;
    let remeter = auditor.remeter(&vector)?;
    let chunks = remeter.chunks_of(scope, &definitions.newest(), READINGS).await?;
    let (of, mut findings) = (chunks.len() as u64, Vec::new());
    for (done, chunk) in (0..).zip(&chunks) {
        tell("sums", done, of);
        let Some(stand) = vector.of(&chunk.owner) else { continue };
        findings.extend(off(client, chunk, stand, &definitions.below(stand.control)).await?);
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

async fn off(client: &Client, chunk: &Chunk, stand: &Stand, meters: &Meters) -> Result<Vec<Finding>, Error> {
    let of_kind = |kind: MeterKind| -> Vec<&str> {
        meters.iter().filter(|(_, definition)| definition.kind == kind).map(|(name, _)| name).collect()
    };
    let (names, holds): (Vec<&str>, Vec<i64>) =
        meters.iter().map(|(name, definition)| (name, definition.max_hold_ms)).unzip();
    let sql = format!(
        "WITH {READ}{}), {POINTS}, {STEPS}, {ALL} SELECT toString(provider) AS provider, toString(array) AS array, \
         kind, resource, toString(meter) AS meter, hour, sum(both.amount) AS amount_off, \
         toInt64(sum(both.observed)) AS observed_off, toInt64(sum(both.count)) AS count_off \
         FROM both GROUP BY provider, array, kind, resource, meter, hour, customer, tier, site \
         HAVING (amount_off != 0 OR observed_off != 0 OR count_off != 0) AND max(both.version) <= {{cut:UInt64}} \
         ORDER BY provider, array, meter, kind, resource, hour LIMIT {MAX_NAMED}",
        counted("")
    );
    let places = chunk.places();
    let streams: Vec<&str> = places.iter().map(|(source, _)| source.stream.0.as_str()).collect();
    let partitions: Vec<u32> = places.iter().map(|(source, _)| source.partition.0).collect();
    let firsts: Vec<u64> = places.iter().map(|(_, offsets)| offsets.start).collect();
    let stops: Vec<u64> = places.iter().map(|(source, offsets)| offsets.end.min(source.below.0)).collect();
    let arrays: Vec<&str> = chunk.arrays.iter().map(|(_, array)| &**array).collect();
    let providers: Vec<&str> = chunk.arrays.iter().map(|(provider, _)| &**provider).collect();
    let select = chunk.void().bind(client.select(&sql)).param("streams", streams).param("partitions", partitions);
    let select =
        select.param("firsts", firsts).param("stops", stops).param("arrays", arrays).param("providers", providers);
    let select = select.param("read_from", chunk.read_from().0.max(0));
    let select = select.param("from", chunk.from.start().0).param("to", chunk.to.start().0);
    let select = select.param("names", names).param("holds", holds).param("observed", OBSERVED);
    let select = select.param("gauges", of_kind(MeterKind::Gauge)).param("deltas", of_kind(MeterKind::Delta));
    let rows: Vec<OffRow> =
        client.fetch_all(select.param("counters", of_kind(MeterKind::Counter)).param("cut", stand.version())).await?;
    Ok(rows.iter().map(finding).collect())
}

/// The readings, one row each, those of the built-in gauge included.
const READ: &str = "read AS (SELECT provider, array, site, assumeNotNull(time) AS at, recorded_time, offset, \
    toUInt32OrZero(splitByChar('-', toString(stream))[-1]) AS generation, kind, resource, customer, tier, meter, value \
    FROM usage_event FINAL \
    ARRAY JOIN arrayConcat(arrayMap(k -> toInt8(k), reading_kind), [toInt8(1)]) AS kind, arrayConcat(reading_resource, [array]) AS resource, \
    arrayConcat(reading_customer, ['']) AS customer, arrayConcat(reading_tier, ['']) AS tier, \
    arrayConcat(reading_meter, [{observed:String}]) AS meter, arrayConcat(reading_value, [toUInt64(1)]) AS value \
    WHERE disposition = 'accepted' AND has({arrays:Array(String)}, array) AND has({providers:Array(String)}, provider) \
    AND arrayExists((s, p, f, e) -> stream = s AND partition = p AND offset >= f AND offset < e, {streams:Array(String)}, \
    {partitions:Array(UInt32)}, {firsts:Array(UInt64)}, {stops:Array(UInt64)}) \
    AND stream IN {streams:Array(String)} AND partition IN {partitions:Array(UInt32)} \
    AND time >= fromUnixTimestamp64Milli({read_from:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({to:Int64}, 'UTC') \
    AND has({names:Array(String)}, meter) AND ";

/// Of equal instants the last.
const POINTS: &str = "points AS (SELECT provider, array, kind, resource, meter, toUnixTimestamp64Milli(at) AS start, \
    argMax((value, customer, tier, site), (isNotNull(recorded_time), recorded_time, generation, offset)) AS point \
    FROM read WHERE NOT has({deltas:Array(String)}, meter) GROUP BY provider, array, kind, resource, meter, at)";

/// Each reading with the one before it and the one after it.
const STEPS: &str = "steps AS (SELECT provider, array, kind, resource, meter, start, point, \
    transform(toString(meter), {names:Array(String)}, {holds:Array(Int64)}, toInt64(0)) AS hold, \
    leadInFrame(start, 1, toInt64(9000000000000000)) OVER w AS next, \
    lagInFrame(start, 1, toInt64(-9000000000000000)) OVER w AS before, lagInFrame(point.1, 1, toUInt64(0)) OVER w AS value_before \
    FROM points WINDOW w AS (PARTITION BY provider, array, kind, resource, meter ORDER BY start \
    ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING))";

/// What readings give, less what cells hold.
const ALL: &str = "both AS (\
    SELECT provider, array, kind, resource, meter, toInt64(touched) AS hour, point.2 AS customer, point.3 AS tier, point.4 AS site, \
    toInt128(point.1) * toInt128(least(least(next, start + hold), (hour + 1) * 3600000) - greatest(start, hour * 3600000)) AS amount, \
    least(least(next, start + hold), (hour + 1) * 3600000) - greatest(start, hour * 3600000) AS observed, \
    toInt64(start >= hour * 3600000) AS count, toUInt64(0) AS version \
    FROM steps ARRAY JOIN range(toUInt64(intDiv(start, 3600000)), toUInt64(intDiv(least(next, start + hold) - 1, 3600000)) + 1) AS touched \
    WHERE has({gauges:Array(String)}, meter) AND hour >= intDiv({from:Int64}, 3600000) AND hour < intDiv({to:Int64}, 3600000) \
    UNION ALL SELECT provider, array, kind, resource, meter, intDiv(start, 3600000) AS hour, point.2, point.3, point.4, \
    if(start - before > hold, toInt128(0), if(point.1 >= value_before, toInt128(point.1) - toInt128(value_before), toInt128(point.1))), \
    toInt64(0), toInt64(1), toUInt64(0) FROM steps WHERE has({counters:Array(String)}, meter) AND start >= {from:Int64} \
    UNION ALL SELECT provider, array, kind, resource, meter, intDiv(toUnixTimestamp64Milli(at), 3600000) AS hour, customer, tier, site, \
    toInt128(value), toInt64(0), toInt64(1), toUInt64(0) FROM read \
    WHERE has({deltas:Array(String)}, meter) AND toUnixTimestamp64Milli(at) >= {from:Int64} \
    UNION ALL SELECT provider, array, toInt8(kind), resource, meter, intDiv(toInt64(toUnixTimestamp(b.hour)), 3600) AS hour, customer, tier, site, \
    -amount, -toInt64(observed), -toInt64(count), version FROM usage_bucket AS b FINAL \
    ARRAY JOIN cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount, cell_observed_ms AS observed, \
    cell_count AS count WHERE has({arrays:Array(String)}, array) AND has({providers:Array(String)}, provider) \
    AND b.hour >= toDateTime(intDiv({from:Int64}, 1000), 'UTC') AND b.hour < toDateTime(intDiv({to:Int64}, 1000), 'UTC') \
    AND has({names:Array(String)}, meter))";

fn finding(row: &OffRow) -> Finding {
    let series = SeriesKey {
        provider: row.provider.as_str().into(),
        array: row.array.as_str().into(),
        // the column's type has no other numbers
        kind: Kind::from_number(row.kind as u8).unwrap_or(Kind::Array),
        resource: row.resource.as_str().into(),
        meter: row.meter.as_str().into(),
    };
    let detail = format!(
        "by SQL the ledger gives {} more in amount, {} more known milliseconds, {} more readings than the cells hold",
        row.amount_off, row.observed_off, row.count_off
    );
    let place = Place::Bucket(Box::new(series), Hour(row.hour));
    Finding { invariant: "I8", table: "usage_bucket", fault: Fault::Differs, place, detail }
}
