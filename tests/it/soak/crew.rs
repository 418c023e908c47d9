//! The workers of the group, each a process of its own.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::worker::{Parts, Worker};

/// Fetched and not yet folded, per partition.
const QUEUED_MAX_KIB: u64 = 1024;
/// Bytes that wait for a flush, per partition.
const FLUSH_MAX_BYTES: u64 = 1 << 20;
/// The partitions of the stream.
pub const PARTITIONS: u64 = 4;
/// One answer to a fetch may bring so much of a partition, whatever is queued (`fetch.message.max.bytes`).
const FETCH_KIB: u64 = 8 << 10;
/// A worker's program, libraries, state and allocator.
const PROGRAM_KIB: u64 = 64 << 10;
/// The most that a worker may hold while the engine is away: of each partition what is fetched and not folded, one answer of the broker,
/// the frozen batch and its encoded form.
pub const RSS_MAX_KIB: u64 = PARTITIONS * (QUEUED_MAX_KIB + FETCH_KIB + 2 * (FLUSH_MAX_BYTES >> 10)) + PROGRAM_KIB;
/// What is sent meanwhile: twice the bound, so that a worker which takes in all of it breaks the bound.
pub const AWAY_LOAD_KIB: u64 = 2 * RSS_MAX_KIB;
/// The longest wait for a worker that was asked to end.
const END_WAIT: Duration = Duration::from_secs(30);
/// Bytes of the log that are shown when a worker has ended by itself.
const TAIL: usize = 3000;

/// The workers that run, and what they say.
pub struct Crew {
    workers: Vec<Worker>,
    log: PathBuf,
    /// Workers killed with -9 so far.
    pub killed: u64,
}

impl Crew {
    /// Nobody yet.
    pub fn new(parts: &Parts) -> Self {
        Self { workers: Vec::new(), log: parts.directory.path().join("workers.log"), killed: 0 }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.workers.len()
    }

    /// One more.
    pub fn join(&mut self, parts: &Parts) {
        let log = |path| -> File { OpenOptions::new().create(true).append(true).open(path).unwrap() };
        let mut command = parts.command(&["run"]);
        command.env("PLIMSOLL_KAFKA__QUEUED_MAX_KBYTES", QUEUED_MAX_KIB.to_string());
        command.env("PLIMSOLL_RUN__FLUSH_MAX_BYTES", FLUSH_MAX_BYTES.to_string());
        command.env("PLIMSOLL_RUN__RETRY_MAX_SECONDS", "1");
        command.stdout(Stdio::null()).stderr(log(&self.log));
        self.workers.push(Worker::of(command));
    }

    /// Workers join or are asked to end until there are so many.
    pub fn hold(&mut self, parts: &Parts, count: usize) {
        while self.workers.len() < count {
            self.join(parts);
        }
        while self.workers.len() > count {
            self.leave();
        }
    }

    /// The oldest is asked to end, and does.
    pub fn leave(&mut self) {
        let mut worker = self.workers.remove(0);
        signal(worker.pid(), libc::SIGTERM);
        let begun = Instant::now();
        while worker.ended().is_none() {
            assert!(begun.elapsed() < END_WAIT, "a worker does not end within {END_WAIT:?}: {}", self.tail());
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = worker.ended().unwrap();
        assert!(status.success(), "a worker that was asked to end said {status}: {}", self.tail());
    }

    /// kill -9 of one of them.
    pub fn kill(&mut self, which: u64) {
        self.all_run();
        self.workers.remove(which as usize % self.workers.len()).kill();
        self.killed += 1;
    }

    /// Stops one of them for a while, as a machine that hangs would, and lets it go on.
    pub fn stand_still(&self, which: u64, time: Duration) {
        let pid = self.workers[which as usize % self.workers.len()].pid();
        signal(pid, libc::SIGSTOP);
        std::thread::sleep(time);
        signal(pid, libc::SIGCONT);
    }

    /// Nobody ends by himself, whatever happens around him.
    pub fn all_run(&mut self) {
        let ended: Vec<_> = self.workers.iter_mut().filter_map(Worker::ended).collect();
        assert!(ended.is_empty(), "a worker ended by itself, {ended:?}: {}", self.tail());
    }

    /// The most memory that one of them holds now, in KiB.
    pub fn rss_kib(&self) -> u64 {
        self.workers.iter().map(|worker| rss_kib(worker.pid())).max().unwrap_or(0)
    }

    /// The end of what they said.
    pub fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL)..]).into_owned()
    }
}

/// Sends a signal to a process that was started here.
pub fn signal(pid: i32, number: i32) {
    // SAFETY: a plain system call on a child that has not been waited for, so its id is still its own.
    let sent = unsafe { libc::kill(pid, number) };
    assert_eq!(sent, 0, "signal {number} to process {pid}: {}", std::io::Error::last_os_error());
}

fn rss_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
