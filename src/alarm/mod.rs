//! What alarms and only the database knows, counted once a minute for Prometheus: arrays that fell silent, quarantined records that
//! nobody has decided about. Whatever process serves the API does it; two of them show the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clickhouse::read::alarm::{HeardRow, heard, unresolved};
use crate::clickhouse::{Client, Error};
use crate::core::word::Instant;
use crate::http::Shutdown;
use crate::metrics::{AlarmFigures, Metrics, SilentArray};

/// Between two counts.
const EVERY: Duration = Duration::from_secs(60);
/// After one that failed: tables that are not made yet, a database that is away.
const AGAIN: Duration = Duration::from_secs(5);
/// An array that was last heard of longer ago than this is silent (DESIGN §3): 24 hours.
const SILENT_MS: i64 = 86_400_000;
/// An array that was last heard of longer ago than this is gone, and no alarm any more.
const GONE_MS: i64 = 35 * 86_400_000;

/// Counts and shows, until `shutdown`. A database that is away leaves the figures as they were, and their time tells.
pub async fn follow(client: Client, metrics: Arc<Metrics>, mut shutdown: Shutdown) {
    loop {
        let pause = match figures(&client, Instant(chrono::Utc::now().timestamp_millis())).await {
            Ok(figures) => {
                metrics.alarms(&figures);
                EVERY
            }
            Err(error) => {
                tracing::debug!(%error, "cannot count silent arrays and unresolved records");
                AGAIN
            }
        };
        if tokio::time::timeout(pause, shutdown.wait_for(|end| *end)).await.is_ok() {
            return;
        }
    }
}

/// How things stand at `now`.
///
/// # Errors
/// The server's.
pub async fn figures(client: &Client, now: Instant) -> Result<AlarmFigures, Error> {
    let heard = heard(client, Instant(now.0 - GONE_MS)).await?;
    let unresolved = unresolved(client).await?.into_iter().map(|row| (row.provider, row.count)).collect();
    let providers: BTreeSet<String> = heard.iter().map(|row| row.provider.clone()).collect();
    let silent = |row: HeardRow| {
        let ms = now.0 - row.newest;
        (ms > SILENT_MS).then_some(SilentArray { provider: row.provider, array: row.array, seconds: ms / 1000 })
    };
    Ok(AlarmFigures {
        read_at: now.0 / 1000,
        silent: heard.into_iter().filter_map(silent).collect(),
        unresolved,
        providers: providers.into_iter().collect(),
    })
}
