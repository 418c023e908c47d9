//! Why the parts are not up, or not down.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Part;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a directory nor a home is known.
    #[error("there is no home directory: say where with --dir or PLIMSOLL_DEV_DIR")]
    NoHome,
    /// A directory cannot be used.
    #[error("cannot write in {}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another command is at work.
    #[error("another `plimsoll dev` has been at work in {} for {} s: wait for it, or end it", directory.display(), waited.as_secs())]
    Locked {
        /// The directory.
        directory: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// What was started earlier is not known.
    #[error("cannot use {}: {source}; if it is damaged, end the processes by hand and remove it", file.display())]
    Record {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The script that fetches cannot be run.
    #[error("cannot run bash to fetch the parts: {0}")]
    Script(io::Error),
    /// The script has said why.
    #[error("the parts could not be fetched, see above")]
    Fetch,
    /// All tried are taken.
    #[error("found no free port on loopback between 20000 and 30000: free some")]
    NoPort,
    /// A program cannot be started.
    #[error("cannot start {program}: {source}; scripts/need.sh says what is missing")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Kafka's storage tool failed.
    #[error("cannot format the broker's storage:\n{text}")]
    Format {
        /// What the tool said.
        text: String,
    },
    /// A part ended while it was waited for.
    #[error("{part} ended before it was ready; the last lines of {}:\n{tail}", log.display())]
    Died {
        /// The part.
        part: Part,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// A part runs and does not answer.
    #[error("{part} was not ready after {} s; the last lines of {}:\n{tail}", waited.as_secs(), log.display())]
    NotReady {
        /// The part.
        part: Part,
        /// How long was waited.
        waited: Duration,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// A process runs on.
    #[error("cannot end {part}: {source}")]
    Stop {
        /// The part.
        part: Part,
        /// Why.
        source: io::Error,
    },
}
