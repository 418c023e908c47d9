//! `GET /v1/pipeline`: how far each partition has come, whether what is stored adds up, and what waits for a person.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::log_place::LogPlace;
use super::partition::{PartitionState, before_the_first, state, told};
use crate::clickhouse::proof;
use crate::clickhouse::read::pipeline::{self as stored, OpenedRow};
use crate::clickhouse::read::{alarm, book};
use crate::config::Principal;
use crate::core::word::{HOUR_MS, Instant};
use crate::programme::watch::now;

/// Most partitions of an answer: each is a question to the database and one to Kafka.
const PARTITIONS_MAX: usize = 256;
/// What lately means: rates are of so many minutes.
const LATELY_MINUTES: i64 = 5;
/// Audits of so many days are told.
const AUDIT_DAYS: i64 = 40;

/// How everything stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pipeline {
    /// When it was looked at.
    at: String,
    /// The version of the process that answers.
    build: &'static str,
    /// SHA-256 of its configuration as `plimsoll config show` prints it: processes that are set alike tell the same. Secrets are no part of it.
    config_hash: String,
    /// The newest published price book; null before the first.
    book: Option<PublishedBook>,
    /// The partitions, by stream.
    partitions: Vec<PartitionState>,
    /// Whether there are more than one answer holds.
    more: bool,
    /// The append time of the newest mirrored decision; null before the first.
    decided_at: Option<String>,
    /// Quarantined records that nobody has decided about.
    unresolved: u64,
    /// What audits found in the last 40 days.
    audit: AuditState,
    /// What the newest proofs of all closes found.
    proof: ProofState,
}

/// A published price book.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedBook {
    /// Its hash.
    hash: String,
    /// The offset of its decision.
    offset: u64,
}

/// What audits found, of each array's day the newest one.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditState {
    /// Days of arrays that were audited.
    days: u64,
    /// Those of them with findings.
    red: u64,
    /// When the last audit was; null if there was none.
    newest: Option<String>,
}

/// What the newest proof of each close found, whichever process proved it: `plimsoll bill` does each once, `plimsoll prove --all` all again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofState {
    /// Closes that were proved.
    closes: u64,
    /// Their documents and drafts: whatever they made that differs from what was billed before.
    documents: u64,
    /// Those of them that were computed again from the ledger, equal.
    proven: u64,
    /// Rows of the ledger that were found altered.
    altered: u64,
    /// When the last proof was; null if there was none.
    newest: Option<String>,
}

/// How far each partition has come. For the operator: logs are shared between providers.
#[utoipa::path(get, path = "/v1/pipeline", tag = "pipeline", responses(
    (status = 200, description = "How everything stands", body = Pipeline),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only the operator reads it", body = ErrorBody),
))]
pub async fn pipeline(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Pipeline>, ApiError> {
    if caller.principal != Principal::Operator {
        return Err(caller.never("the state of the pipeline"));
    }
    let (client, at) = (&api.client, now());
    let streams = stored::opened(client).await?;
    let mut places = places(&streams);
    let more = places.len() > PARTITIONS_MAX;
    places.truncate(PARTITIONS_MAX);
    let logs = logs(&api, &places).await?;
    let lately = Instant(at.0 - LATELY_MINUTES * 60_000);
    let mut partitions = Vec::with_capacity(places.len());
    for ((opened, partition), log) in places.into_iter().zip(logs) {
        let found = stored::newest(client, &opened.stream, partition).await?;
        let checkpoint = found.unwrap_or_else(|| before_the_first(opened, partition));
        let ledger = stored::ledger(client, &checkpoint, lately).await?;
        partitions.push(state(opened, &checkpoint, &ledger, log, at));
    }
    let book = match book::newest_offset(client).await? {
        Some(offset) => Some(PublishedBook { hash: book::read(client, offset).await?.hash, offset }),
        None => None,
    };
    let unresolved = alarm::unresolved(client).await?.iter().map(|row| row.count).sum();
    let proofs = proof::newest(client).await?;
    let audit = stored::audits(client, Instant(at.0 - AUDIT_DAYS * 24 * HOUR_MS)).await?;
    Ok(Json(Pipeline {
        at: at.rfc3339(),
        build: env!("CARGO_PKG_VERSION"),
        config_hash: api.config_hash.clone(),
        book,
        partitions,
        more,
        decided_at: told(stored::mirror(client).await?.newest),
        unresolved,
        proof: ProofState {
            closes: proofs.closes,
            documents: proofs.documents,
            proven: proofs.proven,
            altered: proofs.altered,
            newest: told(proofs.newest),
        },
        audit: AuditState { days: audit.days, red: audit.red, newest: told(audit.newest) },
    }))
}

/// Every partition of every stream.
fn places(streams: &[OpenedRow]) -> Vec<(&OpenedRow, u32)> {
    let of = |stream: &'_ OpenedRow| 0..stream.partitions;
    streams.iter().flat_map(|stream| of(stream).map(move |partition| (stream, partition))).collect()
}

/// What Kafka says of partitions, where there is one. A broker that is away once is not asked again.
async fn logs(api: &Api, places: &[(&OpenedRow, u32)]) -> Result<Vec<Option<LogPlace>>, ApiError> {
    let Some(log) = api.log.clone() else { return Ok(vec![None; places.len()]) };
    let asked: Vec<(String, u32)> =
        places.iter().map(|(opened, partition)| (opened.topic.clone(), *partition)).collect();
    let ask = move || {
        let mut away = false;
        let one = |(topic, partition): &(String, u32)| {
            let found = if away { None } else { log(topic, *partition).ok() };
            away = away || found.is_none();
            found
        };
        asked.iter().map(one).collect()
    };
    let found = tokio::task::spawn_blocking(ask).await;
    found.map_err(|error| ApiError::Internal(format!("a thread that asks Kafka: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(partitions: u32) -> OpenedRow {
        OpenedRow { stream: "usage-1".to_owned(), topic: "usage".to_owned(), partitions, closed: 0 }
    }

    #[test]
    fn an_answer_has_partitions_up_to_its_limit() {
        let most = u32::try_from(PARTITIONS_MAX).unwrap();
        for (count, more) in [(most - 1, false), (most, false), (most + 1, true)] {
            assert_eq!(places(&[stream(count)]).len() > PARTITIONS_MAX, more);
        }
    }
}
