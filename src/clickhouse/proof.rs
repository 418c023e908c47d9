//! The table `proof`: what the newest proof of each close found, so that it is known after a restart and in other processes.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct ProofRow {
    /// The close.
    pub rating_id: String,
    /// When it was proved, in milliseconds since 1970.
    pub proved_at: i64,
    /// The version of the process that did.
    pub build: String,
    /// Its documents and drafts.
    pub documents: u64,
    /// Those of them that are proven.
    pub proven: u64,
    /// Rows of the ledger that are not what was accepted.
    pub altered: u64,
}

/// What the newest proofs of all closes found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Row, Deserialize)]
pub struct Proofs {
    /// Closes that were proved.
    pub closes: u64,
    /// Their documents and drafts.
    pub documents: u64,
    /// Those of them that are proven.
    pub proven: u64,
    /// Rows of the ledger that are not what was accepted.
    pub altered: u64,
    /// When the last of them was proved, in milliseconds since 1970; 0 if none was.
    pub newest: i64,
}

/// Writes what a proof found; of one close the newest stays.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, row: &ProofRow) -> Result<(), Error> {
    client.insert_rows("proof", std::slice::from_ref(row)).await
}

/// What the newest proofs found.
///
/// # Errors
/// The server's.
pub async fn newest(client: &Client) -> Result<Proofs, Error> {
    let sql = "SELECT count() AS closes, sum(p.documents) AS documents, sum(p.proven) AS proven, sum(p.altered) AS altered, \
               if(count() = 0, 0, toInt64(toUnixTimestamp64Milli(max(p.proved_at)))) AS newest FROM proof AS p FINAL";
    Ok(client.fetch_optional(client.select(sql)).await?.unwrap_or_default())
}
