//! Credits that were granted, from the mirror of decisions.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};
use crate::core::decision::Decision;
use crate::core::decision::credit::{Grant, Grants};
use crate::core::word::Offset;

#[derive(Debug, Row, Deserialize)]
struct GrantRow {
    offset: u64,
    body: String,
}

/// The grants below `after`, in the order of the log.
///
/// # Errors
/// The server's, and a decision that this build does not understand.
pub async fn read(client: &Client, after: u64) -> Result<Grants, Error> {
    let sql = "SELECT offset, body FROM decision FINAL WHERE kind = 'CreditGranted' AND offset < {after:UInt64} ORDER BY offset";
    let rows: Vec<GrantRow> = client.fetch_all(client.select(sql).param("after", after)).await?;
    let grant = |row: GrantRow| match serde_json::from_str(&row.body) {
        Ok(Decision::CreditGranted { grant, actor }) => Ok((Offset(row.offset), grant, actor)),
        _ => Err(Error::refusal(format!("decision {} is no grant of a credit", row.offset), "upgrade this process")),
    };
    let grants: Vec<(Offset, Grant, String)> = rows.into_iter().map(grant).collect::<Result<_, _>>()?;
    Ok(Grants::new(grants))
}
