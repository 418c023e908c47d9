//! What is void, from the mirrored decisions.

use crate::clickhouse::void::Void;
use crate::clickhouse::{Client, Error};
use crate::core::decision::Decision;
use crate::core::decision::stream::StreamRegister;

/// All generations of all streams, as far as decisions are mirrored.
///
/// # Errors
/// The server's, and a decision of a newer version.
pub async fn register(client: &Client) -> Result<StreamRegister, Error> {
    let sql = "SELECT body FROM decision FINAL WHERE kind IN ('StreamOpened', 'OffsetsLost') ORDER BY offset";
    let bodies: Vec<String> = client.fetch_all(client.select(sql)).await?;
    let mut register = StreamRegister::default();
    for body in &bodies {
        let decision: Decision = serde_json::from_str(body).map_err(|error| {
            Error::refusal(format!("a decision about a stream is not understood ({error})"), "upgrade this process")
        })?;
        register.apply(&decision);
    }
    Ok(register)
}

/// What is void of all streams.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client) -> Result<Void, Error> {
    let register = register(client).await?;
    Ok(Void::of(register.all().map(|generation| &**generation)))
}
