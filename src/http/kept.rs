//! What the API keeps between requests instead of asking the database each time: the newest price book, and how arrays stand.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use tokio::sync::Mutex;

use super::access::Parties;
use super::error::ApiError;
use crate::clickhouse::Client;
use crate::clickhouse::read::book;
use crate::core::book::Book;
use crate::programme::health::Stand;

/// How long a price book counts as the newest before the database is asked again.
const BOOK_FRESH: Duration = Duration::from_secs(5);
/// How long it counts as known how far arrays are put together, so that a list that is paged through asks once and not for each page.
/// Older marks leave more to be read of the ledger, and name the same arrays.
const STAND_FRESH: Duration = Duration::from_secs(1);

/// What is kept, and since when.
#[derive(Default)]
pub(super) struct Kept {
    book: Mutex<Option<(Moment, u64, Arc<Parties>)>>,
    stand: Mutex<Option<(Moment, Stand)>>,
}

impl Kept {
    /// Who trades with whom in the newest price book; nobody before the first.
    pub(super) async fn parties(&self, client: &Client) -> Result<Arc<Parties>, ApiError> {
        let mut kept = self.book.lock().await;
        if let Some((at, _, parties)) = kept.as_ref()
            && at.elapsed() < BOOK_FRESH
        {
            return Ok(Arc::clone(parties));
        }
        let offset = book::newest_offset(client).await?;
        let parties = match (kept.as_ref(), offset) {
            (Some((_, known, parties)), Some(offset)) if *known == offset => Arc::clone(parties),
            (_, Some(offset)) => {
                let book = Book::from_canonical(&book::read(client, offset).await?.book);
                Arc::new(Parties::of(book.map_err(|error| ApiError::Internal(format!("price book: {error}")))?))
            }
            (_, None) => Arc::default(),
        };
        *kept = Some((Moment::now(), offset.unwrap_or_default(), Arc::clone(&parties)));
        Ok(parties)
    }

    /// How arrays stand now; none before the first checkpoint.
    pub(super) async fn stand(&self, client: &Client) -> Result<Option<Stand>, ApiError> {
        let mut kept = self.stand.lock().await;
        if let Some((at, stand)) = kept.as_ref()
            && at.elapsed() < STAND_FRESH
        {
            return Ok(Some(stand.clone()));
        }
        let stand = Stand::read(client, None).await?;
        *kept = stand.clone().map(|stand| (Moment::now(), stand));
        Ok(stand)
    }
}
