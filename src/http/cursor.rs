//! Where a page ends and the next begins: opaque, and good for the same question only.
//!
//! A cursor names the last row's key, not its number, so rows that come or go in between neither repeat nor drop any other.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use super::error::ApiError;

/// The longest cursor that is looked at.
const LENGTH_MAX: usize = 16_384;

/// The cursor behind a row with this key, of the question that `question` describes.
///
/// # Errors
/// A key that is not to be written as JSON, which is a fault of ours.
pub fn after<K: Serialize>(question: &str, key: &K) -> Result<String, ApiError> {
    let text = serde_json::to_string(&(xxh3_64(question.as_bytes()), key));
    let text = text.map_err(|error| ApiError::Internal(format!("cursor: {error}")))?;
    Ok(text.bytes().map(|byte| format!("{byte:02x}")).collect())
}

/// The key in a cursor.
///
/// # Errors
/// A text that is no cursor, or one of another question.
pub fn key<K: DeserializeOwned>(question: &str, cursor: &str) -> Result<K, ApiError> {
    let refusal = || {
        ApiError::BadRequest(
            "`cursor` is not one of this request's: repeat the request that gave it, unchanged".to_owned(),
        )
    };
    if cursor.len() > LENGTH_MAX || !cursor.is_ascii() {
        return Err(refusal());
    }
    let bytes: Option<Vec<u8>> =
        (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok()).collect();
    let (digest, key): (u64, K) = serde_json::from_slice(&bytes.ok_or_else(refusal)?).map_err(|_| refusal())?;
    if digest == xxh3_64(question.as_bytes()) { Ok(key) } else { Err(refusal()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_up_to_its_greatest_length() {
        let empty = after("q", &"").unwrap().len();
        for (more, fits) in [(-2, true), (0, true), (2, false)] {
            let text = "x".repeat((LENGTH_MAX - empty).checked_add_signed(more).unwrap() / 2);
            let cursor = after("q", &text).unwrap();
            assert_eq!(key::<String>("q", &cursor).is_ok(), fits, "{} digits", cursor.len());
        }
    }

    #[test]
    fn a_cursor_fits_its_own_question_only() {
        let cursor = after("usage?provider=a", &("ä", 7_u64)).unwrap();
        assert_eq!(key::<(String, u64)>("usage?provider=a", &cursor).unwrap(), ("ä".to_owned(), 7));
        assert!(key::<(String, u64)>("usage?provider=b", &cursor).is_err());
        for broken in ["", "zz", "5b5", "é", &cursor[2..]] {
            assert!(key::<(String, u64)>("usage?provider=a", broken).is_err(), "{broken}");
        }
    }
}
