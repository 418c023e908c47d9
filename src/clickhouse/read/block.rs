//! Blocks of an answer in ClickHouse's Native format: for reading very many rows whose texts repeat. Of a `LowCardinality` column each
//! distinct text of a block comes once, and a number a row, so nobody writes, reads or compares a text a row.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use clickhouse::query::{BytesCursor, Query};

use super::column::{Column, Lack};
use crate::clickhouse::{Client, Error};

/// Greatest block of an answer, in bytes. A statement states how many rows a block has at most.
pub const MAX_BLOCK_BYTES: usize = 1 << 30;

/// An answer that is being read, block by block.
pub struct Blocks<T> {
    cursor: BytesCursor,
    client: Client,
    limit: Duration,
    pending: BytesMut,
    read: fn(&mut Column<'_>) -> Result<T, Lack>,
}

impl<T> Blocks<T> {
    /// Sends a SELECT; `read` takes the columns of a block in the order in which they are selected.
    ///
    /// # Errors
    /// A statement that cannot be sent.
    pub fn of(client: &Client, query: Query, read: fn(&mut Column<'_>) -> Result<T, Lack>) -> Result<Self, Error> {
        let limit = client.settings().query_timeout + Duration::from_secs(5);
        let cursor = query.fetch_bytes("Native")?;
        Ok(Self { cursor, client: client.clone(), limit, pending: BytesMut::new(), read })
    }

    /// The next block, or none after the last.
    ///
    /// # Errors
    /// What the server or the network says, no answer in time, and a block that is not what was asked for.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        let mut wanted = 1;
        loop {
            while self.pending.len() < wanted {
                let Some(bytes) = self.client.in_time(self.limit, self.cursor.next()).await? else {
                    return match self.pending.is_empty() {
                        true => Ok(None),
                        false => Err(wrong("it ends inside a block")),
                    };
                };
                self.pending.extend_from_slice(&bytes);
            }
            let mut columns = Column::of_block(&self.pending);
            match columns.begin().and_then(|()| (self.read)(&mut columns)) {
                Ok(block) => {
                    let used = columns.used();
                    self.pending.advance(used);
                    return Ok(Some(block));
                }
                Err(lack) => wanted = more(lack)?,
            }
        }
    }
}

/// How many bytes of a block have to be there, if that is all that it lacks.
fn more(lack: Lack) -> Result<usize, Error> {
    match lack {
        Lack::More(bytes) if bytes <= MAX_BLOCK_BYTES => Ok(bytes),
        Lack::More(bytes) => Err(wrong(&format!("a block of it has more than {bytes} bytes"))),
        Lack::Wrong(what) => Err(wrong(&what)),
    }
}

fn wrong(what: &str) -> Error {
    Error::refusal(
        format!("an answer is not understood: {what}"),
        "if `plimsoll audit` names no row of that time, use ClickHouse 25.8 or later",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_waited_for_up_to_its_greatest_size() {
        let is_waited = |bytes| more(Lack::More(bytes)).is_ok();
        assert_eq!([MAX_BLOCK_BYTES - 1, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES + 1].map(is_waited), [true, true, false]);
        assert!(!more(Lack::Wrong("n is Int64".to_owned())).unwrap_err().is_retryable());
    }
}
