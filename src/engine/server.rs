//! The ClickHouse HTTP interface, as far as clients use it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::answer;
use super::exception::{BAD_ARGUMENTS, Exception, READONLY};
use super::frame::Frames;
use super::multipart;
use super::request::Asked;
use super::session::Engine;
use super::statement::{Kind, Statement};
use super::work::{self, Part, Whole};

/// Largest statement that comes in a body, with its form and inline data. Data of an INSERT whose statement stands in the
/// URL is streamed and has no limit of its own.
const STATEMENT_LIMIT: usize = 64 << 20;
/// Pieces of a body that wait for the engine, and of an answer that wait for the client.
const PIECES: usize = 8;
/// What is read of a body after its insert has failed, so that the client gets to read why.
const DRAIN_LIMIT: usize = 1 << 30;

/// The routes.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new().route("/ping", get(|| async { "Ok.\n" })).route("/", any(handle)).with_state(engine)
}

async fn handle(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    // Without a body or a query a browser or a health check is asking.
    if request.method() == Method::GET && request.uri().query().is_none() {
        return Response::new(Body::from("Ok.\n"));
    }
    // No web page that a developer happens to have open may send statements here.
    if request.headers().contains_key(header::ORIGIN) {
        let mut response = Response::new(Body::from("requests of web pages are not taken\n"));
        *response.status_mut() = StatusCode::FORBIDDEN;
        return response;
    }
    answer(&engine, request).await.unwrap_or_else(Exception::into_response)
}

/// A statement with what is left of the body.
struct Received {
    asked: Asked,
    text: String,
    body: Option<Body>,
}

async fn answer(engine: &Arc<Engine>, request: Request) -> Result<Response, Exception> {
    let only_reads = request.method() == Method::GET;
    let Received { asked, text, body } = receive(request).await?;
    let statement = Statement::parse(&text, asked.default_format.as_deref())?;
    if only_reads && !statement.reads {
        return Err(Exception::new(
            READONLY,
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. (READONLY)",
        ));
    }
    if !statement.reads && !frees_room(&statement.sql) {
        engine.has_room()?;
    }
    match statement.kind {
        Kind::Insert { data } => insert(engine, asked, statement, text[data..].to_owned(), body).await,
        Kind::Stream => stream(engine, asked, statement).await,
        Kind::Whole => whole(engine, asked, statement).await,
    }
}

/// What makes room has to go on without it.
fn frees_room(sql: &str) -> bool {
    let word = sql.split_ascii_whitespace().next().unwrap_or_default();
    ["DROP", "TRUNCATE"].iter().any(|frees| word.eq_ignore_ascii_case(frees))
}

/// Finds the statement: in the URL, in a form, or in the body; data behind a statement in the URL is left in the body.
async fn receive(request: Request) -> Result<Received, Exception> {
    let mut asked = Asked::from_url(request.uri().query().unwrap_or_default())?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(multipart::boundary).map(str::to_owned);
    let body = request.into_body();
    if let Some(boundary) = boundary {
        for (name, value) in multipart::fields(&collect(body, false).await?, &boundary)? {
            asked.take(name, value)?;
        }
        let text = asked.query.take().unwrap_or_default();
        return Ok(Received { asked, text, body: None });
    }
    if let Some(query) = asked.query.take() {
        let takes_data =
            Statement::parse(&query, None).is_ok_and(|statement| matches!(statement.kind, Kind::Insert { .. }));
        if takes_data {
            return Ok(Received { asked, text: query, body: Some(body) });
        }
        let rest = utf8(collect(body, asked.decompress).await?)?;
        let text = if rest.is_empty() { query } else { format!("{query}\n{rest}") };
        return Ok(Received { asked, text, body: None });
    }
    let text = utf8(collect(body, asked.decompress).await?)?;
    Ok(Received { asked, text, body: None })
}

