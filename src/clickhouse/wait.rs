//! Waiting for a database that is away.

use std::time::Duration;

use super::{Client, Error};

const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// One question that touches no table.
///
/// # Errors
/// What the server or the network says.
pub async fn ping(client: &Client) -> Result<(), Error> {
    client.fetch_all::<u8>(client.select("SELECT 1")).await.map(|_| ())
}

/// Returns once the server answers; until then says so and tries again, with pauses that double up to `longest`.
///
/// # Errors
/// What waiting does not mend: wrong credentials, a missing database.
pub async fn until_ready(client: &Client, longest: Duration) -> Result<(), Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        match ping(client).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, again_in_ms = pause.as_millis(), "ClickHouse is away, waiting");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            Err(error) => return Err(error),
        }
    }
}
