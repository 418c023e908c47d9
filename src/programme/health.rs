//! The health of arrays, a page at a time.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join;
use serde::Serialize;
use utoipa::ToSchema;

use super::stand::Stand;
use crate::clickhouse::mark::Marks;
use crate::clickhouse::read::arrays::{ArrayQuery, ArrayRow, looks, named, read};
use crate::clickhouse::read::roll::{self, Part, Scope};
use crate::clickhouse::read::seen::{self, Looks};
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::programme::health::{Health, Seen, State, health};
use crate::core::programme::roll::{AllHeard, ArrayKey, Heard, Look, Roll, Wanted};
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

/// What is known of the arrays of a page.
struct Found {
    rows: Vec<ArrayRow>,
    is_more: bool,
    looks: Looks,
    /// Who named them, and when last.
    named: BTreeMap<String, Vec<(String, Instant)>>,
}

impl Found {
    /// Of the roll and what was heard since; none if that is too much.
    async fn of_roll(client: &Client, marks: &Marks, roll: &Roll, query: &ArrayQuery) -> Result<Option<Self>, Error> {
        let limit = query.limit + 1;
        let wanted = Wanted { providers: query.providers.as_ref(), after: query.after.as_ref(), limit };
        // what is new on a page only puts what is known off it
        let known = roll.page(&AllHeard::new(), wanted);
        let last = known.get(query.limit).map(|(key, _)| key);
        let providers = query.providers.as_ref().map(|own| own.iter().map(String::as_str).collect());
        let part = Part { providers, after: wanted.after, last };
        let is_all = part.is_all();
        // of these whoever named them is asked for, which of all arrays is no more to ask
        let arrays = known.iter().filter(|_| !is_all).map(|((_, array), _)| array.as_str()).collect();
        let scope = Scope { part: Some(part), arrays };
        let Some(mut since) = roll::since(client, marks, &scope).await? else { return Ok(None) };
        let mut page = roll.page(&since, wanted);
        let is_more = page.len() > query.limit;
        page.truncate(query.limit);
        let arrays: BTreeSet<&str> = page.iter().map(|((_, array), _)| array.as_str()).collect();
        // others may have named an array that is new
        let new: BTreeSet<&str> = arrays.difference(&scope.arrays).copied().collect();
        if !is_all && !new.is_empty() {
            let scope = Scope { part: None, arrays: new };
            let Some(of_new) = roll::since(client, marks, &scope).await? else { return Ok(None) };
            since.extend(of_new);
        }
        let named = roll.named(&since, &arrays);
        let look = |(key, heard): &(ArrayKey, Heard)| Some((key.clone(), roll.look(key, heard.newest)?));
        let mut looks: Looks = page.iter().filter_map(look).collect();
        let rows: Vec<ArrayRow> = page.into_iter().map(ArrayRow::from).collect();
        seen::looks_above(client, marks, &rows, &mut looks).await?;
        Ok(Some(Self { rows, is_more, looks, named }))
    }

    /// Of what was put together and lies above, or of the ledger.
    async fn of_engine(client: &Client, marks: &Marks, query: &ArrayQuery) -> Result<Self, Error> {
        let more = ArrayQuery { limit: query.limit + 1, ..query.clone() };
        let mut rows =
            if marks.is_kept { seen::arrays(client, marks, &more).await? } else { read(client, &more).await? };
        let is_more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let (looks, named) = match marks.is_kept {
            true => try_join(seen::looks(client, marks, &rows), seen::named(client, marks, &rows)).await?,
            false => try_join(looks(client, &rows), named(client, &rows, query.at)).await?,
        };
        Ok(Self { rows, is_more, looks, named })
    }
}

/// A page of arrays by provider and id, and whether there are more.
///
/// # Errors
/// The server's.
pub async fn page(
    client: &Client,
    book: &Book,
    Stand { marks, roll, .. }: &Stand,
    query: &ArrayQuery,
) -> Result<(Vec<Array>, bool), Error> {
    let of_roll = match roll {
        Some(roll) => Found::of_roll(client, marks, roll, query).await?,
        None => None,
    };
    let found = match of_roll {
        Some(found) => found,
        None => Found::of_engine(client, marks, query).await?,
    };
    let Found { rows, is_more, mut looks, named } = found;
    if marks.is_kept {
        // a reading of a meter that nobody has defined is none that could be billed
        looks.values_mut().for_each(|look| look.shapes.retain(|shape| book.meters.contains_key(&shape.meter)));
    }
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