async fn collect(body: Body, decompress: bool) -> Result<Bytes, Exception> {
    let bytes = axum::body::to_bytes(body, STATEMENT_LIMIT).await.map_err(|error| {
        Exception::new(
            BAD_ARGUMENTS,
            format_args!("the statement could not be read, at most {STATEMENT_LIMIT} bytes are taken: {error}"),
        )
    })?;
    if !decompress {
        return Ok(bytes);
    }
    let (mut frames, mut raw) = (Frames::default(), Vec::new());
    frames.push(&bytes, |part| {
        raw.extend_from_slice(part);
        Ok(())
    })?;
    frames.finish().map(|()| Bytes::from(raw))
}

fn utf8(bytes: Bytes) -> Result<String, Exception> {
    String::from_utf8(bytes.into()).map_err(|_| {
        Exception::new(
            BAD_ARGUMENTS,
            "the statement is not UTF-8; send binary data in the body and its INSERT in the URL's query",
        )
    })
}

async fn insert(
    engine: &Arc<Engine>,
    asked: Asked,
    statement: Statement,
    inline: String,
    body: Option<Body>,
) -> Result<Response, Exception> {
    let permit = engine.permit(false).await?;
    let (parts, receiver) = mpsc::channel(PIECES);
    let (worker, decompress) = (Arc::clone(engine), asked.decompress && body.is_some());
    let job = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let connection = worker.session(&asked)?;
        work::insert(connection, &statement, &asked.parameters, &inline, decompress, receiver)
    });
    let mut data = body.map(Body::into_data_stream);
    let mut drained = 0;
    loop {
        let part = match &mut data {
            Some(data) => match data.next().await {
                Some(Ok(bytes)) => Part::Data(bytes),
                None => Part::End,
                Some(Err(_)) => break,
            },
            None => Part::End,
        };
        let last = matches!(part, Part::End);
        if let Part::Data(bytes) = &part
            && parts.is_closed()
        {
            drained += bytes.len();
        }
        // A send that fails says that the job has ended early; what is left is read all the same.
        let _ = parts.send(part).await;
        if last || drained > DRAIN_LIMIT {
            break;
        }
    }
    drop(parts);
    let done = job.await.map_err(Exception::internal)??;
    Ok(answer::whole(done, "Null"))
}

async fn whole(engine: &Arc<Engine>, asked: Asked, statement: Statement) -> Result<Response, Exception> {
    let permit = engine.permit(statement.reads).await?;
    let (worker, format) = (Arc::clone(engine), statement.format.clone());
    let job = tokio::task::spawn_blocking(move || -> Result<Whole, Exception> {
        let _permit = permit;
        work::run(worker.session(&asked)?, &statement, &asked.parameters)
    });
    Ok(answer::whole(job.await.map_err(Exception::internal)??, &format))
}

async fn stream(engine: &Arc<Engine>, asked: Asked, statement: Statement) -> Result<Response, Exception> {
    let permit = engine.permit(true).await?;
    let (first, head) = oneshot::channel();
    let (pieces, receiver) = mpsc::channel(PIECES);
    let (worker, format) = (Arc::clone(engine), statement.format.clone());
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        match worker.session(&asked) {
            Ok(connection) => work::stream(connection, &statement, &asked.parameters, first, &pieces),
            Err(exception) => drop(first.send(Err(exception))),
        }
    });
    // The status line waits for the first rows: what fails before them is an ordinary error.
    let head = head.await.map_err(|_| Exception::internal("the statement's thread ended without an answer"))??;
    let tag = format!("{:016x}", RandomState::new().build_hasher().finish());
    let mut response = answer::whole(Whole::default(), &format);
    let value = HeaderValue::from_str(&tag).map_err(Exception::internal)?;
    response.headers_mut().insert(HeaderName::from_static("x-clickhouse-exception-tag"), value);
    *response.body_mut() = answer::rows(head, receiver, tag);
    Ok(response)
}
