//! The roll of arrays, and what the ledger holds beyond it.

use std::collections::BTreeSet;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::seen::ShapeRow;
use crate::clickhouse::mark::Marks;
use crate::clickhouse::seen::counts;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::programme::roll::{AllHeard, ArrayKey, Heard, Roll};
use crate::core::word::Instant;

/// Arrays on a roll, and those heard of since. Where there are more, each page is asked of the engine ([`super::seen`]).
pub const ARRAYS_MAX: usize = 20_000;
/// Shapes of their readings.
pub const SHAPES_MAX: usize = 100_000;

#[derive(Debug, Row, Deserialize)]
struct HeardRow {
    provider: String,
    array: String,
    first: i64,
    newest: i64,
    labelled: i64,
    name: String,
    site: String,
}

/// The roll of what is put together; none if it has more arrays or shapes than are kept in memory.
///
/// # Errors
/// The server's.
pub async fn roll(client: &Client, marks: &Marks) -> Result<Option<Roll>, Error> {
    let heard = format!(
        "SELECT toString(s.provider) AS provider, toString(s.array) AS array, toUnixTimestamp64Milli(min(s.first)) AS first, \
         toUnixTimestamp64Milli(max(s.newest)) AS newest, toUnixTimestamp64Milli(tupleElement(max(s.label) AS label, 1)) AS labelled, \
         tupleElement(label, 2) AS name, tupleElement(label, 3) AS site FROM stream_array AS s WHERE {} \
         GROUP BY s.provider, s.array LIMIT {{most:UInt64}}",
        counts("s")
    );
    let shapes = format!(
        "SELECT toString(s.provider) AS provider, toString(s.array) AS array, toString(s.kind) AS kind, toString(s.meter) AS meter, \
         toString(s.tier) AS tier, toString(s.site) AS site, s.tagged AS tagged, toUnixTimestamp64Milli(max(s.newest)) AS newest \
         FROM stream_shape AS s WHERE {} GROUP BY s.provider, s.array, s.kind, s.meter, s.tier, s.site, s.tagged LIMIT {{most:UInt64}}",
        counts("s")
    );
    let ask = |sql: &str, most: usize| client.select(sql).param("again", &marks.again).param("most", most + 1);
    let heard = client.fetch_all::<HeardRow>(ask(&heard, ARRAYS_MAX));
    let shapes = client.fetch_all::<ShapeRow>(ask(&shapes, SHAPES_MAX));
    let (heard, shapes) = futures_util::future::try_join(heard, shapes).await?;
    let fits = heard.len() <= ARRAYS_MAX && shapes.len() <= SHAPES_MAX;
    Ok(fits.then(|| Roll::new(all(heard), shapes.into_iter().map(ShapeRow::last))))
}

/// Whose events at or above the marks are looked at.
#[derive(Debug, Default)]
pub struct Scope<'a> {
    /// Those of a part of the list.
    pub part: Option<Part<'a>>,
    /// Those of these arrays, whoever sent them.
    pub arrays: BTreeSet<&'a str>,
}

/// A part of the list of arrays.
#[derive(Debug, Default)]
pub struct Part<'a> {
    /// Of these providers; none = all.
    pub providers: Option<Vec<&'a str>>,
    /// Behind this array.
    pub after: Option<&'a ArrayKey>,
    /// Up to this one, itself included.
    pub last: Option<&'a ArrayKey>,
}

impl Part<'_> {
    /// Whether it is the whole list.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.providers.is_none() && self.after.is_none() && self.last.is_none()
    }
}

impl Scope<'_> {
    fn condition(&self) -> String {
        let of_array = "e.array IN {arrays:Array(String)}";
        let Some(part) = &self.part else { return of_array.to_owned() };
        // one column at a time: the texts of each are compared once and not for each row
        let ends = [
            part.providers.as_ref().map(|_| "e.provider IN {providers:Array(String)}"),
            part.after.map(|_| "(e.provider > {after_provider:String} OR e.provider = {after_provider:String} AND e.array > {after_array:String})"),
            part.last.map(|_| "(e.provider < {last_provider:String} OR e.provider = {last_provider:String} AND e.array <= {last_array:String})"),
        ];
        let within = ends.into_iter().flatten().fold("1".to_owned(), |all, one| format!("{all} AND {one}"));
        format!("({within} OR {of_array})")
    }

    fn bind(&self, query: Query) -> Query {
        let none = Part::default();
        let part = self.part.as_ref().unwrap_or(&none);
        let text = |key: Option<&ArrayKey>| key.cloned().unwrap_or_default();
        let (after, last) = (text(part.after), text(part.last));
        let query = query
            .param("arrays", Vec::from_iter(&self.arrays))
            .param("providers", part.providers.clone().unwrap_or_default());
        let query = query.param("after_provider", after.0).param("after_array", after.1);
        query.param("last_provider", last.0).param("last_array", last.1)
    }
}

/// Who was heard of at or above the marks; none if they are too many.
///
/// # Errors
/// The server's.
pub async fn since(client: &Client, marks: &Marks, scope: &Scope<'_>) -> Result<Option<AllHeard>, Error> {
    let sql = format!(
        "SELECT toString(e.provider) AS provider, toString(e.array) AS array, toUnixTimestamp64Milli(min(assumeNotNull(e.time))) AS first, \
         toUnixTimestamp64Milli(max(assumeNotNull(e.time))) AS newest, \
         toUnixTimestamp64Milli(tupleElement(max((assumeNotNull(e.time), toString(e.array_name), toString(e.site))) AS label, 1)) AS labelled, \
         tupleElement(label, 2) AS name, tupleElement(label, 3) AS site FROM usage_event AS e \
         WHERE e.disposition = 'accepted' AND {} AND {} AND {} GROUP BY e.provider, e.array LIMIT {{most:UInt64}}",
        marks.above("e", "offset"),
        counted("e."),
        scope.condition(),
    );
    let select = scope.bind(marks.bind(client.select(&sql))).param("most", ARRAYS_MAX + 1);
    let rows: Vec<HeardRow> = client.fetch_all(select).await?;
    Ok((rows.len() <= ARRAYS_MAX).then(|| all(rows)))
}

fn all(rows: Vec<HeardRow>) -> AllHeard {
    let of = |row: HeardRow| {
        let label = (Instant(row.labelled), row.name, row.site);
        ((row.provider, row.array), Heard { first: Instant(row.first), newest: Instant(row.newest), label })
    };
    rows.into_iter().map(of).collect()
}
