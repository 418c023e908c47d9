//! The parts for trying things out: a Kafka broker and a ClickHouse engine on this machine, as processes of their own.
//!
//! ```no_run
//! # fn main() -> Result<(), plimsoll::dev::Error> {
//! use plimsoll::dev::{Dev, Part};
//! let dev = Dev::new("/some/directory").with_program("/path/to/plimsoll");
//! let _ends_with_the_test = dev.guard();
//! let status = dev.up(None)?; // the first time it fetches, formats, writes plimsoll.toml
//! dev.kill(Part::Engine)?; // -9
//! dev.up(Some(Part::Engine))?; // same port, same data
//! # Ok(()) }
//! ```

mod error;
mod kafka;
mod parts;
mod ping;
mod port;
mod process;
mod progress;
mod record;
mod start;
mod status;

use std::env;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use error::Error;
pub use parts::Parts;
pub use progress::Progress;
pub use status::{PartStatus, State, Status};

use record::{Entry, Record};

/// Longest wait for another command on the same directory.
const LOCK_WAIT: Duration = Duration::from_secs(180);
/// Longest wait for a part to end by itself before it is killed.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// One of the two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The Kafka broker.
    Kafka,
    /// The ClickHouse engine.
    Engine,
}

impl Part {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Kafka, Self::Engine];

    fn chosen(only: Option<Self>) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |part| only.is_none_or(|only| only == *part))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kafka => "kafka",
            Self::Engine => "engine",
        })
    }
}

/// The parts of one directory.
#[derive(Debug, Clone)]
pub struct Dev {
    directory: PathBuf,
    program: Option<PathBuf>,
    progress: Progress,
}

impl Dev {
    /// The parts that live below this directory.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), program: None, progress: Progress::Silent }
    }

    /// The program whose `engine` command is started, where that is not the running one (in an integration test:
    /// `env!("CARGO_BIN_EXE_plimsoll")`).
    #[must_use]
    pub fn with_program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..self }
    }

    /// Shows what is being done.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// `$PLIMSOLL_DEV_DIR`, else below `$XDG_STATE_HOME`, else below `~/.local/state`.
    ///
    /// # Errors
    /// When there is no home directory either.
    pub fn default_directory() -> Result<PathBuf, Error> {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        variable("PLIMSOLL_DEV_DIR")
            .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("plimsoll/dev")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/plimsoll/dev")))
            .ok_or(Error::NoHome)
    }

    /// Starts what does not run, one part or both, and waits until it answers. What runs is left alone.
    ///
    /// # Errors
    /// When a part cannot be fetched or started, or does not answer in time; its last log lines are part of the text.
    pub fn up(&self, only: Option<Part>) -> Result<Status, Error> {
        let _lock = self.lock()?;
        let done = start::start(self, only);
        self.progress.finish();
        done?;
        self.status_now()
    }

    /// Ends what was started here, one part or both: SIGTERM, and SIGKILL after 30 s.
    ///
    /// # Errors
    /// When the record cannot be read or a process not be ended.
    pub fn down(&self, only: Option<Part>) -> Result<Status, Error> {
        let _lock = self.lock()?;
        let mut record = Record::read(&self.directory)?;
        let ending: Vec<_> = Part::chosen(only)
            .filter_map(|part| Some((part, record.entry(part).process.take()?)))
            .filter(|(_, process)| process.runs())
            .collect();
        for (part, process) in &ending {
            self.progress.say(format!("stopping {part} (process {})", process.pid));
        }
        let threads: Vec<_> = ending
            .into_iter()
            .map(|(part, process)| (part, std::thread::spawn(move || process.stop(STOP_WAIT))))
            .collect();
        for (part, thread) in threads {
            let stopped = thread.join().unwrap_or_else(|_| Err(std::io::Error::other("its thread panicked")));
            stopped.map_err(|source| Error::Stop { part, source })?;
        }
        self.progress.finish();
        record.write(&self.directory)?;
        self.status_now()
    }

    /// Kills one part with -9, as a crash would; its data stays, and the next [`Dev::up`] starts it on the same port.
    ///
    /// # Errors
    /// When the record cannot be read or the process not be ended.
    pub fn kill(&self, part: Part) -> Result<(), Error> {
        let process = Record::read(&self.directory)?.entry(part).process;
        process.map_or(Ok(()), |process| process.kill().map_err(|source| Error::Stop { part, source }))
    }

    /// What runs and where.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        self.status_now()
    }

    /// Kills both parts when dropped: for tests, whose data goes with them.
    #[must_use]
    pub fn guard(&self) -> Guard {
        Guard(self.clone())
    }

    fn status_now(&self) -> Result<Status, Error> {
        let record = Record::read(&self.directory)?;
        let mut engine = status_of(&record.engine, ping::answers);
        engine.url = engine.address.as_ref().map(|address| format!("http://{address}"));
        Ok(Status {
            kafka: status_of(&record.kafka, |port| kafka::answers(&address(port))),
            engine,
            api: record.http_port.map(|port| format!("http://{}", address(port))),
            metrics: record.metrics_port.map(|port| format!("http://{}/metrics", address(port))),
            config: status::configuration_file(&self.directory),
            directory: self.directory.clone(),
        })
    }

    fn log(&self, part: Part) -> PathBuf {
        self.directory.join("logs").join(format!("{part}.log"))
    }

    /// One command at a time; the lock goes with the file.
    fn lock(&self) -> Result<File, Error> {
        let failed = |source| Error::Directory { directory: self.directory.clone(), source };
        fs::create_dir_all(self.directory.join("logs")).map_err(failed)?;
        let file = File::create(self.directory.join("lock")).map_err(failed)?;
        let deadline = Instant::now() + LOCK_WAIT;
        while file.try_lock().is_err() {
            if Instant::now() > deadline {
                return Err(Error::Locked { directory: self.directory.clone(), waited: LOCK_WAIT });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(file)
    }

    fn directory(&self) -> &Path {
        &self.directory
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn status_of(entry: &Entry, answers: impl FnOnce(u16) -> bool) -> PartStatus {
    let process = entry.process.filter(|process| process.runs());
    let up = process.is_some() && entry.port.is_some_and(answers);
    PartStatus {
        state: if up { State::Up } else { State::Down },
        pid: process.map(|process| process.pid),
        address: entry.port.map(address),
        url: None,
    }
}

/// See [`Dev::guard`].
#[derive(Debug)]
pub struct Guard(Dev);

impl Drop for Guard {
    fn drop(&mut self) {
        for part in Part::ALL {
            if let Err(error) = self.0.kill(part) {
                eprintln!("dev: {error}");
            }
        }
    }
}
