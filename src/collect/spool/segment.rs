//! One file of the spool.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::directory;
use super::marks::Marks;
use crate::collect::error::SpoolError;
use crate::core::collect::frame::{self, Frame};

const EXTENSION: &str = "spool";

/// A file whose bytes are known.
pub(super) struct Segment {
    number: u64,
    path: PathBuf,
    file: File,
    bytes: u64,
    is_sound: bool,
}

/// The path of a segment.
pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.{EXTENSION}"))
}

/// The numbers of all segments, in order.
pub(super) fn numbers(directory: &Path) -> Result<Vec<u64>, SpoolError> {
    let fault = |source| SpoolError::File { path: directory.to_owned(), what: "list it", source };
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        let number: Option<u64> = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        numbers.extend(number.filter(|_| is_segment));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes a segment.
pub(super) fn remove(directory: &Path, number: u64) -> Result<(), SpoolError> {
    let path = path(directory, number);
    std::fs::remove_file(&path).map_err(|source| SpoolError::File { path, what: "remove it", source })
}

impl Segment {
    /// A new file.
    pub(super) fn create(directory: &Path, number: u64) -> Result<Self, SpoolError> {
        let path = path(directory, number);
        let file = open(&path, OpenOptions::new().create_new(true))?;
        directory::sync(directory)?;
        Ok(Self { number, path, file, bytes: 0, is_sound: true })
    }

    /// A file that is there: its frames are looked at, its arrays marked, and what a crash left of the last frame is cut off.
    pub(super) fn check(directory: &Path, number: u64, marks: &mut Marks) -> Result<Self, SpoolError> {
        let path = path(directory, number);
        let fault = |what, source| SpoolError::File { path: path.clone(), what, source };
        let file = open(&path, &mut OpenOptions::new())?;
        // one event is appended after the file has its bytes at most
        let all = std::fs::read(&path).map_err(|error| fault("read it", error))?;
        let mut rest = all.as_slice();
        loop {
            let at = (all.len() - rest.len()) as u64;
            match frame::read(rest) {
                Frame::Whole { array, instant, length, .. } => {
                    marks.settle(array, instant);
                    rest = &rest[length..];
                }
                Frame::End => break,
                Frame::Torn => {
                    let bytes = rest.len();
                    tracing::warn!(file = %path.display(), bytes, "the last event was not written to its end: cut off");
                    file.set_len(at).and_then(|()| file.sync_all()).map_err(|error| fault("cut it", error))?;
                    break;
                }
                Frame::Damaged => return Err(SpoolError::Damaged { path, at }),
            }
        }
        let bytes = file.metadata().map_err(|error| fault("measure it", error))?.len();
        Ok(Self { number, path, file, bytes, is_sound: true })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it ends where its frames do.
    pub(super) fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Appends a frame and makes it durable. If that fails the file is as before, or nothing is appended to it any more.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), SpoolError> {
        let written = self.file.write_all(frame).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.is_sound = self.file.set_len(self.bytes).is_ok();
            return Err(SpoolError::File { path: self.path.clone(), what: "append an event to it", source });
        }
        self.bytes += frame.len() as u64;
        Ok(())
    }

    /// So many bytes from a place on.
    pub(super) fn read(&self, at: u64, bytes: u64) -> Result<Vec<u8>, SpoolError> {
        let mut piece = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.file.read_exact_at(&mut piece, at).map_err(|source| SpoolError::File {
            path: self.path.clone(),
            what: "read it",
            source,
        })?;
        Ok(piece)
    }
}

/// For reading and appending, by its owner alone.
fn open(path: &Path, options: &mut OpenOptions) -> Result<File, SpoolError> {
    let opened: io::Result<File> = options.read(true).append(true).mode(0o600).open(path);
    opened.map_err(|source| SpoolError::File { path: path.to_owned(), what: "open it", source })
}
