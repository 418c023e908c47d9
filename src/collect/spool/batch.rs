//! Events that are sent and acknowledged together.

use std::path::Path;

use super::segment;
use crate::collect::error::SpoolError;
use crate::core::collect::frame::{self, Frame};

/// Events that are sent and acknowledged together.
pub const BATCH_RECORDS: usize = 1_000;
/// ... in bytes: one of the greatest events fits.
pub const BATCH_BYTES: u64 = 20 << 20;

/// Events to be sent together.
#[derive(Debug)]
pub struct Batch {
    /// In the order in which they were kept.
    pub records: Vec<Kept>,
    pub(super) segment: u64,
    pub(super) bytes: u64,
}

/// An event of the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The array's id: the record's key.
    pub array: String,
    /// The event.
    pub event: Vec<u8>,
}

impl Batch {
    /// Reads what a piece of a file begins with, as many events as may go together; `at` is where in the file the piece begins.
    pub(super) fn read(directory: &Path, piece: &[u8], (segment, at): (u64, u64)) -> Result<Self, SpoolError> {
        let mut batch = Batch { records: Vec::new(), segment, bytes: 0 };
        let mut rest = piece;
        while batch.records.len() < BATCH_RECORDS {
            match frame::read(rest) {
                Frame::Whole { array, event, length, .. } => {
                    batch.records.push(Kept { array: array.to_owned(), event: event.to_vec() });
                    batch.bytes += length as u64;
                    rest = &rest[length..];
                }
                // the piece ends within a frame; what is damaged is told once it is the next to be sent
                _ if !batch.records.is_empty() => break,
                Frame::End | Frame::Torn | Frame::Damaged => {
                    let path = segment::path(directory, segment);
                    return Err(SpoolError::Damaged { path, at: at + batch.bytes });
                }
            }
        }
        Ok(batch)
    }
}
