//! The directory of the spool's files.

use std::fs::File;
use std::path::Path;

use crate::collect::error::SpoolError;

/// Makes the directory's own entries durable: a file that is new or renamed is there after a crash.
pub(super) fn sync(directory: &Path) -> Result<(), SpoolError> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|source| SpoolError::File { path: directory.to_owned(), what: "make it durable", source })
}
