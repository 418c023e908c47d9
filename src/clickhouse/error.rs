//! What ClickHouse answers when it cannot: to be tried again, or to be mended first.

use std::error::Error as _;

use clickhouse::error::Error as ClientError;

/// A statement that failed, and whether trying it again can help.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Away, overloaded, read-only for now: the same statement may succeed later. Codes that are not known count as such, because
    /// waiting with an alarm loses nothing.
    #[error("{0}")]
    Retryable(Failure),
    /// Nothing gets better by waiting: somebody has to mend something.
    #[error("{0}")]
    Permanent(Failure),
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[error("clickhouse: {message}{}{}", if mend.is_empty() { "" } else { "; " }, mend)]
pub struct Failure {
    /// ClickHouse's own number for it, where it answered at all.
    pub code: Option<u32>,
    /// Its words, or those of the network.
    pub message: String,
    /// What to do about it; may be empty.
    pub mend: &'static str,
}

impl Error {
    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Retryable(_))
    }

    /// The details.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Error::Retryable(failure) | Error::Permanent(failure) => failure,
        }
    }

    /// A refusal of our own.
    #[must_use]
    pub fn refusal(message: impl Into<String>, mend: &'static str) -> Self {
        Error::Permanent(Failure { code: None, message: message.into(), mend })
    }

    /// No answer in time.
    #[must_use]
    pub fn timed_out(seconds: u64) -> Self {
        Error::Retryable(Failure { code: None, message: format!("no answer within {seconds} s"), mend: "" })
    }
}

/// Codes after which waiting is of no use, with the mend.
const PERMANENT: [(u32, &str); 27] = [
    (16, MIGRATE),  // NO_SUCH_COLUMN_IN_TABLE
    (47, MIGRATE),  // UNKNOWN_IDENTIFIER
    (60, MIGRATE),  // UNKNOWN_TABLE
    (81, MIGRATE),  // UNKNOWN_DATABASE
    (36, VERSION),  // BAD_ARGUMENTS
    (42, VERSION),  // NUMBER_OF_ARGUMENTS_DOESNT_MATCH
    (43, VERSION),  // ILLEGAL_TYPE_OF_ARGUMENT
    (46, VERSION),  // UNKNOWN_FUNCTION
    (48, VERSION),  // NOT_IMPLEMENTED
    (50, VERSION),  // UNKNOWN_TYPE
    (56, VERSION),  // UNKNOWN_STORAGE
    (62, VERSION),  // SYNTAX_ERROR
    (73, VERSION),  // UNKNOWN_FORMAT
    (115, VERSION), // UNKNOWN_SETTING
    (215, VERSION), // NOT_AN_AGGREGATE
    (6, TYPE),      // CANNOT_PARSE_TEXT
    (53, TYPE),     // TYPE_MISMATCH
    (70, TYPE),     // CANNOT_CONVERT_TYPE
    (117, TYPE),    // INCORRECT_DATA
    (349, TYPE),    // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    (457, TYPE),    // BAD_QUERY_PARAMETER
    (192, LOGIN),   // UNKNOWN_USER
    (193, LOGIN),   // WRONG_PASSWORD
    (194, LOGIN),   // REQUIRED_PASSWORD
    (516, LOGIN),   // AUTHENTICATION_FAILED
    (164, GRANT),   // READONLY
    (497, GRANT),   // ACCESS_DENIED
];
const AWAY: &str = "is it up? `plimsoll config show` says where clickhouse.url is, `plimsoll dev up` starts one here";
const MIGRATE: &str = "run `plimsoll migrate`";
const VERSION: &str = "use ClickHouse 25.8 or later, or report this as a fault of Plimsoll";
const TYPE: &str = "check the tables with `plimsoll migrate --dry-run`, or report this as a fault of Plimsoll";
const LOGIN: &str = "check clickhouse.user and clickhouse.password_file";
const GRANT: &str = "grant clickhouse.user SELECT, INSERT, CREATE and ALTER on clickhouse.database";

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::BadResponse(message) => from_answer(message),
            error @ (ClientError::Network(_) | ClientError::TimedOut | ClientError::Decompression(_)) => {
                Error::Retryable(Failure { code: None, message: chain(&error), mend: AWAY })
            }
            error => Error::Permanent(Failure { code: None, message: chain(&error), mend: TYPE }),
        }
    }
}

/// An answer that is no success. Without a code it comes from something in between (a proxy, a server that starts): try again.
fn from_answer(message: String) -> Error {
    let code = code_of(&message);
    match code.and_then(|code| PERMANENT.iter().find(|(known, _)| *known == code)) {
        Some((_, mend)) => Error::Permanent(Failure { code, message, mend }),
        None => Error::Retryable(Failure { code, message, mend: "" }),
    }
}

/// The number in `Code: 60. DB::Exception: ...`.
fn code_of(message: &str) -> Option<u32> {
    let rest = message.split_once("Code: ")?.1;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// An error with all its causes: the client's own text says "network error" only.
fn chain(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Error {
        Error::from(ClientError::BadResponse(text.to_owned()))
    }

    #[test]
    fn what_time_mends_is_tried_again() {
        for text in [
            "Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)",
            "Code: 252. DB::Exception: Too many parts (TOO_MANY_PARTS)",
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
            "Code: 75. DB::Exception: Cannot write to file: No space left on device (CANNOT_WRITE_TO_FILE_DESCRIPTOR)",
            "Code: 76. DB::Exception: Cannot open file: Too many open files (CANNOT_OPEN_FILE)",
            "Code: 87. DB::Exception: Cannot seek through file (CANNOT_SEEK_THROUGH_FILE)",
            "Code: 242. DB::Exception: Table is in readonly mode (TABLE_IS_READ_ONLY)",
            "Code: 999. Coordination::Exception: Session expired (KEEPER_EXCEPTION)",
            "Code: 7777",
            "503 Service Unavailable",
            "<html>Bad Gateway</html>",
        ] {
            assert!(answer(text).is_retryable(), "{text}");
        }
        assert!(Error::from(ClientError::TimedOut).is_retryable());
        assert!(Error::timed_out(60).is_retryable());
    }

    #[test]
    fn what_people_mend_says_how() {
        let error = answer("Code: 60. DB::Exception: Table plimsoll.usage_event does not exist. (UNKNOWN_TABLE)");
        assert!(!error.is_retryable());
        assert_eq!(error.failure().code, Some(60));
        assert!(error.to_string().ends_with("(UNKNOWN_TABLE); run `plimsoll migrate`"), "{error}");
        assert!(!answer("Code: 516. DB::Exception: default: Authentication failed").is_retryable());
        assert!(!Error::from(ClientError::SchemaMismatch("x".to_owned())).is_retryable());
    }
}
