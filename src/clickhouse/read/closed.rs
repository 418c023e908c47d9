//! What the mirrored control log makes of closes, and the ratings that they stored.

use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::closing::register::Register;
use crate::core::decision::closing::PeriodKey;
use crate::core::word::{Instant, Offset};

/// The header of a rating.
#[derive(Debug, Row, Deserialize)]
pub struct RatingRow {
    /// The rating.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// Its document, JSON.
    pub document: String,
    /// Why it cannot be issued; empty if it can.
    pub blocked: String,
}

#[derive(Debug, Row, Deserialize)]
struct DecisionRow {
    offset: u64,
    appended: i64,
    body: String,
}

/// Whether any record closes a period of a provider: most of the time none does, and the register need not be read.
///
/// # Errors
/// The server's.
pub async fn is_any(client: &Client, provider: &str) -> Result<bool, Error> {
    let sql = "SELECT toUInt64(1) FROM decision WHERE kind = 'PeriodClosed' AND provider = {provider:String} LIMIT 1";
    let found: Option<u64> = client.fetch_optional(client.select(sql).param("provider", provider)).await?;
    Ok(found.is_some())
}

/// Whether any record closes this period: then the register says whether it counts.
///
/// # Errors
/// The server's.
pub async fn is_any_of(client: &Client, period: &PeriodKey) -> Result<bool, Error> {
    let sql = "SELECT toUInt64(1) FROM decision WHERE kind = 'PeriodClosed' AND provider = {provider:String} \
               AND JSONExtractString(body, 'close', 'period', 'start') = {start:String} \
               AND JSONExtractString(body, 'close', 'period', 'end') = {end:String} LIMIT 1";
    let query = client.select(sql).param("provider", &period.provider);
    let query = query.param("start", period.start.rfc3339()).param("end", period.end.rfc3339());
    let found: Option<u64> = client.fetch_optional(query).await?;
    Ok(found.is_some())
}

/// The register of all decisions that are mirrored. One of them is in memory at a time, and each price book.
///
/// # Errors
/// The server's, and a decision that this build does not understand.
pub async fn register(client: &Client) -> Result<Register, Error> {
    let mut register = Register::default();
    follow(client, &mut register).await?;
    Ok(register)
}

/// Has a register take what was mirrored since.
///
/// # Errors
/// The server's, and a decision that this build does not understand.
pub async fn follow(client: &Client, register: &mut Register) -> Result<(), Error> {
    let sql = "SELECT offset, toUnixTimestamp64Milli(append_time) AS appended, body FROM decision FINAL \
               WHERE offset >= {from:UInt64} ORDER BY offset";
    let select = client.select(sql).param("from", register.next().0);
    let mut rows: Rows<DecisionRow> = Rows::of(client, select)?;
    while let Some(DecisionRow { offset, appended, body }) = rows.next().await? {
        let decision = serde_json::from_str(&body).map_err(|error| {
            Error::refusal(format!("decision {offset} is not understood ({error})"), "upgrade this process")
        })?;
        register.take(Offset(offset), Instant(appended), &decision);
    }
    Ok(())
}

/// The headers of ratings, by contract and customer.
///
/// # Errors
/// The server's.
pub async fn ratings(client: &Client, rating_ids: &[String]) -> Result<Vec<RatingRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, customer, document, blocked FROM rating FINAL \
               WHERE has({ratings:Array(String)}, rating_id) ORDER BY contract, customer, revision";
    client.fetch_all(client.select(sql).param("ratings", rating_ids)).await
}

/// Those of them that are of these contracts and customers, by age of each.
///
/// # Errors
/// The server's.
pub async fn ratings_of(
    client: &Client,
    rating_ids: &[String],
    contracts: Vec<&str>,
    customers: Vec<&str>,
) -> Result<Vec<RatingRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, customer, document, blocked FROM rating FINAL \
               WHERE has({ratings:Array(String)}, rating_id) AND has({contracts:Array(String)}, toString(contract)) \
               AND has({customers:Array(String)}, customer) ORDER BY contract, customer, revision";
    let query = client.select(sql).param("ratings", rating_ids);
    client.fetch_all(query.param("contracts", contracts).param("customers", customers)).await
}
