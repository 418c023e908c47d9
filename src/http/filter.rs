//! Names in a filter: what cannot be the name of anything is refused, and not looked for in vain.

use super::error::ApiError;
use crate::core::event::MAX_ID_BYTES;
use crate::core::word::Reason;

/// What the list of records calls late ones.
pub(super) const LATE: &str = "late";

/// Refuses an id that no event can have.
pub(super) fn id(name: &str, value: Option<&String>) -> Result<(), ApiError> {
    match value.map(String::len) {
        Some(0) => Err(ApiError::BadRequest(format!("`{name}` is empty: leave it out to ask for all"))),
        Some(length) if length > MAX_ID_BYTES => {
            Err(ApiError::BadRequest(format!("`{name}` has {length} bytes, and an id has at most {MAX_ID_BYTES}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a code that is no reason, nor one of these `others`.
pub(super) fn reason(name: &str, code: Option<&String>, others: &[&str]) -> Result<(), ApiError> {
    let is_known = |code: &String| Reason::parse(code).is_some() || others.contains(&code.as_str());
    if code.is_none_or(is_known) {
        return Ok(());
    }
    let known: Vec<&str> = Reason::ALL.map(Reason::as_str).into_iter().chain(others.iter().copied()).collect();
    Err(ApiError::BadRequest(format!("`{name}` is no reason code: write one of {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_up_to_its_limit() {
        for (bytes, fine) in [(0, false), (1, true), (MAX_ID_BYTES, true), (MAX_ID_BYTES + 1, false)] {
            assert_eq!(id("array", Some(&"x".repeat(bytes))).is_ok(), fine, "{bytes} bytes");
        }
        assert!(id("array", None).is_ok());
    }

    #[test]
    fn a_reason_is_one_of_those_there_are() {
        let is_taken = |code: &str, others: &[&str]| reason("reason", Some(&code.to_owned()), others).is_ok();
        assert!(Reason::ALL.iter().all(|reason| is_taken(reason.as_str(), &[])));
        assert!(!is_taken("misroute", &[]) && !is_taken("", &[]) && !is_taken(LATE, &[]));
        assert!(is_taken(LATE, &[LATE]) && reason("reason", None, &[]).is_ok());
    }
}
