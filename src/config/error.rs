//! Why a configuration is refused. All of it is permanent: somebody has to edit something.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the compiled-in reference.
    Default,
    /// In a file, in this line (from 1).
    File(PathBuf, usize),
    /// In this environment variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named or found cannot be read.
    #[error("{at}: cannot read {}: {source}; make it readable or name another one", path.display())]
    Read {
        /// Who names the file.
        at: String,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Not TOML at all.
    #[error("{at}: not TOML: {message}")]
    Syntax {
        /// The place.
        at: Origin,
        /// The parser's words.
        message: String,
    },
    /// A section or key that does not exist.
    #[error("{at}: unknown {what} `{name}`; {hint}")]
    Unknown {
        /// The place.
        at: Origin,
        /// "key" or "section".
        what: &'static str,
        /// Its full name.
        name: String,
        /// The nearest known one, or where to look.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("{at}: `{key}` must be {wanted}, not {found}")]
    Type {
        /// The place.
        at: Origin,
        /// The key's full name.
        key: String,
        /// What is wanted.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// A value that is not allowed.
    #[error("{at}: `{key}` {mend}")]
    Value {
        /// The place.
        at: Origin,
        /// The key's full name.
        key: String,
        /// What to write instead.
        mend: String,
    },
}
