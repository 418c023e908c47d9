//! Arrays as they were put together, with what the ledger holds beyond that: as things stand now, whatever the size of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::Deserialize;

use super::arrays::{ArrayQuery, ArrayRow, NamedRow};
use crate::clickhouse::mark::Marks;
use crate::clickhouse::seen::counts;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::pricing::orphan::Shape;
use crate::core::programme::roll::{ArrayKey, LastShape, Look};
use crate::core::word::{Instant, Kind};

/// What the readings of each array's newest day look like.
pub type Looks = BTreeMap<ArrayKey, Look>;

#[derive(Debug, Row, Deserialize)]
pub(super) struct ShapeRow {
    provider: String,
    array: String,
    kind: String,
    meter: String,
    tier: String,
    site: String,
    tagged: u8,
    newest: i64,
}

impl ShapeRow {
    /// The array, and the shape that its readings had.
    pub(super) fn last(self) -> (ArrayKey, LastShape) {
        // the column's type has no other names
        let kind = Kind::parse(&self.kind).unwrap_or(Kind::Array);
        let shape = Shape { kind, meter: self.meter, tier: self.tier, site: self.site };
        let newest = Instant(self.newest);
        ((self.provider, self.array), LastShape { shape, is_tagged: self.tagged == 1, newest })
    }
}

/// When a provider was heard of.
#[derive(Debug, Row, Deserialize)]
pub struct HeardRow {
    /// The provider.
    pub provider: String,
    /// Its arrays that were heard of since the instant asked for.
    pub arrays: u64,
    /// The newest accepted time, in milliseconds since 1970.
    pub newest: i64,
}

/// The shapes that were put together, of which a condition follows.
const KEPT: &str = "SELECT toString(s.provider) AS provider, toString(s.array) AS array, s.kind AS kind, toString(s.meter) AS meter, \
     toString(s.tier) AS tier, toString(s.site) AS site, s.tagged AS tagged, s.newest AS newest FROM stream_shape AS s \
     WHERE s.provider IN {providers:Array(String)} AND s.array IN {arrays:Array(String)} AND";
/// Those of accepted readings, of which a condition follows.
const ABOVE: &str = "SELECT toString(e.provider) AS provider, toString(e.array) AS array, r_kind AS kind, toString(r_meter) AS meter, \
     toString(r_tier) AS tier, toString(e.site) AS site, toUInt8(notEmpty(r_customer)) AS tagged, assumeNotNull(e.time) AS newest \
     FROM usage_event AS e ARRAY JOIN e.reading_kind AS r_kind, e.reading_meter AS r_meter, e.reading_tier AS r_tier, \
     e.reading_customer AS r_customer WHERE e.disposition = 'accepted' AND e.provider IN {providers:Array(String)} \
     AND e.array IN {arrays:Array(String)}";

/// What was put together and what lies above it, of what fulfils a condition: `{}` stands for the name of the table.
fn both(marks: &Marks, condition: &str) -> String {
    format!(
        "SELECT toString(s.provider) AS provider, toString(s.array) AS array, s.first AS first, s.newest AS newest, s.label AS label \
         FROM stream_array AS s WHERE {} AND {} UNION ALL SELECT toString(e.provider), toString(e.array), assumeNotNull(e.time), \
         assumeNotNull(e.time), (assumeNotNull(e.time), toString(e.array_name), toString(e.site)) FROM usage_event AS e \
         WHERE e.disposition = 'accepted' AND {} AND {} AND {}",
        condition.replace("{}", "s"),
        counts("s"),
        marks.above("e", "offset"),
        counted("e."),
        condition.replace("{}", "e"),
    )
}

/// A page of arrays by provider and id.
///
/// # Errors
/// The server's.
pub async fn arrays(client: &Client, marks: &Marks, query: &ArrayQuery) -> Result<Vec<ArrayRow>, Error> {
    let providers = query.providers.as_ref().map(|_| "{}.provider IN {providers:Array(String)}");
    let after =
        query.after.as_ref().map(|_| "({}.provider, {}.array) > ({after_provider:String}, {after_array:String})");
    let condition =
        [providers, after].into_iter().flatten().fold("1".to_owned(), |all, one| format!("{all} AND {one}"));
    let sql = format!(
        "SELECT x.provider AS provider, x.array AS array, tupleElement(max(x.label), 2) AS name, tupleElement(max(x.label), 3) AS site, \
         toUnixTimestamp64Milli(min(x.first)) AS first, toUnixTimestamp64Milli(max(x.newest)) AS newest \
         FROM ({}) AS x GROUP BY x.provider, x.array ORDER BY x.provider, x.array LIMIT {{limit:UInt64}}",
        both(marks, &condition)
    );
    let providers: Vec<&String> = query.providers.iter().flatten().collect();
    let (provider, array) = query.after.clone().unwrap_or_default();
    let select = marks.bind(client.select(&sql)).param("providers", providers);
    let select = select.param("after_provider", provider).param("after_array", array).param("limit", query.limit);
    client.fetch_all(select).await
}

