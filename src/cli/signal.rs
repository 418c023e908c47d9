//! How a process is asked to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Returns on SIGINT or SIGTERM.
pub(super) async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Sets `stop` on SIGINT or SIGTERM.
pub(super) async fn stop_on_signal(stop: Arc<AtomicBool>) {
    asked_to_stop().await;
    tracing::info!("stopping: making the work durable");
    stop.store(true, Ordering::Release);
}
