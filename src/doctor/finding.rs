//! What was found, and what to do about it.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it must be.
    Ok,
    /// It works; somebody should know.
    Warning,
    /// Could not be found out.
    Unknown,
    /// It will not work, or a promise would not hold.
    Wrong,
}

impl Level {
    /// A word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Unknown => "unknown",
            Level::Wrong => "WRONG",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of what: `kafka`, `topic usage-1`, `clickhouse`, `clock of the broker`, ...
    pub about: String,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where nothing has to be done.
    pub mend: String,
}

impl Finding {
    /// Something that is as it must be.
    #[must_use]
    pub fn ok(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self { about: about.into(), level: Level::Ok, found: found.into(), mend: String::new() }
    }

    /// Something else.
    #[must_use]
    pub fn at(level: Level, about: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { about: about.into(), level, found: found.into(), mend: mend.into() }
    }

    /// What an error says: our own errors hold their mend behind a semicolon.
    #[must_use]
    pub fn error(level: Level, about: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let text = error.to_string();
        let (found, mend) = text.split_once("; ").unwrap_or((&text, ""));
        Self::at(level, about, found, mend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_taken_apart_into_what_and_mend() {
        let error = std::io::Error::other("no answer; is it up? `plimsoll dev up` starts one");
        let finding = Finding::error(Level::Wrong, "clickhouse", &error);
        assert_eq!((&*finding.found, &*finding.mend), ("no answer", "is it up? `plimsoll dev up` starts one"));
        assert_eq!(Finding::error(Level::Wrong, "x", &std::io::Error::other("gone")).mend, "");
    }
}
