//! Collectors: poll arrays for scheduled instants, keep what they say on disk until Kafka has it.
//!
//! Each array has a task of its own ([`follow`]), one thread sends ([`send`]), and the spool ([`spool`]) lies between them. So an array that is
//! away holds up nobody else, and a broker that is away holds up nothing until the spool is full.

pub mod client;
pub mod config;
pub mod error;
mod follow;
mod poll;
pub mod send;
mod session;
pub mod spool;
pub mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use config::{ArrayConfig, CollectConfig, Family};
pub use error::{CollectError, PollError};
pub use spool::Spool;

use crate::core::collect::Schedule;
use crate::core::word::Instant;
use crate::metrics::CollectMetrics;
use client::Client;
use follow::Follower;
use poll::Poller;
use send::Sender;

/// How long the sender may take to end what it is at; what is not sent then lies in the spool.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// What the tasks of all arrays share.
pub(crate) struct Shared {
    pub(crate) config: CollectConfig,
    pub(crate) schedule: Schedule,
    pub(crate) spool: Arc<Spool>,
    pub(crate) at_once: Semaphore,
    pub(crate) metrics: CollectMetrics,
}

/// Now, as the schedule counts.
pub(crate) fn now() -> Instant {
    Instant(chrono::Utc::now().timestamp_millis())
}

/// Polls and sends until `stop` turns true.
///
/// # Errors
/// If the spool cannot be opened, or a setting of the array's connection is not accepted.
pub async fn run(
    config: CollectConfig,
    metrics: CollectMetrics,
    mut stop: watch::Receiver<bool>,
) -> Result<(), CollectError> {
    let spool = Arc::new(Spool::open(&config.collect.spool_dir, config.collect.spool_max_mbytes << 20)?);
    metrics.spool(spool.bytes(), spool.max_bytes());
    let is_over = Arc::new(AtomicBool::new(false));
    let sender = Sender::new(&config, Arc::clone(&spool), metrics.clone(), Arc::clone(&is_over));
    let (ended, mut sending) = watch::channel(());
    let spawned = std::thread::Builder::new().name("collect-send".to_owned()).spawn(move || {
        sender.run();
        drop(ended);
    });
    spawned.map_err(CollectError::Thread)?;

    let arrays = config.arrays.clone();
    let shared = Arc::new(Shared {
        schedule: config.schedule,
        at_once: Semaphore::new(config.collect.arrays_at_once),
        spool,
        metrics,
        config,
    });
    let mut following = JoinSet::new();
    for array in arrays {
        let client = Client::new(&shared.config.limits(), array.ca_file.as_deref())?;
        let poller = Poller::new(&shared.config, array, client);
        following.spawn(Follower::new(Arc::clone(&shared), poller).run(stop.clone()));
    }
    // an error means that whoever could ask for the end is gone
    let _ = stop.wait_for(|stop| *stop).await;
    while following.join_next().await.is_some() {}
    is_over.store(true, Ordering::Release);
    // the sender's half is dropped when the thread ends
    let _ = tokio::time::timeout(STOP_WAIT, sending.changed()).await;
    Ok(())
}

/// What one poll of an array gave.
#[derive(Debug)]
pub struct Look {
    /// The array's name.
    pub array: String,
    /// Its event, or why there is none.
    pub event: Result<Vec<u8>, PollError>,
}

/// Polls every array once for the newest instant, and gives each event or why there is none. Nothing is kept or sent.
///
/// # Errors
/// If a setting of an array's connection is not accepted.
pub async fn look(config: &CollectConfig) -> Result<Vec<Look>, CollectError> {
    let instant = config.schedule.newest(now());
    let mut looks = Vec::new();
    for array in config.arrays.clone() {
        let client = Client::new(&config.limits(), array.ca_file.as_deref())?;
        let name = array.name.clone();
        let polled = Poller::new(config, array, client).poll(instant).await;
        looks.push(Look { array: name, event: polled.map(|polled| polled.event) });
    }
    Ok(looks)
}
