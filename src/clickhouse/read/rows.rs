//! Rows of an answer, one after the other: however long it is, one block of it is in memory.

use std::time::Duration;

use clickhouse::query::{Query, RowCursor};
use clickhouse::{RowOwned, RowRead};

use crate::clickhouse::{Client, Error};

/// An answer that is being read.
pub struct Rows<T> {
    cursor: RowCursor<T>,
    client: Client,
    limit: Duration,
}

impl<T: RowOwned + RowRead> Rows<T> {
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
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        self.client.in_time(self.limit, self.cursor.next()).await
    }
}
