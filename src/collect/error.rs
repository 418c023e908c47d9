//! What can go wrong while arrays are polled. What a later try mends is a [`PollError`]; what a person has to mend first is a [`CollectError`].

use std::path::PathBuf;
use std::time::Duration;

use crate::config::ConfigError;
use crate::core::collect::ReadError;

/// Why a collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The configuration file cannot be read.
    #[error("cannot read {}: {cause}; name the collector's own file with --config (config/collect.toml is the reference)", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer. It is a part of the text, and no source that would be told once more.
        cause: std::io::Error,
    },
    /// The configuration file has another form.
    #[error("{}:{line}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
    /// A value of it is not allowed.
    #[error("{}: `{key}` {mend}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key's full name.
        key: String,
        /// What to write instead.
        mend: String,
    },
    /// A value of the sections that are as in plimsoll.toml is not allowed.
    #[error(transparent)]
    Site(#[from] ConfigError),
    /// The authorities of an array's certificate are not usable.
    #[error("{}: no usable PEM certificates ({text}): put the authority's certificate there", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        text: String,
    },
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(String),
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Why an array could not be polled for an instant. Trying again may mend all of it.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No connection, or it broke.
    #[error("not reached: {0}; see whether it is up and array.url is its address")]
    Unreachable(String),
    /// No whole answer in time.
    #[error("no whole answer within {} s: raise collect.request_timeout_seconds if the array is that slow", .0.as_secs())]
    Timeout(Duration),
    /// An answer that is none of the expected.
    #[error("{path} is answered with status {status}")]
    Status {
        /// What was asked for, without its query.
        path: String,
        /// The status.
        status: u16,
        /// For how long the array wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The array does not take the token.
    #[error("the array refuses the token (status {status}): check array.api_token_file or array.api_token_env")]
    Credentials {
        /// The status.
        status: u16,
    },
    /// There is no token.
    #[error("{0}")]
    Token(String),
    /// An answer beyond its limit.
    #[error("an answer of more than {0} bytes: raise collect.response_max_mbytes or lower collect.page_size")]
    TooLarge(usize),
    /// A list beyond its limit.
    #[error("{path} has more than {limit} elements or pages: one event does not hold them")]
    TooMany {
        /// What was asked for.
        path: String,
        /// How many are taken.
        limit: usize,
    },
    /// Answers that make no event.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The spool takes no more.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl PollError {
    /// The label under which failures are counted.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            PollError::Unreachable(_) => "unreachable",
            PollError::Timeout(_) => "timeout",
            PollError::Status { .. } => "status",
            PollError::Credentials { .. } => "credentials",
            PollError::Token(_) => "token",
            PollError::TooLarge(_) => "too_large",
            PollError::TooMany { .. } => "too_many",
            PollError::Read(error) => error.label(),
            PollError::Spool(_) => "spool",
        }
    }

    /// Whether it is about this instant's answers and not about the array: another instant may go well.
    #[must_use]
    pub fn is_of_instant(&self) -> bool {
        matches!(self, PollError::TooLarge(_) | PollError::TooMany { .. } | PollError::Read(_))
    }

    /// For how long the array wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            PollError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why the spool does not take or give an event.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The system does not let it.
    #[error("spool {}: cannot {what}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Another collector uses it.
    #[error("spool {} is in use by another collector: give each its own collect.spool_dir", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file of it is not as it was written.
    #[error(
        "spool {} is damaged at byte {at}: keep a copy, then move the file away; what it held after that byte is to be polled or sent by hand",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
    },
    /// It holds as much as it may.
    #[error("the spool is full ({bytes} bytes of at most {limit}): bring Kafka back or raise collect.spool_max_mbytes")]
    Full {
        /// What it holds.
        bytes: u64,
        /// What it may hold.
        limit: u64,
    },
    /// An event that no frame holds.
    #[error("an event of {bytes} bytes, and the greatest that is taken is smaller")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}
