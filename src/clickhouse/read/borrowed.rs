//! Rows that borrow from the answer: for reading very many of them without a copy of each text.

use std::time::Duration;

use clickhouse::query::{Query, RowCursor};
use clickhouse::{Row, RowRead};

use crate::clickhouse::{Client, Error};

/// An answer that is being read; a row is valid until the next one.
pub struct Borrowed<T> {
    cursor: RowCursor<T>,
    client: Client,
    limit: Duration,
}

impl<T: Row + RowRead> Borrowed<T> {
    /// Sends a SELECT.
    ///
    /// # Errors
    /// A statement that cannot be sent.
    pub fn of(client: &Client, query: Query) -> Result<Self, Error> {
        let limit = client.settings().query_timeout + Duration::from_secs(5);
        Ok(Self { cursor: query.fetch()?, client: client.clone(), limit })
    }

    /// The next row, or none after the last.
    ///
    /// # Errors
    /// What the server or the network says, and no answer in time.
    pub async fn next(&mut self) -> Result<Option<T::Value<'_>>, Error> {
        self.client.in_time(self.limit, self.cursor.next()).await
    }
}
