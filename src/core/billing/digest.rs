//! Digests of documents and ratings (INVOICE §3): SHA-256 over canonical JSON, RFC 8785.

use serde::Serialize;

use crate::core::pricing::digest::sha256;

/// The digest of a value's canonical JSON.
pub fn canonical(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(sha256(&serde_json_canonicalizer::to_vec(value)?))
}
