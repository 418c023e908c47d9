//! The ClickHouse engine in a process of its own: `plimsoll engine` loads it as a library and speaks the ClickHouse HTTP
//! interface on loopback, so that the ordinary client is the only client and tests can kill it with -9.
//!
//! A production deployment points the same client at a ClickHouse server; nothing but the start of this process knows the
//! difference.

mod answer;
mod connection;
mod exception;
mod frame;
mod library;
mod multipart;
mod request;
mod room;
mod rows;
mod server;
mod session;
mod statement;
mod word;
mod work;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use session::Engine;

/// Longest wait for requests under way when asked to stop.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// What the engine's process is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the data is; one process at a time.
    pub path: PathBuf,
    /// Where to listen: a loopback address, port 0 for any free one.
    pub listen: SocketAddr,
    /// The shared library.
    pub library: PathBuf,
    /// Bytes of memory that all statements together may use.
    pub memory_limit: u64,
}

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can be reached from elsewhere.
    #[error("{0} is not a loopback address: the engine knows no users, so listen on 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// The shared library cannot be used.
    #[error("cannot load the engine from {}: {source}; fetch it with scripts/fetch-parts.sh or name another with --library", file.display())]
    Load {
        /// The file.
        file: PathBuf,
        /// Why.
        source: libloading::Error,
    },
    /// The data directory cannot be made.
    #[error("cannot use {} as the engine's data directory: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine gives no connection.
    #[error("the engine refused to open its data directory: is another process using it?")]
    Refused,
    /// The address cannot be listened on, or the process lacks something.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs the engine until SIGTERM or SIGINT, then ends the process.
///
/// # Errors
/// When it cannot be started.
pub fn run(options: &Options) -> Result<std::convert::Infallible, Error> {
    if !options.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(options.listen));
    }
    let failed = |source| Error::Listen { listen: options.listen, source };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    let (engine, clean) = runtime.block_on(async {
        // The port comes first: a second process on it must not open the data.
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
        let engine = Arc::new(Engine::start(&options.library, &options.path, options.memory_limit)?);
        // nobody need listen to what is printed here
        let _ = writeln!(std::io::stdout(), "engine listening on http://{address}, data in {}", options.path.display());
        let (stop, stopping) = tokio::sync::watch::channel(());
        let mut ending = stopping.clone();
        // an answer in two writes would wait for the client's delayed acknowledgement of the first: 40 ms
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, server::router(Arc::clone(&engine)))
            .with_graceful_shutdown(async move { drop(ending.changed().await) });
        let server = tokio::spawn(async move { server.await });
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        drop(stop);
        let clean = tokio::time::timeout(STOP_WAIT, server).await.is_ok();
        Ok((engine, clean))
    })?;
    leave(&engine, clean)
}

/// Ends the process; requests that are still under way are cut off.
fn leave(engine: &Engine, clean: bool) -> ! {
    let stopped = clean && engine.stop();
    let _ = writeln!(
        std::io::stdout(),
        "engine {}",
        if stopped { "stopped" } else { "left with requests under way; what was acknowledged is durable" }
    );
    library::exit()
}
