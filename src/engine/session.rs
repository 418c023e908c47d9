//! The engine of this process, and one connection a request.
//!
//! A connection is opened for each request and closed behind it: that costs 0.3 ms, and no setting and no current database
//! of one request can reach another. What bounds the work is the number of permits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;
use super::connection::Connection;
use super::exception::{Exception, TOO_MANY_QUERIES};
use super::library::Library;
use super::request::Asked;
use super::room;

/// Statements that write at one time.
const WRITERS: usize = 4;
/// Statements that read at one time. A cursor that a client leaves open holds one.
const READERS: usize = 8;
/// Longest wait for one of the above.
const PERMIT_WAIT: Duration = Duration::from_secs(60);
/// Threads that one statement uses.
const THREADS: std::ops::RangeInclusive<usize> = 2..=4;
/// Memory for the index marks of parts; the engine's default is larger than the whole memory limit.
const MARK_CACHE: u64 = 256 << 20;

/// The running engine.
pub struct Engine {
    library: &'static Library,
    directory: PathBuf,
    arguments: Vec<String>,
    /// Settings of every statement that does not state its own, in SQL.
    settings: Vec<(&'static str, String)>,
    /// Closing the last connection would stop the engine: this one stays open.
    anchor: Mutex<Option<Connection>>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
}

impl Engine {
    /// Starts the engine on a directory, which it creates if need be.
    ///
    /// # Errors
    /// When the engine cannot be loaded, or refuses the directory.
    pub fn start(library: &Path, directory: &Path, memory_limit: u64) -> Result<Self, Error> {
        let directory_failed = |source| Error::Directory { directory: directory.to_path_buf(), source };
        std::fs::create_dir_all(directory).map_err(directory_failed)?;
        let directory = directory.canonicalize().map_err(directory_failed)?;
        let library = Library::load(library)?;
        let arguments = vec![
            format!("--path={}", directory.display()),
            format!("--max_server_memory_usage={memory_limit}"),
            format!("--mark_cache_size={}", MARK_CACHE.min(memory_limit / 8)),
        ];
        let anchor = Connection::open(library, &arguments)?;
        let cores = std::thread::available_parallelism().map_or(*THREADS.start(), usize::from);
        let settings = vec![
            ("max_threads", cores.clamp(*THREADS.start(), *THREADS.end()).to_string()),
            // The engine's own default wants 1 GiB free for each thread, so every query of an engine of 2 GiB would run on one core.
            ("max_threads_min_free_memory_per_thread", "0".to_owned()),
            // A server answers an insert when it is durable; the engine's own default would gather inserts first.
            ("async_insert", "0".to_owned()),
            // `SELEC 1` is a syntax error on a server.
            ("implicit_select", "0".to_owned()),
            ("allow_introspection_functions", "0".to_owned()),
        ];
        Ok(Self {
            library,
            directory,
            arguments,
            settings,
            anchor: Mutex::new(Some(anchor)),
            readers: Arc::new(Semaphore::new(READERS)),
            writers: Arc::new(Semaphore::new(WRITERS)),
        })
    }

    /// Waits for leave to run a statement.
    ///
    /// # Errors
    /// When none is given in time.
    pub async fn permit(&self, reads: bool) -> Result<OwnedSemaphorePermit, Exception> {
        let permits = if reads { &self.readers } else { &self.writers };
        match tokio::time::timeout(PERMIT_WAIT, Arc::clone(permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Exception::new(
                TOO_MANY_QUERIES,
                format_args!(
                    "Too many simultaneous queries. Waited {} s for one of {READERS} reads and {WRITERS} writes to end. (TOO_MANY_SIMULTANEOUS_QUERIES)",
                    PERMIT_WAIT.as_secs()
                ),
            )),
        }
    }

    /// Refuses what writes where there is no room for it.
    ///
    /// # Errors
    /// `NOT_ENOUGH_SPACE`.
    pub fn has_room(&self) -> Result<(), Exception> {
        room::check(&self.directory)
    }

    /// Opens a connection with the request's settings and database. Blocks for a millisecond.
    ///
    /// # Errors
    /// When a setting or the database is unknown.
    pub fn session(&self, asked: &Asked) -> Result<Connection, Exception> {
        let mut connection = Connection::open(self.library, &self.arguments).map_err(Exception::internal)?;
        let own = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        let asked_for = asked.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let stated = |name: &str| asked.settings.iter().any(|(asked, _)| asked == name);
        let all: Vec<String> = own
            .filter(|(name, _)| !stated(name))
            .chain(asked_for)
            .map(|(name, value)| format!("{name} = '{}'", value.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        connection.query(&format!("SET {}", all.join(", ")), "Null", &[])?;
        if let Some(database) = &asked.database {
            connection.query(&format!("USE `{}`", database.replace('\\', "\\\\").replace('`', "\\`")), "Null", &[])?;
        }
        Ok(connection)
    }

    /// Closes what is open and stops the engine; false if statements are still running, whose connections it must not
    /// take away.
    #[must_use]
    pub fn stop(&self) -> bool {
        if self.readers.available_permits() != READERS || self.writers.available_permits() != WRITERS {
            return false;
        }
        drop(self.anchor.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.library.shut_down();
        true
    }
}
