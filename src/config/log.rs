//! `[log]`: what is logged, and how.

use super::error::ConfigError;
use super::layer::Values;

const SECTION: &str = "log";

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for collectors.
    Json,
}

/// `[log]`, checked.
#[derive(Clone, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// Levels as in `RUST_LOG`.
    pub filter: String,
}

impl Log {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let filter = values.required(SECTION, "filter")?;
        if let Err(error) = filter.parse::<tracing_subscriber::EnvFilter>() {
            return Err(values.refuse(
                SECTION,
                "filter",
                format!("must be levels such as \"plimsoll=debug,warn\": {error}"),
            ));
        }
        Ok(Self {
            format: values.choice(SECTION, "format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
            filter,
        })
    }
}
