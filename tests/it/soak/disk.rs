//! A disk that is full. The engine's data lies on a small tmpfs that is filled; where mounting is not allowed, and for the broker, no file of
//! the process may become longer (`RLIMIT_FSIZE`), which its writes meet as a full disk does.
//!
//! Of the engine's disk 16 MiB stay free, less than it asks for before it writes: its library acknowledges a write that was cut in the midst
//! (`src/engine/room.rs`), so that what is under way when the disk fills up has to find room for its end.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Room for the engine's data of a long soak.
const SIZE: &str = "size=1g";
/// What stays free on the engine's disk, in bytes: the engine wants 64 MiB.
const LEFT: u64 = 16 << 20;

/// The engine's disk.
pub struct Disk {
    home: PathBuf,
    mounted: bool,
}

impl Disk {
    /// Mounts a tmpfs at `home`, if that is allowed.
    pub fn new(home: PathBuf) -> Self {
        std::fs::create_dir_all(&home).unwrap();
        let mounted = mount(&home);
        // what is started from here meets the limit of a file's length as an error, not as a deadly signal
        // SAFETY: a plain system call; nothing here wants this signal.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        Self { home, mounted }
    }

    /// How it is filled, for the report.
    pub fn kind(&self) -> &'static str {
        if self.mounted { "tmpfs" } else { "RLIMIT_FSIZE" }
    }

    /// No room for the engine's process.
    pub fn fill(&self, pid: i32) {
        if !self.mounted {
            return limit(pid, Some(LEFT));
        }
        let mut ballast = File::create(self.ballast()).unwrap();
        let piece = vec![0; 1 << 20];
        while self.free_bytes() > LEFT {
            ballast.write_all(&piece).unwrap();
        }
    }

    /// There is room again.
    pub fn free(&self, pid: i32) {
        match self.mounted {
            true => std::fs::remove_file(self.ballast()).unwrap(),
            false => limit(pid, None),
        }
    }

    fn free_bytes(&self) -> u64 {
        let home = path(&self.home);
        // SAFETY: all zeros are a valid value of this plain struct.
        let mut disk: libc::statvfs = unsafe { std::mem::zeroed() };
        // SAFETY: a text that ends in NUL and a struct of the right type, both living until the call returns.
        assert_eq!(unsafe { libc::statvfs(home.as_ptr(), &mut disk) }, 0);
        disk.f_bavail * disk.f_frsize
    }

    fn ballast(&self) -> PathBuf {
        self.home.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let home = path(&self.home);
            // SAFETY: a path that ends in NUL; what was mounted here goes as soon as its last user does.
            unsafe { libc::umount2(home.as_ptr(), libc::MNT_DETACH) };
        }
    }
}

fn path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

fn mount(home: &Path) -> bool {
    let (source, target, options) = (c"tmpfs", path(home), CString::new(SIZE).unwrap());
    let allowed = std::env::var_os("PLIMSOLL_SOAK_NO_MOUNT").is_none();
    // SAFETY: all are texts that end in NUL and live until the call returns.
    let mount = || unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), source.as_ptr(), 0, options.as_ptr().cast::<libc::c_void>())
    };
    allowed && mount() == 0
}

/// No file of the process may become longer than so many bytes; `None` lifts that.
pub fn limit(pid: i32, bytes: Option<u64>) {
    let soft = bytes.unwrap_or(libc::RLIM_INFINITY);
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: reads one struct of this size; the old limit is not asked for.
    let set = unsafe { libc::prlimit(pid, libc::RLIMIT_FSIZE, &limit, std::ptr::null_mut()) };
    assert_eq!(set, 0, "prlimit of process {pid}: {}", std::io::Error::last_os_error());
}
