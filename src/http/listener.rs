//! A listener with bounds: connections at once, time to send a request's head, time to end.
//!
//! Where all places are taken, one more is accepted and waits for its place; so it is known that somebody waits, and a connection that sends
//! nothing gives way ([`super::heads`]).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::heads::{Head, Heads};

/// How long connections may go on after the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);
/// Greatest head of a request in bytes, the line with its address included.
pub const HEAD_MAX_BYTES: usize = 64 << 10;
/// Most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// The pause after a failed accept (no file descriptors left): the cause does not go away within a loop's turn.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Turns true once the process should end. A sender that is gone counts as true.
pub type Shutdown = watch::Receiver<bool>;

/// A bound socket and what it may take.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    connections: usize,
    header_timeout: Duration,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// The system's, most often an address in use.
    pub async fn bind(address: SocketAddr, connections: usize, header_timeout: Duration) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!(
                    "cannot listen on {address}: {error}; end what listens there, or give this listener another address"
                ),
            )
        })?;
        Ok(Self { socket, connections, header_timeout })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves `app` until `shutdown`, then lets requests under way end.
    pub async fn serve(self, app: Router, mut shutdown: Shutdown) {
        let (slots, heads) = (Arc::new(Semaphore::new(self.connections)), Arc::new(Heads::default()));
        let mut connections = JoinSet::new();
        loop {
            // Whoever waits behind the next one waits in the system's own bounded queue.
            let next = async {
                let accepted = self.socket.accept().await;
                (accepted, slot(&slots, &heads).await)
            };
            let (accepted, slot) = tokio::select! {
                () = ended(&mut shutdown) => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (app, shutdown, head) = (app.clone(), shutdown.clone(), heads.wait());
                    let connection = connection(stream, app, self.header_timeout, head, shutdown);
                    connections.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        let drained = tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(after_seconds = DRAIN.as_secs(), "connections cut off");
        }
    }
}

/// A place for a connection. Somebody gives way if need be, one after the other, until there is one.
async fn slot(slots: &Arc<Semaphore>, heads: &Heads) -> Option<OwnedSemaphorePermit> {
    if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        return Some(slot);
    }
    loop {
        let wait = heads.give_way(Moment::now());
        if let Ok(slot) = tokio::time::timeout(wait, Arc::clone(slots).acquire_owned()).await {
            return slot.ok();
        }
    }
}

async fn connection(stream: TcpStream, app: Router, header_timeout: Duration, head: Head, mut shutdown: Shutdown) {
    // an answer in two writes would wait for the client's delayed acknowledgement of the first: 40 ms
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let (app, has_asked) = (TowerToHyperService::new(app), AtomicBool::new(false));
    let service = service_fn(|request| {
        head.come();
        has_asked.store(true, Ordering::Relaxed);
        let answer = app.call(request);
        async {
            let answer = answer.await;
            head.wait();
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&head, &mut shutdown) => {
            // an answer under way goes to its end; before the first request there is none, and it would be waited for
            connection.as_mut().graceful_shutdown();
            if !has_asked.load(Ordering::Relaxed) && !*shutdown.borrow() {
                return;
            }
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

async fn told(head: &Head, shutdown: &mut Shutdown) {
    tokio::select! {
        () = head.told() => {}
        () = ended(shutdown) => {}
    }
}

async fn ended(shutdown: &mut Shutdown) {
    // An error means that the sender is gone, and with it everybody who could still say so.
    let _ = shutdown.wait_for(|end| *end).await;
}
