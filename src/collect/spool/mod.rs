//! Events on disk from the poll until Kafka has them: files that are only appended to, one after the other, each event with its length and
//! checksum. What is in it is in it before the poll counts as done (`fsync`), so `kill -9` loses nothing; a frame that was cut short was never
//! counted. It is sent in order. A file goes when all of it is acknowledged; until then a crash sends it again, which makes duplicates.

mod batch;
mod directory;
mod marks;
mod segment;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use super::error::SpoolError;
use crate::core::collect::frame;
use crate::core::word::Instant;
use marks::Marks;
use segment::Segment;

pub use batch::{BATCH_BYTES, BATCH_RECORDS, Batch, Kept};

/// A file that has so many bytes is followed by another.
pub const SEGMENT_BYTES: u64 = 8 << 20;
/// Between two looks whether a pause is to be cut short.
const STOP_LOOK: Duration = Duration::from_millis(100);

/// The spool of one collector.
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// Held as long as the spool is: another collector is refused.
    _lock: File,
}

struct State {
    marks: Marks,
    /// Oldest first; the last is written to.
    segments: VecDeque<Segment>,
    /// Where in the first segment the next event to send begins.
    read_at: u64,
}

impl Spool {
    /// Opens the spool of a directory and makes it if it is not there. What a crash left of a last frame is cut off, which is said.
    ///
    /// # Errors
    /// If another collector uses it, the system does not let it, or a file was damaged.
    pub fn open(directory: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let fault = |what, source| SpoolError::File { path: directory.to_owned(), what, source };
        std::fs::create_dir_all(directory).map_err(|error| fault("make the directory", error))?;
        let lock = OpenOptions::new().create(true).append(true).open(directory.join("lock"));
        let lock = lock.map_err(|error| fault("open the file `lock`", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Locked { path: directory.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(fault("lock the file `lock`", error)),
        }
        let mut marks = Marks::read(directory)?;
        let mut segments = VecDeque::new();
        for number in segment::numbers(directory)? {
            segments.push_back(Segment::check(directory, number, &mut marks)?);
        }
        let state = Mutex::new(State { marks, segments, read_at: 0 });
        let spool = Self { directory: directory.to_owned(), max_bytes, state, changed: Condvar::new(), _lock: lock };
        tracing::info!(spool = %directory.display(), bytes = spool.bytes(), max_bytes, "spool opened");
        Ok(spool)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    /// The most bytes there may be.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The newest instant of an array that was read or given up, or that which was the newest before it was first polled.
    #[must_use]
    pub fn settled(&self, array: &str) -> Option<Instant> {
        self.lock().marks.of(array)
    }

    /// An instant that is given up, with all before it.
    pub fn settle(&self, array: &str, instant: Instant) {
        self.lock().marks.settle(array, instant);
    }

    /// Notes where a new array begins: right after `before`. It is on disk when this returns, so that what falls due until the array answers
    /// is missed and not forgotten.
    ///
    /// # Errors
    /// If the system does not take it; then it is known as long as this process runs.
    pub fn begin(&self, array: &str, before: Instant) -> Result<(), SpoolError> {
        let mut state = self.lock();
        state.marks.settle(array, before);
        state.marks.write(&self.directory)
    }

    /// Refuses if so many bytes more would not fit. Nothing that is there is ever dropped to make room.
    ///
    /// # Errors
    /// [`SpoolError::Full`].
    pub fn check_room(&self, more: u64) -> Result<(), SpoolError> {
        self.lock().check_room(more, self.max_bytes)
    }

    /// Keeps an event. It is on disk when this returns.
    ///
    /// # Errors
    /// If the spool is full, or the system does not take it; then nothing of it is kept.
    pub fn append(&self, array: &str, instant: Instant, event: &[u8]) -> Result<(), SpoolError> {
        let frame = frame::encode(array, instant, event).ok_or(SpoolError::TooLarge { bytes: event.len() })?;
        let mut state = self.lock();
        state.check_room(frame.len() as u64, self.max_bytes)?;
        let number = match state.segments.back() {
            Some(last) if last.bytes() < SEGMENT_BYTES && last.is_sound() => None,
            Some(last) => Some(last.number() + 1),
            None => Some(0),
        };
        if let Some(number) = number {
            state.segments.push_back(Segment::create(&self.directory, number)?);
        }
        if let Some(last) = state.segments.back_mut() {
            last.append(&frame)?;
        }
        state.marks.settle(array, instant);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The oldest events that are not acknowledged; none if there is none. The same again until they are.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what was written.
    pub fn batch(&self) -> Result<Option<Batch>, SpoolError> {
        let (piece, segment, at) = {
            let state = self.lock();
            let Some(first) = state.segments.iter().find(|segment| segment.bytes() > 0) else { return Ok(None) };
            let at = if first.number() == state.first_number() { state.read_at } else { 0 };
            if at >= first.bytes() {
                return Ok(None);
            }
            (first.read(at, BATCH_BYTES.min(first.bytes() - at))?, first.number(), at)
        };
        Batch::read(&self.directory, &piece, (segment, at)).map(Some)
    }

    /// The broker has a batch: it is removed, at the latest with the rest of its file.
    ///
    /// # Errors
    /// If the system does not let it; then it is sent again, as duplicates.
    pub fn acknowledge(&self, batch: &Batch) -> Result<(), SpoolError> {
        let mut state = self.lock();
        // what was emptied before goes with it
        while state.first_number() < batch.segment {
            state.remove_first(&self.directory)?;
        }
        state.read_at += batch.bytes;
        let is_read = state.segments.front().is_some_and(|first| state.read_at >= first.bytes());
        if is_read {
            // what an array was read up to is known from its events, so it has to be kept before they go
            state.marks.write(&self.directory)?;
            state.remove_first(&self.directory)?;
        }
        Ok(())
    }

    /// Waits until an event is kept, and no longer than this.
    pub fn wait(&self, longest: Duration) {
        let state = self.lock();
        drop(self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner));
    }

    /// Pauses for as long, or until it is over.
    pub(super) fn pause(&self, time: Duration, is_over: &AtomicBool) {
        let end = Moment::now() + time;
        while !is_over.load(Ordering::Acquire) {
            let left = end.saturating_duration_since(Moment::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(STOP_LOOK));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum()
    }

    fn first_number(&self) -> u64 {
        self.segments.front().map_or(u64::MAX, Segment::number)
    }

    fn check_room(&self, more: u64, limit: u64) -> Result<(), SpoolError> {
        let bytes = self.bytes();
        match bytes.saturating_add(more) > limit {
            true => Err(SpoolError::Full { bytes, limit }),
            false => Ok(()),
        }
    }

    fn remove_first(&mut self, directory: &Path) -> Result<(), SpoolError> {
        if let Some(first) = self.segments.front() {
            segment::remove(directory, first.number())?;
            self.segments.pop_front();
            self.read_at = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
