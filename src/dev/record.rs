//! What `plimsoll dev` remembers between two commands: ports, so that they stay, and processes, so that it ends no others.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::process::Process;
use super::{Error, Part};

const FILE: &str = "dev.json";

/// The record of one directory.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Kafka.
    pub kafka: Entry,
    /// The engine.
    pub engine: Entry,
    /// The port of Kafka's controller.
    pub controller_port: Option<u16>,
    /// The port that Plimsoll's API gets.
    pub http_port: Option<u16>,
    /// The port that Plimsoll's metrics get.
    pub metrics_port: Option<u16>,
}

/// One part.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where it listens.
    pub port: Option<u16>,
    /// The process, as long as it is meant to run.
    pub process: Option<Process>,
}

impl Record {
    /// Reads the record of a directory; an absent one is empty.
    ///
    /// # Errors
    /// When it cannot be read: then what runs is not known, and nothing may be started over it.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let file = directory.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|source| Error::Record { file, source: source.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(Error::Record { file, source }),
        }
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let file = directory.join(FILE);
        let failed = |source| Error::Record { file: file.clone(), source };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        replace(&file, &text).map_err(failed)
    }

    /// The entry of a part.
    pub fn entry(&mut self, part: Part) -> &mut Entry {
        match part {
            Part::Kafka => &mut self.kafka,
            Part::Engine => &mut self.engine,
        }
    }
}

/// Writes a file beside its place and moves it there.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, file)
}