/// All providers that named each of these arrays, with their newest accepted times, by array.
///
/// # Errors
/// The server's.
pub async fn named(
    client: &Client,
    marks: &Marks,
    rows: &[ArrayRow],
) -> Result<BTreeMap<String, Vec<(String, Instant)>>, Error> {
    let sql = format!(
        "SELECT x.provider AS provider, x.array AS array, toUnixTimestamp64Milli(max(x.newest)) AS newest FROM ({}) AS x \
         GROUP BY x.provider, x.array ORDER BY x.array, x.provider",
        both(marks, "{}.array IN {arrays:Array(String)}")
    );
    let arrays: Vec<&str> = rows.iter().map(|row| row.array.as_str()).collect();
    let found: Vec<NamedRow> = client.fetch_all(marks.bind(client.select(&sql)).param("arrays", arrays)).await?;
    let mut named: BTreeMap<String, Vec<(String, Instant)>> = BTreeMap::new();
    for row in found {
        named.entry(row.array).or_default().push((row.provider, Instant(row.newest)));
    }
    Ok(named)
}

/// What the readings of each array's newest day look like, by provider and array. Of an array whose readings are put together what lies above
/// the marks, some minutes, is not looked at: the ledger's readings are too many for that.
///
/// # Errors
/// The server's.
pub async fn looks(client: &Client, marks: &Marks, rows: &[ArrayRow]) -> Result<Looks, Error> {
    let kept = format!("{KEPT} {}", counts("s"));
    let mut looks = of_newest_day(shapes(client, marks, &kept, &rows.iter().collect::<Vec<_>>()).await?, rows);
    looks_above(client, marks, rows, &mut looks).await?;
    Ok(looks)
}

/// The same of those that lack a look, of what lies above the marks.
///
/// # Errors
/// The server's.
pub async fn looks_above(client: &Client, marks: &Marks, rows: &[ArrayRow], looks: &mut Looks) -> Result<(), Error> {
    let is_new = |row: &&ArrayRow| !looks.contains_key(&(row.provider.clone(), row.array.clone()));
    let new: Vec<&ArrayRow> = rows.iter().filter(is_new).collect();
    if !new.is_empty() {
        let above = format!("{ABOVE} AND {} AND {}", marks.above("e", "offset"), counted("e."));
        looks.extend(of_newest_day(shapes(client, marks, &above, &new).await?, rows));
    }
    Ok(())
}

/// The shapes of these arrays.
async fn shapes(client: &Client, marks: &Marks, from: &str, rows: &[&ArrayRow]) -> Result<Vec<ShapeRow>, Error> {
    let sql = format!(
        "SELECT x.provider AS provider, x.array AS array, toString(x.kind) AS kind, x.meter AS meter, x.tier AS tier, x.site AS site, \
         x.tagged AS tagged, toUnixTimestamp64Milli(max(x.newest)) AS newest FROM ({from}) AS x \
         GROUP BY x.provider, x.array, x.kind, x.meter, x.tier, x.site, x.tagged"
    );
    let providers: BTreeSet<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    let arrays: BTreeSet<&str> = rows.iter().map(|row| row.array.as_str()).collect();
    let select = marks.bind(client.select(&sql)).param("providers", Vec::from_iter(providers));
    client.fetch_all(select.param("arrays", Vec::from_iter(arrays))).await
}

/// The shapes that are of their array's newest day.
fn of_newest_day(found: Vec<ShapeRow>, rows: &[ArrayRow]) -> Looks {
    let mut shapes: BTreeMap<ArrayKey, Vec<LastShape>> = BTreeMap::new();
    for row in found {
        let (key, last) = row.last();
        shapes.entry(key).or_default().push(last);
    }
    let look = |row: &ArrayRow| {
        let key = (row.provider.clone(), row.array.clone());
        let look = Look::of(shapes.get(&key)?, Instant(row.newest))?;
        Some((key, look))
    };
    rows.iter().filter_map(look).collect()
}

/// When providers were heard of, and how many arrays of each since an instant.
///
/// # Errors
/// The server's.
pub async fn heard(
    client: &Client,
    marks: &Marks,
    providers: &[String],
    since: Instant,
) -> Result<Vec<HeardRow>, Error> {
    let sql = format!(
        "SELECT x.provider AS provider, uniqExactIf(x.array, x.newest >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')) AS arrays, \
         toUnixTimestamp64Milli(max(x.newest)) AS newest FROM ({}) AS x GROUP BY x.provider",
        both(marks, "{}.provider IN {providers:Array(String)}")
    );
    let select = marks.bind(client.select(&sql)).param("providers", providers).param("since", since.0.max(0));
    client.fetch_all(select).await
}
