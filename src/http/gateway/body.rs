//! A request's body, read within its size, its time and the memory that is free.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;

use super::failure::Failure;
use crate::gateway::{GatewayError, Held, Refusal};

/// How a body is encoded: whether it is gzip.
///
/// # Errors
/// An encoding that is not read.
pub(super) fn is_gzip(headers: &HeaderMap) -> Result<bool, Failure> {
    let encodings: Vec<String> = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase())
        .collect();
    match encodings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["identity"] => Ok(false),
        ["gzip" | "x-gzip"] => Ok(true),
        _ => Err(Refusal::Form("this content-encoding is not read: send gzip, or none".to_owned()).into()),
    }
}

/// Reads a body of at most so many bytes within a time. Each piece is held before it is kept.
///
/// # Errors
/// Too much, too slow, no memory for it, and a client that is gone.
pub(super) async fn read(
    body: Body,
    headers: &HeaderMap,
    most: usize,
    time: Duration,
    held: &mut Held,
) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::from(Refusal::TooLarge { most, how: "as it is sent" });
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // what is said beforehand need not be read to be refused
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let pieces = collect(body.into_data_stream(), most, too_large, held);
    tokio::time::timeout(time, pieces).await.map_err(|_| Failure::Slow(time))?
}

async fn collect(
    mut pieces: BodyDataStream,
    most: usize,
    too_large: impl Fn() -> Failure,
    held: &mut Held,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Failure::Gone)?;
        if bytes.len() + piece.len() > most {
            return Err(too_large());
        }
        held.grow(piece.len()).map_err(GatewayError::from)?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
