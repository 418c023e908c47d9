//! Which file is read.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use super::ConfigError;

/// The file that was read, and why this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Named by `--config` or `PLIMSOLL_CONFIG`.
    Named(PathBuf),
    /// `./plimsoll.toml`.
    WorkingDirectory(PathBuf),
    /// Written by `plimsoll dev up`.
    Dev(PathBuf),
    /// None: the compiled-in defaults only.
    Defaults,
}

impl Source {
    /// The named file, else `./plimsoll.toml`, else the one that `plimsoll dev up` wrote, else none.
    #[must_use]
    pub fn find(named: Option<&Path>) -> Self {
        if let Some(path) = named {
            return Source::Named(path.to_owned());
        }
        let here = PathBuf::from("plimsoll.toml");
        if here.is_file() {
            return Source::WorkingDirectory(here);
        }
        match dev_file() {
            Some(path) if path.is_file() => Source::Dev(path),
            _ => Source::Defaults,
        }
    }

    /// The file's path, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Source::Named(path) | Source::WorkingDirectory(path) | Source::Dev(path) => Some(path),
            Source::Defaults => None,
        }
    }

    /// Why it is this one.
    fn why(&self) -> &'static str {
        match self {
            Source::Named(_) => "named by --config or PLIMSOLL_CONFIG",
            Source::WorkingDirectory(_) => "in the working directory",
            Source::Dev(_) => "written by `plimsoll dev up`",
            Source::Defaults => "defaults only",
        }
    }

    /// The file's text; nothing for the defaults.
    pub(super) fn read(&self) -> Result<String, ConfigError> {
        let Some(path) = self.path() else {
            return Ok(String::new());
        };
        std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            at: format!("configuration {}", self.why()),
            path: path.to_owned(),
            source,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "{} ({})", path.display(), self.why()),
            None => write!(f, "none: {}", self.why()),
        }
    }
}

/// Where `plimsoll dev up` puts its configuration. A value that is empty counts as not set.
fn dev_file() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let directory = set("PLIMSOLL_DEV_DIR").or_else(|| {
        set("XDG_STATE_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("plimsoll/dev"))
    })?;
    Some(directory.join("plimsoll.toml"))
}
