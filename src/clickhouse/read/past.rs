//! What the ledger below a cut says of a provider's arrays beyond the hours of a period: since when they report, whose tags they have
//! borne, to whom they went. From events alone, so that a proof trusts no bucket.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clickhouse::Row;
use serde::Deserialize;

use super::below::Below;
use super::handover;
use crate::clickhouse::{Client, Error};
use crate::core::metering::definition::{MeterKind, Meters};
use crate::core::metering::tag::Tags;
use crate::core::pricing::gather::{ArrayPast, Borne, Past};
use crate::core::pricing::period::Span;
use crate::core::pricing::selection::LineSelection;
use crate::core::word::{Instant, Kind};

#[derive(Debug, Row, Deserialize)]
struct FirstRow {
    array: String,
    first: i64,
    is_shared: u8,
}

#[derive(Debug, Row, Deserialize)]
struct BorneRow {
    array: String,
    kind: String,
    meter: String,
    customer: String,
    tier: String,
    site: String,
    since: i64,
}

/// Reads what lines of one provider need to know of the past.
///
/// # Errors
/// The server's.
pub async fn read(
    client: &Client,
    provider: &str,
    selections: &[LineSelection],
    meters: &Meters,
    below: &Below<'_>,
) -> Result<Past, Error> {
    let mut past = Past::default();
    let first = first(client, provider, below).await?;
    let shared: Vec<String> = first.iter().filter(|row| row.is_shared != 0).map(|row| row.array.clone()).collect();
    for until in selections.iter().map(|selection| selection.until).collect::<BTreeSet<Instant>>() {
        let handed_over = handover::exact(client, provider, &shared, until, below).await?;
        past.handed_over.insert((provider.to_owned(), until), handed_over);
    }
    let mut borne = borne(client, provider, selections, meters, below).await?;
    for FirstRow { array, first, .. } in first {
        let borne = borne.remove(&array).unwrap_or_default();
        past.arrays.push(ArrayPast { provider: provider.to_owned(), array, first_reading: Instant(first), borne });
    }
    Ok(past)
}

/// The provider's arrays, the first accepted event of each, and whether another provider has named it too.
async fn first(client: &Client, provider: &str, below: &Below<'_>) -> Result<Vec<FirstRow>, Error> {
    // without FINAL: a row that is there twice changes nothing here
    let sql = format!(
        "SELECT toString(e.array) AS array, toUnixTimestamp64Milli(minIf(assumeNotNull(e.time), e.provider = {{provider:String}})) AS first, \
         toUInt8(uniqExact(e.provider) > 1) AS is_shared FROM usage_event AS e WHERE e.disposition = 'accepted' AND {} \
         GROUP BY array HAVING countIf(e.provider = {{provider:String}}) > 0 ORDER BY array",
        below.condition()
    );
    let query = client.select(&sql).param("provider", provider);
    client.fetch_all(below.bind(query)).await
}

/// Under which tags the lines' meters were read, by array. Of readings of one instant the last counts, as in metering: a correction
/// that takes a tag away leaves nothing of it.
async fn borne(
    client: &Client,
    provider: &str,
    selections: &[LineSelection],
    meters: &Meters,
    below: &Below<'_>,
) -> Result<HashMap<String, Vec<Borne>>, Error> {
    let wanted: BTreeSet<&str> = selections.iter().map(|selection| selection.meter.as_str()).collect();
    let is_delta = |name: &&&str| meters.get(name).is_some_and(|definition| definition.kind == MeterKind::Delta);
    let deltas: Vec<&str> = wanted.iter().filter(is_delta).copied().collect();
    // a bucket counts from its hour's start on
    let until = selections.iter().map(|selection| selection.until.plus_ms(3_599_999).hour().start()).max();
    let half = (client.settings().query_max_memory_bytes / 2).to_string();
    let query = client
        .select(&borne_sql(below))
        .with_setting("max_bytes_before_external_group_by", half)
        .param("provider", provider)
        .param("until", until.unwrap_or_default().0)
        .param("meters", wanted.into_iter().collect::<Vec<_>>())
        .param("deltas", deltas);
    let rows: Vec<BorneRow> = client.fetch_all(below.bind(query)).await?;
    let mut borne: HashMap<String, Vec<Borne>> = HashMap::new();
    let mut interned: BTreeMap<String, Box<str>> = BTreeMap::new();
    let mut tag = |text: String| match text.is_empty() {
        true => None,
        false => Some(interned.entry(text).or_insert_with_key(|text| text.as_str().into()).clone()),
    };
    for row in rows {
        let tags = Tags { customer: tag(row.customer), tier: tag(row.tier), site: tag(row.site) };
        // the column's type has no other names
        let kind = Kind::parse(&row.kind).unwrap_or(Kind::Array);
        let of_array = borne.entry(row.array).or_default();
        of_array.push(Borne { kind, meter: row.meter, tags, since: Instant(row.since) });
    }
    Ok(borne)
}

