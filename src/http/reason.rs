//! What people say with a decision: a body of JSON, and why.

use axum::Json;
use axum::extract::rejection::JsonRejection;

use super::error::ApiError;
use crate::closer::decide::REASON_MAX_CHARS;

/// A request's body, or its refusal in words.
pub fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    match body {
        Ok(Json(body)) => Ok(body),
        Err(rejection) if rejection.status().as_u16() == 413 => {
            Err(ApiError::TooLarge("the request's body is larger than http.body_max_kbytes".to_owned()))
        }
        Err(rejection) => {
            let text = rejection.body_text();
            let text = text.trim_start_matches("Failed to deserialize the JSON body into the target type: ");
            let text = text.trim_start_matches("Failed to parse the request body as JSON: ");
            Err(ApiError::BadRequest(text.to_owned()))
        }
    }
}

/// A reason that says something and is not endless.
pub fn reason(text: &str) -> Result<String, ApiError> {
    words("reason", text)
}

/// The same of another text.
pub fn words(name: &str, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    match text.chars().count() {
        1..=REASON_MAX_CHARS => Ok(text.to_owned()),
        _ => Err(ApiError::BadRequest(format!("`{name}` must be 1 to {REASON_MAX_CHARS} characters"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_ends() {
        for (text, expected) in [("", false), (" \n", false), (" late ", true)] {
            assert_eq!(reason(text).is_ok(), expected, "{text:?}");
        }
        assert_eq!(reason(" late ").unwrap(), "late");
        for (more, fits) in [(0, true), (1, false)] {
            assert_eq!(reason(&"é".repeat(REASON_MAX_CHARS + more)).is_ok(), fits);
        }
    }
}
