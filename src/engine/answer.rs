//! Answers: whole ones, and rows under way with an error in the middle.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::response::Response;
use futures_util::stream;
use tokio::sync::mpsc;

use super::work::{Piece, Whole};

/// Between the trailer of a failed answer and the break of its connection, so that the trailer is read first.
const BREAK_DELAY: Duration = Duration::from_millis(50);

/// An answer that is complete.
#[must_use]
pub fn whole(done: Whole, format: &str) -> Response {
    let (rows, bytes) = done.written;
    let summary = format!(r#"{{"read_rows":"0","read_bytes":"0","written_rows":"{rows}","written_bytes":"{bytes}"}}"#);
    let mut response = Response::new(Body::from(done.bytes));
    let headers = response.headers_mut();
    headers.insert("Content-Type", HeaderValue::from_static(content_type(format)));
    for (name, value) in [("X-ClickHouse-Summary", summary.as_str()), ("X-ClickHouse-Format", format)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

fn content_type(format: &str) -> &'static str {
    if format.starts_with("JSON") {
        "application/json; charset=UTF-8"
    } else if format.starts_with("TabSeparated") || format.starts_with("TSV") {
        "text/tab-separated-values; charset=UTF-8"
    } else if format.starts_with("CSV") {
        "text/csv; charset=UTF-8"
    } else if format.contains("Binary") || format == "Native" {
        "application/octet-stream"
    } else {
        "text/plain; charset=UTF-8"
    }
}

/// Where an answer under way stands.
enum Step {
    Head(Bytes),
    Rows,
    Break(&'static str),
    Over,
}

/// Rows as they come. A failure is a tagged trailer and then a broken connection: a client that misses the one sees the
/// other, so that no reader can take half an answer for a whole one.
pub fn rows(head: Bytes, pieces: mpsc::Receiver<Piece>, tag: String) -> Body {
    let start = (Step::Head(head), pieces, tag);
    Body::from_stream(stream::unfold(start, |(mut step, mut pieces, tag)| async move {
        loop {
            match step {
                Step::Head(bytes) if bytes.is_empty() => step = Step::Rows,
                Step::Head(bytes) => return Some((Ok(bytes), (Step::Rows, pieces, tag))),
                Step::Rows => match pieces.recv().await {
                    Some(Piece::Rows(bytes)) => return Some((Ok(bytes), (Step::Rows, pieces, tag))),
                    Some(Piece::End) => return None,
                    Some(Piece::Failed(exception)) => {
                        let trailer = exception.trailer(&tag);
                        return Some((
                            Ok(trailer),
                            (Step::Break("the statement failed after its first rows"), pieces, tag),
                        ));
                    }
                    None => step = Step::Break("the statement's thread ended before its rows did"),
                },
                Step::Break(why) => {
                    tokio::time::sleep(BREAK_DELAY).await;
                    return Some((Err(io::Error::other(why)), (Step::Over, pieces, tag)));
                }
                Step::Over => return None,
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::exception::Exception;
    use futures_util::StreamExt;

    async fn read(pieces: Vec<Piece>) -> Vec<Result<Bytes, String>> {
        let (sender, receiver) = mpsc::channel(8);
        for piece in pieces {
            sender.send(piece).await.ok();
        }
        drop(sender);
        let body = rows(Bytes::from_static(b"head"), receiver, "t".to_owned());
        body.into_data_stream().map(|item| item.map_err(|error| error.to_string())).collect().await
    }

    #[tokio::test]
    async fn an_answer_is_whole_or_visibly_broken() {
        let whole = read(vec![Piece::Rows(Bytes::from_static(b"tail")), Piece::End]).await;
        assert_eq!(whole, [Ok(Bytes::from_static(b"head")), Ok(Bytes::from_static(b"tail"))]);
        let failed = read(vec![Piece::Failed(Exception::new(395, "no"))]).await;
        assert_eq!(failed.len(), 3);
        assert!(failed[1].as_ref().unwrap().ends_with(b" t\r\n__exception__\r\n") && failed[2].is_err());
        let cut = read(vec![]).await;
        assert!(cut.last().unwrap().is_err());
    }
}
