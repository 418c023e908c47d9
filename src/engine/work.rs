//! What a request's thread does with its connection: it reads rows, runs a statement, or takes data.

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::connection::{Connection, Insert};
use super::exception::Exception;
use super::frame::Frames;
use super::rows::Joint;
use super::statement::Statement;

type Parameters = [(String, String)];

/// A piece of an answer under way.
pub enum Piece {
    /// Encoded rows.
    Rows(Bytes),
    /// There are no more.
    End,
    /// There would be more, had this not happened.
    Failed(Exception),
}

/// A piece of a body under way. Without an `End` the data was cut off, and the insert is cancelled.
pub enum Part {
    /// Encoded data.
    Data(Bytes),
    /// That was all.
    End,
}

/// What a statement that returns at once has to say.
#[derive(Debug, Default)]
pub struct Whole {
    /// The encoded answer.
    pub bytes: Bytes,
    /// Rows and bytes written.
    pub written: (u64, u64),
}

/// Streams rows. The first chunk, or the error instead of it, goes into `first`, all else into `pieces`; a reader that has
/// gone away cancels the statement.
pub fn stream(
    mut connection: Connection,
    statement: &Statement,
    parameters: &Parameters,
    first: oneshot::Sender<Result<Bytes, Exception>>,
    pieces: &mpsc::Sender<Piece>,
) {
    let mut joint = Joint::of(&statement.format);
    let mut rows = match connection.stream(&statement.sql, &statement.format, parameters) {
        Ok(rows) => rows,
        Err(exception) => return drop(first.send(Err(exception))),
    };
    let mut next = || -> Result<Option<Bytes>, Exception> {
        let Some(chunk) = rows.next_chunk()? else { return Ok(None) };
        joint.cut(chunk.bytes()).map(|bytes| Some(Bytes::copy_from_slice(bytes)))
    };
    let head = next();
    let more = matches!(head, Ok(Some(_)));
    let failed = head.is_err();
    if first.send(head.map(Option::unwrap_or_default)).is_err() || failed {
        return;
    }
    if more {
        loop {
            let (piece, last) = match next() {
                Ok(Some(bytes)) => (Piece::Rows(bytes), false),
                Ok(None) => break,
                Err(exception) => (Piece::Failed(exception), true),
            };
            if pieces.blocking_send(piece).is_err() || last {
                return;
            }
        }
    }
    // A reader that has gone away needs no end.
    let _ = pieces.blocking_send(Piece::End);
}

/// Runs a statement and takes its whole answer.
///
/// # Errors
/// The engine's exception.
pub fn run(mut connection: Connection, statement: &Statement, parameters: &Parameters) -> Result<Whole, Exception> {
    let answer = connection.query(&statement.sql, &statement.format, parameters)?;
    Ok(Whole { bytes: Bytes::copy_from_slice(answer.bytes()), written: answer.written() })
}

/// Takes an INSERT's data: first what stood in the statement, then the body. It is durable when this succeeds.
///
/// # Errors
/// The engine's exception, damaged data, or a body that was cut off.
pub fn insert(
    mut connection: Connection,
    statement: &Statement,
    parameters: &Parameters,
    inline: &str,
    decompress: bool,
    mut parts: mpsc::Receiver<Part>,
) -> Result<Whole, Exception> {
    let mut insert = connection.insert(&statement.sql, &statement.format, parameters)?;
    insert.append(inline.as_bytes())?;
    let mut frames = decompress.then(Frames::default);
    loop {
        match parts.blocking_recv() {
            Some(Part::Data(bytes)) => append(&mut insert, frames.as_mut(), &bytes)?,
            Some(Part::End) => break,
            None => return Err(Exception::internal("the request's body was cut off, nothing was inserted")),
        }
    }
    if let Some(frames) = frames {
        frames.finish()?;
    }
    let answer = insert.finish()?;
    Ok(Whole { bytes: Bytes::new(), written: answer.written() })
}

fn append(insert: &mut Insert<'_>, frames: Option<&mut Frames>, bytes: &[u8]) -> Result<(), Exception> {
    match frames {
        Some(frames) => frames.push(bytes, |raw| insert.append(raw)),
        None => insert.append(bytes),
    }
}
