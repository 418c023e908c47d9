//! The C interface of the ClickHouse engine. Only this file and [`super::connection`] call into the shared library.
//!
//! What the library demands, and how each is met:
//! - a connection runs one statement at a time: [`Connection`] is not `Sync`, and what runs on it borrows it mutably;
//! - results belong to the caller and are freed once: each has an owner that does so on drop;
//! - the library is never unloaded, because its threads outlive every call.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;

use super::Error;
use super::exception::Exception;

pub(super) type Handle = *mut c_void;
/// `query, length, format, length, names, lengths, values, lengths, count` after the connection.
pub(super) type Statement = unsafe extern "C" fn(
    Handle,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> Handle;

/// The functions of the shared library that are used.
pub struct Library {
    pub(super) connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut Handle,
    pub(super) close: unsafe extern "C" fn(*mut Handle),
    pub(super) shutdown: unsafe extern "C" fn() -> c_int,
    pub(super) query: Statement,
    pub(super) stream: Statement,
    pub(super) fetch: unsafe extern "C" fn(Handle, Handle) -> Handle,
    pub(super) cancel_stream: unsafe extern "C" fn(Handle, Handle),
    pub(super) free_result: unsafe extern "C" fn(Handle),
    pub(super) buffer: unsafe extern "C" fn(Handle) -> *const u8,
    pub(super) length: unsafe extern "C" fn(Handle) -> usize,
    pub(super) rows_written: unsafe extern "C" fn(Handle) -> u64,
    pub(super) bytes_written: unsafe extern "C" fn(Handle) -> u64,
    pub(super) error: unsafe extern "C" fn(Handle) -> *const c_char,
    pub(super) insert: Statement,
    pub(super) append: unsafe extern "C" fn(Handle, *const c_void, usize) -> c_int,
    pub(super) done: unsafe extern "C" fn(Handle) -> Handle,
    pub(super) cancel_insert: unsafe extern "C" fn(Handle),
    pub(super) insert_error: unsafe extern "C" fn(Handle) -> *const c_char,
    pub(super) free_insert: unsafe extern "C" fn(Handle),
}

impl Library {
    /// Loads the engine from a file and tells it to leave this process's signal handlers alone.
    ///
    /// # Errors
    /// When the file cannot be loaded or lacks a function.
    pub fn load(file: &Path) -> Result<&'static Self, Error> {
        let failed = |source| Error::Load { file: file.to_path_buf(), source };
        // SAFETY: the library's constructors run here; the file is the one whose checksum the fetch verified, or one that
        // the operator names. It is leaked at once, so no function pointer taken from it can dangle.
        let library: &'static libloading::Library =
            Box::leak(Box::new(unsafe { libloading::Library::new(file) }.map_err(failed)?));
        // SAFETY: the file is the engine, which has them all under the types of its header.
        let loaded = unsafe { Self::of(library) }.map_err(failed)?;
        Ok(Box::leak(Box::new(loaded)))
    }

    /// Finds the functions of a library that is loaded for good.
    ///
    /// # Safety
    /// It is the engine: each name has the type that the engine's header declares for it, which is that of its field here.
    unsafe fn of(library: &'static libloading::Library) -> Result<Self, libloading::Error> {
        // SAFETY: by the caller, for all names.
        unsafe {
            let set_signal_handlers: unsafe extern "C" fn(c_int) =
                symbol(library, c"chdb_set_signal_handlers_enabled")?;
            // takes a flag, and no connection exists yet, which is when it must be called
            set_signal_handlers(0);
            Ok(Self {
                connect: symbol(library, c"chdb_connect")?,
                close: symbol(library, c"chdb_close_conn")?,
                shutdown: symbol(library, c"chdb_shutdown")?,
                query: symbol(library, c"chdb_query_with_params_n")?,
                stream: symbol(library, c"chdb_stream_query_with_params_n")?,
                fetch: symbol(library, c"chdb_stream_fetch_result")?,
                cancel_stream: symbol(library, c"chdb_stream_cancel_query")?,
                free_result: symbol(library, c"chdb_destroy_query_result")?,
                buffer: symbol(library, c"chdb_result_buffer")?,
                length: symbol(library, c"chdb_result_length")?,
                rows_written: symbol(library, c"chdb_result_rows_written")?,
                bytes_written: symbol(library, c"chdb_result_bytes_written")?,
                error: symbol(library, c"chdb_result_error")?,
                insert: symbol(library, c"chdb_stream_insert_with_params_n")?,
                append: symbol(library, c"chdb_stream_append")?,
                done: symbol(library, c"chdb_stream_done")?,
                cancel_insert: symbol(library, c"chdb_stream_cancel_insert")?,
                insert_error: symbol(library, c"chdb_stream_insert_error")?,
                free_insert: symbol(library, c"chdb_destroy_insert_stream")?,
            })
        }
    }

    /// Stops the engine. Only to be called when every connection is closed, right before the process ends by `_exit`.
    pub fn shut_down(&self) {
        // SAFETY: takes nothing; its return value is not success or failure once a MergeTree table existed.
        let _ = unsafe { (self.shutdown)() };
    }

    pub(super) fn text(text: *const c_char) -> Option<Exception> {
        if text.is_null() {
            return None;
        }
        // SAFETY: the engine returns a NUL-terminated string that lives as long as the handle it was asked of.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        (!text.is_empty()).then(|| Exception::parse(&text))
    }
}

/// A function of a library that is loaded for good.
///
/// # Safety
/// It has this type.
unsafe fn symbol<F: Copy>(library: &'static libloading::Library, name: &CStr) -> Result<F, libloading::Error> {
    // SAFETY: by the caller.
    unsafe { library.get(name.to_bytes_with_nul()) }.map(|found| *found)
}

/// Ends the process without running what would otherwise run: after a shutdown the engine's own destructors crash.
pub fn exit() -> ! {
    // SAFETY: ends the process at once; nothing of ours has to be flushed, stdout is line-buffered.
    unsafe { libc::_exit(0) }
}
