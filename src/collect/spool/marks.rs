//! Up to which instant each array was read or given up. Known from the spool's events, and kept in a file of its own once those are gone; of an
//! array that never answered it is the instant before the first one that was due.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::directory;
use crate::collect::error::SpoolError;
use crate::core::word::Instant;

const FILE: &str = "settled.json";
const NEW_FILE: &str = "settled.json.new";

/// The newest settled instant of each array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(BTreeMap<String, Instant>);

impl Marks {
    pub(super) fn read(directory: &Path) -> Result<Self, SpoolError> {
        let path = directory.join(FILE);
        match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(SpoolError::File { path, what: "read it", source }),
            Ok(text) => serde_json::from_slice(&text)
                .map(Self)
                .map_err(|error| SpoolError::Damaged { path, at: error.column().saturating_sub(1) as u64 }),
        }
    }

    /// Written whole beside the old one, then put in its place.
    pub(super) fn write(&self, directory: &Path) -> Result<(), SpoolError> {
        let (new, path) = (directory.join(NEW_FILE), directory.join(FILE));
        let written = serde_json::to_vec(&self.0).map_err(io::Error::from).and_then(|text| {
            let mut file = File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        });
        written.map_err(|source| SpoolError::File { path, what: "write it", source })?;
        directory::sync(directory)
    }

    pub(super) fn of(&self, array: &str) -> Option<Instant> {
        self.0.get(array).copied()
    }

    pub(super) fn settle(&mut self, array: &str, instant: Instant) {
        match self.0.get_mut(array) {
            Some(settled) => *settled = instant.max(*settled),
            None => drop(self.0.insert(array.to_owned(), instant)),
        }
    }
}