/// Events are chosen before their readings become rows, and texts are made of what is left: there are some hundred readings an event.
fn borne_sql(below: &Below<'_>) -> String {
    let events = format!(
        "e.disposition = 'accepted' AND e.provider = {{provider:String}} AND e.time < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') AND {}",
        below.condition()
    );
    let is_shared = "(e.array, assumeNotNull(e.time)) IN shared";
    let said = "e.array AS by_array, e.site AS by_site, assumeNotNull(e.time) AS time, reading_kind, reading_meter, reading_customer, reading_tier";
    let join = "ARRAY JOIN reading_kind AS by_kind, reading_meter AS by_meter, reading_customer AS by_customer, reading_tier AS by_tier";
    let names = "toString(by_array) AS array, toString(by_kind) AS kind, toString(by_meter) AS meter, toString(by_customer) AS customer, toString(by_tier) AS tier, toString(by_site) AS site";
    let place = "(isNotNull(e.recorded_time), ifNull(e.recorded_time, toDateTime64(0, 3, 'UTC')), \
                 toUInt32OrZero(splitByChar('-', toString(e.stream))[-1]), e.offset) AS place";
    format!(
        "WITH shared AS (SELECT e.array, assumeNotNull(e.time) FROM usage_event AS e WHERE {events} \
         GROUP BY e.array, e.time HAVING uniqExact(e.stream, e.partition, e.offset) > 1) \
         SELECT array, kind, meter, customer, tier, site, toUnixTimestamp64Milli(min(time)) AS since FROM (\
         SELECT {names}, first AS time FROM (SELECT by_array, by_kind, by_meter, by_customer, by_tier, by_site, min(time) AS first FROM \
         (SELECT {said}, {is_shared} AS is_shared FROM usage_event AS e WHERE {events}) \
         {join} WHERE by_meter IN {{meters:Array(String)}} AND (is_shared = 0 OR by_meter IN {{deltas:Array(String)}}) \
         GROUP BY by_array, by_kind, by_meter, by_customer, by_tier, by_site) \
         UNION ALL SELECT array, kind, meter, counts.1 AS customer, counts.2 AS tier, counts.3 AS site, time FROM (\
         SELECT array, time, kind, meter, resource, argMax((customer, tier, site), place) AS counts FROM (\
         SELECT {names}, resource, time, place FROM (SELECT {said}, reading_resource, {place} FROM usage_event AS e WHERE {events} AND {is_shared}) \
         {join}, reading_resource AS resource WHERE by_meter IN {{meters:Array(String)}} AND NOT has({{deltas:Array(String)}}, by_meter)) \
         GROUP BY array, time, kind, meter, resource)) GROUP BY array, kind, meter, customer, tier, site"
    )
}

#[derive(Debug, Row, Deserialize)]
struct TagRow {
    customer: String,
}

/// The tenant tags of a provider's readings measured in a span: all that cells of it can bear, and maybe some that a correction took away.
///
/// # Errors
/// The server's.
pub async fn tags(client: &Client, provider: &str, span: Span, below: &Below<'_>) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT DISTINCT toString(customer) AS customer FROM usage_event AS e ARRAY JOIN reading_customer AS customer \
         WHERE e.disposition = 'accepted' AND e.provider = {{provider:String}} AND customer != '' AND {} \
         AND e.time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') AND e.time < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') \
         ORDER BY customer",
        below.condition()
    );
    let query =
        client.select(&sql).param("provider", provider).param("from", span.from.0.max(0)).param("until", span.until.0);
    let rows: Vec<TagRow> = client.fetch_all(below.bind(query)).await?;
    Ok(rows.into_iter().map(|row| row.customer).collect())
}
