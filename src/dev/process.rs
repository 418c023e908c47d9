//! A process that outlives the command that started it, known again by its id and its start time.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Between two looks at a process that is being waited for.
const POLL: Duration = Duration::from_millis(50);
/// Longest wait for a process to vanish after SIGKILL.
const KILL_WAIT: Duration = Duration::from_secs(10);

/// A process that was started here. Ids are used again by the system; an id with its start time is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// When it started, in clock ticks since the machine did.
    pub started: u64,
}

impl Process {
    /// Starts a command in a session of its own, without a terminal, its output in a file.
    ///
    /// # Errors
    /// When the log cannot be written or the program not started.
    pub fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // SAFETY: runs in the child between fork and exec, and `setsid` is async-signal-safe.
        unsafe {
            command.pre_exec(|| match libc::setsid() {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            });
        }
        let mut child = command.spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        let started = start_time(pid).unwrap_or_default();
        // Whoever started it and is still there when it ends has to take note, or it stays in the process table.
        std::thread::spawn(move || child.wait());
        Ok(Self { pid, started })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Asks it to end, waits, and kills it if it does not.
    ///
    /// # Errors
    /// When it runs on all the same.
    pub fn stop(self, wait: Duration) -> io::Result<()> {
        self.signal(libc::SIGTERM)?;
        if self.ended_within(wait) { Ok(()) } else { self.kill() }
    }

    /// Kills it with -9.
    ///
    /// # Errors
    /// When it runs on all the same.
    pub fn kill(self) -> io::Result<()> {
        self.signal(libc::SIGKILL)?;
        if self.ended_within(KILL_WAIT) {
            return Ok(());
        }
        Err(io::Error::other(format!("process {} still runs {} s after SIGKILL", self.pid, KILL_WAIT.as_secs())))
    }

    fn ended_within(self, wait: Duration) -> bool {
        let deadline = Instant::now() + wait;
        while self.runs() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }

    fn signal(self, signal: i32) -> io::Result<()> {
        if !self.runs() {
            return Ok(());
        }
        // SAFETY: a plain system call; id and start time were compared just now, so the process is the one started here.
        if unsafe { libc::kill(self.pid, signal) } == 0 || !self.runs() {
            return Ok(());
        }
        Err(io::Error::last_os_error())
    }
}

/// The start time of a process that has not ended.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_start_time(&stat)
}

/// The program's name, in brackets, may hold anything: fields are counted behind its last bracket. A dead process that
/// nobody has taken note of is gone, but not while threads of it are left: they still hold its port and its files.
fn parse_start_time(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let dead = matches!(*fields.first()?, "Z" | "X");
    let threads: u32 = fields.get(17)?.parse().ok()?;
    if dead && threads <= 1 {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_read_behind_any_name() {
        let tail = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200";
        assert_eq!(parse_start_time(&format!("42 (a) b) S {tail}")), Some(987_654));
        assert_eq!(parse_start_time(&format!("42 (gone) Z {tail}")), None);
        let threads = tail.replace(" 20 0 1 0 ", " 20 0 7 0 ");
        assert_eq!(parse_start_time(&format!("42 (going) Z {threads}")), Some(987_654));
    }

    #[test]
    fn a_process_is_started_and_stopped_by_id_and_start_time() {
        let log = std::env::temp_dir().join(format!("plimsoll-process-{}", std::process::id()));
        let mut command = Command::new("sleep");
        command.arg("60");
        let process = Process::start(command, &log).unwrap();
        assert!(process.runs());
        let other = Process { started: process.started + 1, ..process };
        assert!(!other.runs());
        other.kill().unwrap();
        assert!(process.runs(), "another start time must not be signalled");
        process.stop(Duration::from_secs(5)).unwrap();
        assert!(!process.runs());
        fs::remove_file(log).unwrap();
    }
}
