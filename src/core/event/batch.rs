//! A batch of CloudEvents in JSON: its events as they stand, without a copy.

use serde_json::value::RawValue;
use thiserror::Error;

use super::level::list;

/// Why a value is no batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BatchError {
    /// It is no JSON, or no list.
    #[error("the batch is no JSON list of events: {0}")]
    Unread(String),
    /// It holds more events than may be.
    #[error("a batch of {count} events, and at most {most} are taken: send several")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many may be.
        most: usize,
    },
}

/// The events of a batch, each byte for byte. More than `most` are counted and not held.
///
/// # Errors
/// What is no list, and a list that is too long.
pub fn events(value: &[u8], most: usize) -> Result<Vec<&[u8]>, BatchError> {
    let unread = |why: String| BatchError::Unread(why);
    let text =
        std::str::from_utf8(value).map_err(|error| unread(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    match list(text, most) {
        Some((events, count)) if count <= most => Ok(events.into_iter().map(|raw| raw.get().as_bytes()).collect()),
        Some((_, count)) => Err(BatchError::TooMany { count, most }),
        None => match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Err(unread("it begins with no [".to_owned())),
            Err(error) => Err(unread(error.to_string())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stand_as_they_were_written() {
        assert_eq!(
            events(b" [ {\"a\" : 1e2} ,[], \"x\\u0041\" ] ", 3).unwrap(),
            [&b"{\"a\" : 1e2}"[..], b"[]", b"\"x\\u0041\""]
        );
        assert_eq!(events(b"[]", 3).unwrap(), [&b""[..]; 0]);
    }

    #[test]
    fn a_batch_is_a_list_up_to_its_limit() {
        for (count, fits) in [(2, true), (3, true), (4, false)] {
            let batch = format!("[{}]", vec!["{}"; count].join(","));
            let read = events(batch.as_bytes(), 3);
            assert_eq!(read.as_ref().map(Vec::len).ok(), fits.then_some(count));
            assert!(fits || read == Err(BatchError::TooMany { count, most: 3 }));
        }
        for wrong in [&b"{}"[..], b"[{}", b"[{}]]", b"[{},]", b"", b"\xff[]", b"[\"\xff\"]", b"null"] {
            assert!(matches!(events(wrong, 3), Err(BatchError::Unread(_))), "{wrong:?}");
        }
    }
}
