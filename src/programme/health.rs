//! The health of arrays, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clickhouse::mark::Marks;
use crate::clickhouse::read::arrays::{ArrayQuery, ArrayRow, Look, looks, named, read};
use crate::clickhouse::read::seen;
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::programme::health::{Health, Seen, State, health};
use crate::core::word::Instant;

/// One array of which something was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Array {
    /// Who runs it.
    pub provider: String,
    /// Its id.
    pub array: String,
    /// Its newest name.
    pub name: Option<String>,
    /// Its newest site.
    pub site: Option<String>,
    /// How it is, in one word: contested before moved, then demo_expired, orphaned, demo_busy, demo, silent, ok.
    pub state: State,
    /// Whether its newest accepted time lies more than 24 hours back.
    pub silent: bool,
    /// Why nobody is billed for it; null if somebody is.
    pub orphaned: Option<String>,
    /// Whether it stands there for demonstration: metered, charged nothing.
    pub demo: bool,
    /// Until when it does, or did; null if it is for none, or without an end.
    pub demo_until: Option<String>,
    /// The other provider of an array that moved or is contested; null where the reader may not know it.
    pub other_provider: Option<String>,
    /// The first accepted time.
    pub first_reading: String,
    /// The newest accepted time.
    pub last_reading: String,
}

/// As things stood when.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The instant.
    pub at: Instant,
    /// What was put together, which is how things stand now; it knows of no other instant, and then the ledger is read.
    marks: Marks,
}

impl Stand {
    /// As things stood at an instant, or stand at the log's own time; none before the first checkpoint.
    ///
    /// # Errors
    /// The server's.
    pub async fn read(client: &Client, at: Option<Instant>) -> Result<Option<Self>, Error> {
        if let Some(at) = at {
            return Ok(Some(Self { at, marks: Marks::default() }));
        }
        let marks = Marks::read(client).await?;
        Ok(marks.log_time(client).await?.map(|at| Self { at, marks }))
    }
}

/// A page of arrays by provider and id, and whether there are more.
///
/// # Errors
/// The server's.
pub async fn page(
    client: &Client,
    book: &Book,
    Stand { marks, .. }: &Stand,
    query: &ArrayQuery,
) -> Result<(Vec<Array>, bool), Error> {
    let more = ArrayQuery { limit: query.limit + 1, ..query.clone() };
    let mut rows = if marks.is_kept { seen::arrays(client, marks, &more).await? } else { read(client, &more).await? };
    let is_more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let (mut looks, named) = if marks.is_kept {
        let found =
            futures_util::future::try_join(seen::looks(client, marks, &rows), seen::named(client, marks, &rows));
        let (mut looks, named) = found.await?;
        // a reading of a meter that nobody has defined is none that could be billed
        looks.values_mut().for_each(|look| look.shapes.retain(|shape| book.meters.contains_key(&shape.meter)));
        (looks, named)
    } else {
        futures_util::future::try_join(looks(client, &rows), named(client, &rows, query.at)).await?
    };
    let mut arrays = Vec::with_capacity(rows.len());
    for row in rows {
        let look = looks.remove(&(row.provider.clone(), row.array.clone())).unwrap_or_default();
        let others = named.get(&row.array).map_or(&[][..], Vec::as_slice);
        let others = others.iter().filter(|(provider, _)| *provider != row.provider).cloned().collect::<Vec<_>>();
        let mut array = shown(row, book, query.at, &look, &others);
        let may_know = |other: &String| query.providers.as_ref().is_none_or(|own| own.contains(other));
        array.other_provider = array.other_provider.filter(may_know);
        arrays.push(array);
    }
    Ok((arrays, is_more))
}

fn shown(row: ArrayRow, book: &Book, at: Instant, look: &Look, others: &[(String, Instant)]) -> Array {
    let seen = Seen {
        provider: &row.provider,
        array: &row.array,
        newest: Instant(row.newest),
        others,
        shapes: &look.shapes,
        is_tagged: look.is_tagged,
    };
    let Health { state, silent, orphaned, demo, demo_until, other } = health(book, &seen, at);
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Array {
        name: some(row.name),
        site: some(row.site),
        provider: row.provider,
        array: row.array,
        state,
        silent,
        orphaned,
        demo,
        demo_until: demo_until.map(Instant::rfc3339),
        other_provider: other,
        first_reading: Instant(row.first).rfc3339(),
        last_reading: Instant(row.newest).rfc3339(),
    }
}
