//! Arrays: when they were heard of first and last, and what their newest readings look like.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::Deserialize;

use super::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::pricing::orphan::Shape;
use crate::core::programme::roll::{ArrayKey, Heard, Look};
use crate::core::word::{Instant, Kind};

/// Which arrays.
#[derive(Clone, Debug)]
pub struct ArrayQuery {
    /// Of these providers only; none = all.
    pub providers: Option<BTreeSet<String>>,
    /// As things stood at this instant of the readings' own time.
    pub at: Instant,
    /// The array before the first: provider and id.
    pub after: Option<(String, String)>,
    /// Rows at most.
    pub limit: usize,
}

/// One array, from the events that were accepted of it.
#[derive(Debug, Row, Deserialize)]
pub struct ArrayRow {
    /// Who runs it.
    pub provider: String,
    /// Its id.
    pub array: String,
    /// Its newest name; empty = none.
    pub name: String,
    /// Its newest site; empty = none.
    pub site: String,
    /// The first accepted time, in milliseconds since 1970.
    pub first: i64,
    /// The newest accepted time.
    pub newest: i64,
}

impl From<(ArrayKey, Heard)> for ArrayRow {
    fn from(((provider, array), Heard { first, newest, label: (_, name, site) }): (ArrayKey, Heard)) -> Self {
        Self { provider, array, name, site, first: first.0, newest: newest.0 }
    }
}

#[derive(Debug, Row, Deserialize)]
struct ShapeRow {
    provider: String,
    array: String,
    kind: String,
    meter: String,
    tier: String,
    site: String,
    tagged: u8,
}

/// A provider that named an array.
#[derive(Debug, Row, Deserialize)]
pub(super) struct NamedRow {
    pub(super) provider: String,
    pub(super) array: String,
    pub(super) newest: i64,
}

/// A page of arrays by provider and id.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, query: &ArrayQuery) -> Result<Vec<ArrayRow>, Error> {
    // without FINAL: a row that is there twice changes neither the least nor the greatest
    let sql = format!(
        "SELECT toString(e.provider) AS provider, toString(e.array) AS array, toString(argMax(e.array_name, assumeNotNull(e.time))) AS name, \
         toString(argMax(e.site, assumeNotNull(e.time))) AS site, toUnixTimestamp64Milli(min(assumeNotNull(e.time))) AS first, \
         toUnixTimestamp64Milli(max(assumeNotNull(e.time))) AS newest FROM usage_event AS e \
         WHERE e.disposition = 'accepted' AND {} AND e.time <= fromUnixTimestamp64Milli({{at:Int64}}, 'UTC') {} \
         GROUP BY provider, array {} ORDER BY provider, array LIMIT {{limit:UInt64}}",
        counted("e."),
        if query.providers.is_some() { "AND has({providers:Array(String)}, toString(e.provider))" } else { "" },
        if query.after.is_some() {
            "HAVING (provider, array) > ({after_provider:String}, {after_array:String})"
        } else {
            ""
        },
    );
    let providers: Vec<&String> = query.providers.iter().flatten().collect();
    let (provider, array) = query.after.clone().unwrap_or_default();
    let select = client.select(&sql).param("at", query.at.0.max(0)).param("providers", providers);
    let select = select.param("after_provider", provider).param("after_array", array).param("limit", query.limit);
    client.fetch_all(void::read(client).await?.bind(select)).await
}

/// What the metered readings of each array's newest day look like, by provider and array.
///
/// # Errors
/// The server's.
pub async fn looks(client: &Client, rows: &[ArrayRow]) -> Result<BTreeMap<(String, String), Look>, Error> {
    // each row's array is looked up in a table and not in a list: a page of arrays would be looked through for each of their rows
    let sql = "SELECT DISTINCT toString(provider) AS provider, toString(array) AS array, toString(kind) AS kind, \
               toString(meter) AS meter, toString(tier) AS tier, toString(site) AS site, notEmpty(customer) AS tagged \
               FROM usage_bucket FINAL ARRAY JOIN cell_tier AS tier, cell_site AS site, cell_customer AS customer \
               WHERE provider IN {providers:Array(String)} AND array IN {arrays:Array(String)} AND meter NOT LIKE '$%' \
               AND hour <= toDateTime(transform(concat(provider, '/', array), {keys:Array(String)}, {newest:Array(Int64)}, toInt64(0)) \
               / 1000, 'UTC') \
               AND hour >= toDateTime(transform(concat(provider, '/', array), {keys:Array(String)}, {newest:Array(Int64)}, toInt64(0)) \
               / 1000 - 86400, 'UTC')";
    let texts = |text: fn(&ArrayRow) -> String| rows.iter().map(text).collect::<Vec<String>>();
    let newest: Vec<i64> = rows.iter().map(|row| row.newest).collect();
    let providers: BTreeSet<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    let select = client.select(sql).param("providers", Vec::from_iter(providers));
    let select = select.param("arrays", texts(|row| row.array.clone())).param("newest", newest);
    let select = select.param("keys", texts(|row| format!("{}/{}", row.provider, row.array)));
    let found: Vec<ShapeRow> = client.fetch_all(select).await?;
    let mut looks: BTreeMap<(String, String), Look> = BTreeMap::new();
    for ShapeRow { provider, array, kind, meter, tier, site, tagged } in found {
        // the column's type has no other names
        let kind = Kind::parse(&kind).unwrap_or(Kind::Array);
        let look = looks.entry((provider, array)).or_default();
        look.is_tagged |= tagged == 1;
        look.shapes.push(Shape { kind, meter, tier, site });
    }
    for look in looks.values_mut() {
        look.shapes.sort();
        look.shapes.dedup();
    }
    Ok(looks)
}

/// All providers that named each of these arrays up to an instant, with their newest accepted times, by array.
///
/// # Errors
/// The server's.
pub async fn named(
    client: &Client,
    rows: &[ArrayRow],
    at: Instant,
) -> Result<BTreeMap<String, Vec<(String, Instant)>>, Error> {
    let sql = format!(
        "SELECT toString(e.provider) AS provider, toString(e.array) AS array, toUnixTimestamp64Milli(max(assumeNotNull(e.time))) AS newest \
         FROM usage_event AS e WHERE e.disposition = 'accepted' AND {} AND has({{arrays:Array(String)}}, toString(e.array)) \
         AND e.time <= fromUnixTimestamp64Milli({{at:Int64}}, 'UTC') GROUP BY provider, array ORDER BY array, provider",
        counted("e.")
    );
    let arrays: Vec<&str> = rows.iter().map(|row| row.array.as_str()).collect();
    let select = client.select(&sql).param("arrays", arrays).param("at", at.0.max(0));
    let found: Vec<NamedRow> = client.fetch_all(void::read(client).await?.bind(select)).await?;
    let mut named: BTreeMap<String, Vec<(String, Instant)>> = BTreeMap::new();
    for row in found {
        named.entry(row.array).or_default().push((row.provider, Instant(row.newest)));
    }
    Ok(named)
}
