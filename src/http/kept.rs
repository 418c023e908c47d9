//! What the API keeps between requests instead of asking the database each time: the newest price book, how arrays stand, and what is decided.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use tokio::sync::Mutex;

use super::access::Parties;
use super::error::ApiError;
use super::fresh::Fresh;
use crate::clickhouse::Client;
use crate::clickhouse::read::{book, closed};
use crate::core::book::Book;
use crate::core::closing::register::Register;
use crate::core::word::Offset;
use crate::programme::Stand;

/// How long a price book counts as the newest, and until when it is told while the database is asked whether there is a newer one.
const BOOK_FRESH: Duration = Duration::from_secs(1);
const BOOK_STALE_MAX: Duration = Duration::from_secs(3);
/// The same of how far arrays are put together. Older marks leave more to be read of the ledger, and name the same arrays; the instant that a
/// list is of is as old as they are.
const STAND_FRESH: Duration = Duration::from_secs(5);
const STAND_STALE_MAX: Duration = Duration::from_secs(10);

/// What is kept.
pub(super) struct Kept {
    /// The record that published the newest price book, and its parties.
    book: Arc<Fresh<(u64, Arc<Parties>)>>,
    /// How far arrays are put together and what that came to, so that a list that is paged through asks once and not for each page.
    stand: Arc<Fresh<Stand>>,
    /// What decisions make of periods, read on from one request to the next.
    register: Mutex<Arc<Register>>,
}

impl Default for Kept {
    fn default() -> Self {
        let (book, stand) = (Fresh::new(BOOK_FRESH, BOOK_STALE_MAX), Fresh::new(STAND_FRESH, STAND_STALE_MAX));
        Self { book, stand, register: Mutex::default() }
    }
}

impl Kept {
    /// Who trades with whom in the newest price book; nobody before the first.
    pub(super) async fn parties(&self, client: &Client) -> Result<Arc<Parties>, ApiError> {
        let client = client.clone();
        let kept = self.book.get(Moment::now(), |known| async move {
            let Some(offset) = book::newest_offset(&client).await? else { return Ok(None) };
            if let Some((_, parties)) = known.filter(|(known, _)| *known == offset) {
                return Ok(Some((offset, parties)));
            }
            let book = Book::from_canonical(&book::read(&client, offset).await?.book);
            let parties = Parties::of(book.map_err(|error| ApiError::Internal(format!("price book: {error}")))?);
            Ok(Some((offset, Arc::new(parties))))
        });
        Ok(kept.await?.map(|(_, parties)| parties).unwrap_or_default())
    }

    /// What the decisions below an offset make of periods; it may have read on. Where nothing was decided since, nothing is read.
    pub(super) async fn register(&self, client: &Client, below: Offset) -> Result<Arc<Register>, ApiError> {
        let mut kept = self.register.lock().await;
        if kept.next() < below {
            // copied only while another request still works with it; what is read when an error comes stays
            closed::follow(client, Arc::make_mut(&mut kept)).await?;
        }
        Ok(Arc::clone(&kept))
    }

    /// How arrays stand now; none before the first checkpoint.
    pub(super) async fn stand(&self, client: &Client) -> Result<Option<Stand>, ApiError> {
        let client = client.clone();
        self.stand.get(Moment::now(), |known| async move { Ok(Stand::read_again(&client, known).await?) }).await
    }
}
