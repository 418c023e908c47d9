//! Room on the disk. The library acknowledges an insert whose writes the system has cut short (measured with a full tmpfs and with
//! RLIMIT_FSIZE: `write` fails, the answer is a success, the part cannot be read). It asks for room itself before it writes, but for no more
//! than it needs, and the last bytes may go to somebody else meanwhile. So nothing is begun near the end of the disk.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::exception::{Exception, NOT_ENOUGH_SPACE};

/// What stays free: more than all statements under way and their merges write between this check and their end, in bytes.
const KEPT_FREE: u64 = 64 << 20;

/// Refuses what writes into a directory without room.
///
/// # Errors
/// `NOT_ENOUGH_SPACE`, which is to be tried again; an answer of the system that is none counts as room.
pub fn check(directory: &Path) -> Result<(), Exception> {
    match free(directory).into_iter().chain(longest_file()).min() {
        Some(bytes) if bytes < KEPT_FREE => Err(Exception::new(
            NOT_ENOUGH_SPACE,
            format_args!(
                "{bytes} bytes are free in {}, and {KEPT_FREE} have to stay free: make room. (NOT_ENOUGH_SPACE)",
                directory.display()
            ),
        )),
        _ => Ok(()),
    }
}

/// Bytes that this process may still write there.
fn free(directory: &Path) -> Option<u64> {
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    // SAFETY: all zeros are a valid value of this plain struct.
    let mut disk: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a text that ends in NUL and a struct of the right type, both living until the call returns.
    let answered = unsafe { libc::statvfs(path.as_ptr(), &mut disk) } == 0;
    answered.then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that a file of this process may have at most (`ulimit -f`).
fn longest_file() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a struct of the right type that lives until the call returns.
    let answered = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) } == 0;
    answered.then_some(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_does_not_refuse() {
        assert_eq!(check(Path::new("/nowhere/at/all")), Ok(()));
    }

    #[test]
    fn what_has_no_room_is_refused_as_a_full_disk() {
        // a file system of no size
        let refused = check(Path::new("/proc")).unwrap_err();
        assert_eq!(refused.code, 243);
        assert!(refused.message.starts_with("Code: 243. DB::Exception: 0 bytes are free in /proc"), "{refused}");
    }
}
