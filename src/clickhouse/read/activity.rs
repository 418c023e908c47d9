//! What was measured of providers lately: for scorecards.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use futures_util::future::try_join;
use serde::Deserialize;

use super::rows::Rows;
use super::seen::HeardRow;
use super::void;
use crate::clickhouse::provider_activity;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::book::claim::owners;
use crate::core::programme::scorecard::{Activity, DORMANT_MS, measured};
use crate::core::word::{HOUR_MS, Instant};

/// Hours of the day in which customers and capacity are counted.
const DAY_HOURS: i64 = 24;
/// Hours for which a count is taken for that of now.
pub const COUNTED_MAX_HOURS: i64 = 2;
/// How long before it a customer must have been absent to be new: 90 days.
const NEW_HOURS: i64 = 90 * DAY_HOURS;

#[derive(Debug, Row, Deserialize)]
struct TagRow {
    provider: String,
    tag: String,
    now: u8,
    before: u8,
}

#[derive(Debug, Row, Deserialize)]
struct HeldRow {
    provider: String,
    integral: i128,
}

/// The activity of providers up to an instant; customers of those whose customers may be told.
///
/// # Errors
/// The server's.
pub async fn read(
    client: &Client,
    book: &Book,
    providers: &[String],
    told: &BTreeSet<String>,
    at: Instant,
) -> Result<BTreeMap<String, Activity>, Error> {
    let mut found = counted_of(client, book, providers, told, at).await?;
    let rows = heard(client, providers, at).await?;
    take_heard(rows, &mut found);
    Ok(found)
}

/// The activity of providers now, of what was counted before; what was not is counted. `heard` says when they were heard of.
///
/// # Errors
/// The server's.
pub async fn read_now(
    client: &Client,
    book: &Book,
    providers: &[String],
    told: &BTreeSet<String>,
    now: Instant,
    heard: impl Future<Output = Result<Vec<HeardRow>, Error>>,
) -> Result<BTreeMap<String, Activity>, Error> {
    if providers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let both = try_join(counted_now(client, book, providers, told, now), heard);
    let (mut found, rows) = both.await?;
    take_heard(rows, &mut found);
    Ok(found)
}

/// Capacity and customers as they were counted last, or counted now where they were not.
async fn counted_now(
    client: &Client,
    book: &Book,
    providers: &[String],
    told: &BTreeSet<String>,
    now: Instant,
) -> Result<BTreeMap<String, Activity>, Error> {
    let mut found: BTreeMap<String, Activity> = BTreeMap::new();
    let (from, until) = (end_s(now, COUNTED_MAX_HOURS), end_s(now, 0));
    for row in provider_activity::newest(client, providers, from, until).await? {
        let (meter, kind) = measured(book, &row.provider).map_or(("", ""), |(meter, kind)| (meter, kind.as_str()));
        if (meter, kind) == (row.meter.as_str(), row.kind.as_str()) {
            let customers = told.contains(&row.provider).then_some((row.customers, row.new_customers));
            let integral = (!meter.is_empty()).then_some(row.integral);
            found.insert(row.provider, Activity { customers, integral, ..Activity::default() });
        }
    }
    let missing: Vec<String> = providers.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    let told: BTreeSet<String> = told.iter().filter(|id| missing.contains(id)).cloned().collect();
    found.extend(counted_of(client, book, &missing, &told, now).await?);
    Ok(found)
}

/// What of the activity is counted in buckets: capacity and customers of the day before an instant.
///
/// # Errors
/// The server's.
pub async fn counted_of(
    client: &Client,
    book: &Book,
    providers: &[String],
    told: &BTreeSet<String>,
    at: Instant,
) -> Result<BTreeMap<String, Activity>, Error> {
    let both = try_join(held(client, book, providers, at), customers(client, book, told, at));
    let (mut held, mut customers) = both.await?;
    let mut of = |id: &String| {
        let (integral, customers) = (held.remove(id), customers.remove(id));
        (id.clone(), Activity { integral, customers, ..Activity::default() })
    };
    Ok(providers.iter().map(&mut of).collect())
}

fn take_heard(rows: Vec<HeardRow>, found: &mut BTreeMap<String, Activity>) {
    for HeardRow { provider, arrays, newest } in rows {
        if let Some(activity) = found.get_mut(&provider) {
            (activity.arrays, activity.newest) = (arrays, Some(Instant(newest)));
        }
    }
}

/// When providers were heard of up to an instant, of the ledger.
///
/// # Errors
/// The server's.
pub async fn heard(client: &Client, providers: &[String], at: Instant) -> Result<Vec<HeardRow>, Error> {
    // without FINAL: a row that is there twice changes neither
    let sql = format!(
        "SELECT toString(e.provider) AS provider, uniqExactIf(e.array, e.time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')) AS arrays, \
         toUnixTimestamp64Milli(max(assumeNotNull(e.time))) AS newest FROM usage_event AS e WHERE e.disposition = 'accepted' AND {} \
         AND has({{providers:Array(String)}}, toString(e.provider)) AND e.time <= fromUnixTimestamp64Milli({{at:Int64}}, 'UTC') GROUP BY provider",
        counted("e.")
    );
    let select = client.select(&sql).param("providers", providers).param("at", at.0.max(0));
    let select = select.param("since", (at.0 - DORMANT_MS).max(0));
    client.fetch_all(void::read(client).await?.bind(select)).await
}

