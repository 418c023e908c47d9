//! A connection to the engine, and what can run on it: a statement, rows under way, an insert under way.

use std::ffi::{CString, c_char, c_int};
use std::marker::PhantomData;
use std::slice;

use super::Error;
use super::exception::Exception;
use super::library::{Handle, Library, Statement};

type Result<T> = std::result::Result<T, Exception>;

/// One connection to the engine, with settings and a current database of its own.
pub struct Connection {
    library: &'static Library,
    slot: *mut Handle,
}

// SAFETY: the engine binds no connection to a thread; one thread at a time uses it, which `&mut self` enforces.
unsafe impl Send for Connection {}

impl Connection {
    /// Opens a connection; the first of a process starts the engine with the given arguments.
    ///
    /// # Errors
    /// When the engine refuses, most often because another process has the same path open.
    pub fn open(library: &'static Library, arguments: &[String]) -> std::result::Result<Self, Error> {
        let owned: Vec<CString> = std::iter::once("plimsoll")
            .chain(arguments.iter().map(String::as_str))
            .map(|argument| CString::new(argument).map_err(|_| Error::Refused))
            .collect::<std::result::Result<_, _>>()?;
        let mut pointers: Vec<*mut c_char> = owned.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
        let count = c_int::try_from(pointers.len()).map_err(|_| Error::Refused)?;
        // SAFETY: `count` NUL-terminated strings that live until the call returns; the engine copies them.
        let slot = unsafe { (library.connect)(count, pointers.as_mut_ptr()) };
        if slot.is_null() {
            return Err(Error::Refused);
        }
        Ok(Self { library, slot })
    }

    /// Runs one statement and returns its whole result.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn query(&mut self, sql: &str, format: &str, parameters: &[(String, String)]) -> Result<Answer> {
        let handle = self.call(self.library.query, sql, format, parameters);
        Answer { library: self.library, handle }.checked()
    }

    /// Starts a statement whose result is fetched chunk by chunk.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn stream(&mut self, sql: &str, format: &str, parameters: &[(String, String)]) -> Result<Rows<'_>> {
        let handle = self.call(self.library.stream, sql, format, parameters);
        let head = Answer { library: self.library, handle }.checked()?;
        Ok(Rows { connection: self, head, finished: false })
    }

    /// Starts an INSERT whose data is appended chunk by chunk. `sql` has no FORMAT clause.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn insert(&mut self, sql: &str, format: &str, parameters: &[(String, String)]) -> Result<Insert<'_>> {
        let handle = self.call(self.library.insert, sql, format, parameters);
        let insert = Insert { library: self.library, handle, finished: false, connection: PhantomData };
        match insert.error() {
            Some(exception) => Err(exception),
            None => Ok(insert),
        }
    }

    fn handle(&self) -> Handle {
        // SAFETY: `slot` came from a successful connect and is closed only on drop.
        unsafe { *self.slot }
    }

    fn call(&mut self, function: Statement, sql: &str, format: &str, parameters: &[(String, String)]) -> Handle {
        let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_ptr().cast::<c_char>()).collect();
        let name_lengths: Vec<_> = parameters.iter().map(|(name, _)| name.len()).collect();
        let values: Vec<_> = parameters.iter().map(|(_, value)| value.as_ptr().cast::<c_char>()).collect();
        let value_lengths: Vec<_> = parameters.iter().map(|(_, value)| value.len()).collect();
        // SAFETY: every pointer comes with its length, the arrays have `parameters.len()` elements, and all of them
        // outlive the call, before whose return the engine has copied them.
        unsafe {
            function(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                parameters.len(),
            )
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: closed exactly once; nothing that borrows the connection can be alive.
        unsafe { (self.library.close)(self.slot) };
    }
}

/// A result that the engine has handed over.
pub struct Answer {
    library: &'static Library,
    handle: Handle,
}

impl Answer {
    fn checked(self) -> Result<Self> {
        if self.handle.is_null() {
            return Err(Exception::internal("the engine gave no result"));
        }
        // SAFETY: a live result handle.
        match Library::text(unsafe { (self.library.error)(self.handle) }) {
            Some(exception) => Err(exception),
            None => Ok(self),
        }
    }

    /// The encoded rows.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a live result handle; buffer and length belong together and stay until it is freed.
        let (buffer, length) = unsafe { ((self.library.buffer)(self.handle), (self.library.length)(self.handle)) };
        if buffer.is_null() || length == 0 {
            return &[];
        }
        // SAFETY: as above; the slice borrows `self`.
        unsafe { slice::from_raw_parts(buffer, length) }
    }

    /// Rows and bytes that the statement wrote.
    #[must_use]
    pub fn written(&self) -> (u64, u64) {
        // SAFETY: a live result handle.
        unsafe { ((self.library.rows_written)(self.handle), (self.library.bytes_written)(self.handle)) }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: freed exactly once.
            unsafe { (self.library.free_result)(self.handle) };
        }
    }
}

/// A result under way. Dropped before its end, the statement is cancelled.
pub struct Rows<'a> {
    connection: &'a mut Connection,
    head: Answer,
    finished: bool,
}

impl Rows<'_> {
    /// The next chunk, which is a whole document of its format; none at the end.
    ///
    /// # Errors
    /// The engine's exception, after which there is no more.
    pub fn next_chunk(&mut self) -> Result<Option<Answer>> {
        let library = self.connection.library;
        // SAFETY: connection and stream are live, and `&mut self` keeps other calls on both away.
        let handle = unsafe { (library.fetch)(self.connection.handle(), self.head.handle) };
        let chunk = Answer { library, handle }.checked().inspect_err(|_| self.finished = true)?;
        if chunk.bytes().is_empty() {
            self.finished = true;
            return Ok(None);
        }
        Ok(Some(chunk))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // SAFETY: both handles are live; the head is freed afterwards, by its own drop.
            unsafe { (self.connection.library.cancel_stream)(self.connection.handle(), self.head.handle) };
        }
    }
}

/// An INSERT under way. Dropped before [`Insert::finish`], it is cancelled.
pub struct Insert<'a> {
    library: &'static Library,
    handle: Handle,
    finished: bool,
    connection: PhantomData<&'a mut Connection>,
}

impl Insert<'_> {
    /// Appends encoded data; blocks while the engine is behind.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn append(&mut self, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        // SAFETY: a live handle and a slice that the engine copies before it returns.
        if unsafe { (self.library.append)(self.handle, data.as_ptr().cast(), data.len()) } == 0 {
            return Ok(());
        }
        Err(self
            .error()
            .unwrap_or_else(|| Exception::internal("the engine refused a chunk of data and does not say why")))
    }

    /// Ends the INSERT: what was appended is durable when this succeeds.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn finish(mut self) -> Result<Answer> {
        self.finished = true;
        // SAFETY: a live handle; called once, because it takes `self`.
        let handle = unsafe { (self.library.done)(self.handle) };
        Answer { library: self.library, handle }.checked()
    }

    fn error(&self) -> Option<Exception> {
        if self.handle.is_null() {
            return Some(Exception::internal("the engine did not start the insert"));
        }
        // SAFETY: a live handle.
        Library::text(unsafe { (self.library.insert_error)(self.handle) })
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        if self.handle.is_null() {
            return;
        }
        // SAFETY: a live handle, cancelled only if not finished, freed exactly once.
        unsafe {
            if !self.finished {
                (self.library.cancel_insert)(self.handle);
            }
            (self.library.free_insert)(self.handle);
        }
    }
}
