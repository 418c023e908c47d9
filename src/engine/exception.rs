//! Exceptions as ClickHouse reports them over HTTP: a code, a text, a status, and a trailer when rows were already sent.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode};

/// An error of the engine, or of the request, with ClickHouse's code for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Exception {
    /// ClickHouse's error code.
    pub code: u32,
    /// The whole text, `Code: N. DB::Exception: ...`.
    pub message: String,
}

/// `BAD_ARGUMENTS`.
pub const BAD_ARGUMENTS: u32 = 36;
/// `SYNTAX_ERROR`.
pub const SYNTAX_ERROR: u32 = 62;
/// `READONLY`.
pub const READONLY: u32 = 164;
/// `TOO_MANY_SIMULTANEOUS_QUERIES`.
pub const TOO_MANY_QUERIES: u32 = 202;
/// `NOT_ENOUGH_SPACE`.
pub const NOT_ENOUGH_SPACE: u32 = 243;
/// `CANNOT_DECOMPRESS`.
pub const CANNOT_DECOMPRESS: u32 = 271;
/// `UNKNOWN_EXCEPTION`.
const UNKNOWN: u32 = 1002;

impl Exception {
    /// An exception with the given code, its text in ClickHouse's form.
    #[must_use]
    pub fn new(code: u32, text: impl std::fmt::Display) -> Self {
        Self { code, message: format!("Code: {code}. DB::Exception: {text}") }
    }

    /// Something that went wrong in the process around the engine.
    #[must_use]
    pub fn internal(text: impl std::fmt::Display) -> Self {
        Self::new(UNKNOWN, text)
    }

    /// Reads the code from the engine's own text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let code = text
            .find("Code: ")
            .map(|at| &text[at + "Code: ".len()..])
            .map(|rest| &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()])
            .and_then(|digits| digits.parse().ok());
        match code {
            Some(code) => Self { code, message: text.trim_end().to_owned() },
            None => Self::new(UNKNOWN, text.trim_end()),
        }
    }

    /// The status that a ClickHouse server answers with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.code {
            // What could not be parsed, or does not fit its type.
            6 | 26 | 27 | 36 | 38 | 41 | 43 | 53 | 62 | 63 | 69 | 70 | 72 | 117 | 130 | 131 | 158 | 190 | 271 | 354
            | 441 => StatusCode::BAD_REQUEST,
            // What does not exist.
            46 | 47 | 50 | 56 | 60 | 73 | 78 | 81 | 115 | 336 | 511 => StatusCode::NOT_FOUND,
            48 => StatusCode::NOT_IMPLEMENTED,
            159 => StatusCode::REQUEST_TIMEOUT,
            202 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer when nothing was sent yet.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(format!("{}\n", self.message)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert("Content-Type", HeaderValue::from_static("text/plain; charset=UTF-8"));
        headers.insert("X-ClickHouse-Exception-Code", HeaderValue::from(self.code));
        response
    }

    /// What is sent after rows that are already on their way; `tag` stands in the response's header, so that no row can be
    /// mistaken for it.
    #[must_use]
    pub fn trailer(&self, tag: &str) -> Bytes {
        let message = format!("{}\n", self.message);
        let length = message.len();
        Bytes::from(format!("\r\n__exception__\r\n{tag}\r\n{message}{length} {tag}\r\n__exception__\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_from_the_engines_text() {
        let exception = Exception::parse("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)\n");
        assert_eq!((exception.code, exception.status()), (60, StatusCode::NOT_FOUND));
        assert!(exception.message.ends_with("(UNKNOWN_TABLE)"));
        let exception = Exception::parse("std::bad_alloc");
        assert_eq!(exception.message, "Code: 1002. DB::Exception: std::bad_alloc");
    }

    #[test]
    fn the_trailer_states_the_length_of_its_message() {
        let trailer = Exception::new(395, "no").trailer("abcdefghijklmnop");
        assert_eq!(
            &trailer[..],
            b"\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 395. DB::Exception: no\n29 abcdefghijklmnop\r\n__exception__\r\n"
        );
    }
}