/// The last whole hour before an instant ends here, in seconds.
#[must_use]
pub fn end_s(at: Instant, hours_before: i64) -> i64 {
    ((at.0.div_euclid(HOUR_MS) - hours_before) * HOUR_MS / 1000).max(0)
}

/// Capacity of the last day, of those of whom it is measured.
async fn held(
    client: &Client,
    book: &Book,
    providers: &[String],
    at: Instant,
) -> Result<BTreeMap<String, i128>, Error> {
    let mut found = BTreeMap::new();
    let (mut ids, mut meters, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for id in providers {
        if let Some((meter, kind)) = measured(book, id) {
            ids.push(id.as_str());
            meters.push(meter);
            kinds.push(kind.as_str());
            found.insert(id.clone(), 0);
        }
    }
    if ids.is_empty() {
        return Ok(found);
    }
    let demo: Vec<&String> = book
        .arrays
        .iter()
        .filter(|(_, purpose)| purpose.demo && purpose.until.is_none_or(|until| at < until))
        .map(|(array, _)| array)
        .collect();
    let sql = "SELECT toString(provider) AS provider, sum(arraySum(cell_amount)) AS integral FROM usage_bucket FINAL \
               WHERE provider IN {providers:Array(String)} AND hour >= toDateTime({from:Int64}, 'UTC') AND hour < toDateTime({until:Int64}, 'UTC') \
               AND NOT has({demo:Array(String)}, toString(array)) \
               AND {meters:Array(String)}[indexOf({providers:Array(String)}, toString(provider))] = toString(meter) \
               AND {kinds:Array(String)}[indexOf({providers:Array(String)}, toString(provider))] = toString(kind) GROUP BY provider";
    let select = client.select(sql).param("providers", ids).param("meters", meters).param("kinds", kinds);
    let select = select.param("demo", demo).param("from", end_s(at, DAY_HOURS)).param("until", end_s(at, 0));
    let rows: Vec<HeldRow> = client.fetch_all(select).await?;
    found.extend(rows.into_iter().map(|HeldRow { provider, integral }| (provider, integral)));
    Ok(found)
}

/// Customers of the last day, and of the day so long before: by tags, put together by who claims them.
async fn customers(
    client: &Client,
    book: &Book,
    told: &BTreeSet<String>,
    at: Instant,
) -> Result<BTreeMap<String, (u64, u64)>, Error> {
    if told.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT toString(provider) AS provider, toString(customer) AS tag, toUInt8(max(hour >= toDateTime({from:Int64}, 'UTC'))) AS now, \
               toUInt8(min(hour) < toDateTime({from:Int64}, 'UTC')) AS before FROM usage_bucket FINAL ARRAY JOIN cell_customer AS customer \
               WHERE provider IN {providers:Array(String)} AND notEmpty(customer) \
               AND ((hour >= toDateTime({from:Int64}, 'UTC') AND hour < toDateTime({until:Int64}, 'UTC')) \
               OR (hour >= toDateTime({old_from:Int64}, 'UTC') AND hour < toDateTime({old_until:Int64}, 'UTC'))) \
               GROUP BY provider, tag ORDER BY provider, tag";
    let select = client.select(sql).param("providers", told.iter().collect::<Vec<_>>());
    let select = select.param("from", end_s(at, DAY_HOURS)).param("until", end_s(at, 0));
    let select = select.param("old_from", end_s(at, DAY_HOURS + NEW_HOURS)).param("old_until", end_s(at, NEW_HOURS));
    let mut rows: Rows<TagRow> = Rows::of(client, select)?;
    let mut seen: BTreeMap<String, BTreeMap<String, (bool, bool)>> = BTreeMap::new();
    for provider in told {
        seen.insert(provider.clone(), BTreeMap::new());
    }
    let mut claimed: (String, BTreeMap<String, &str>) = Default::default();
    while let Some(TagRow { provider, tag, now, before }) = rows.next().await? {
        if claimed.0 != provider {
            claimed = (provider.clone(), owners(book, &provider));
        }
        let customer = claimed.1.get(&tag).map_or(tag.clone(), |owner| (*owner).to_owned());
        let days = seen.entry(provider).or_default().entry(customer).or_default();
        (days.0, days.1) = (days.0 || now == 1, days.1 || before == 1);
    }
    let count = |(provider, customers): (String, BTreeMap<String, (bool, bool)>)| {
        let all = customers.values().filter(|(now, _)| *now).count() as u64;
        let new = customers.values().filter(|(now, before)| *now && !before).count() as u64;
        (provider, (all, new))
    };
    Ok(seen.into_iter().map(count).collect())
}
