//! Metering again from the ledger, at a cut: the same meter function as the fold, over rows below given offsets and nothing else.
//!
//! [`Remeter::chunks`] plans: arrays of one partition and hours that fit into memory together, with the offsets at which their events lie.
//! [`Remeter::load`] reads a chunk in one scan a partition, however many arrays it holds: arrays lie interleaved in the ledger, so a
//! scan an array would read everything again for each. [`Loaded`] then gives the buckets array by array. [`Remeter::each`] does all
//! of it, a stated number of chunks at a time.
//!
//! A bucket is a function of readings up to the greatest `max_hold` before its hour, so those are read too. Readings of meters that are not
//! defined in the given [`Meters`] are ignored. A position that is there twice counts once (`FINAL`); what is void (past the end of a closed
//! generation, or in a recorded hole) does not count at all.

mod chunk;
mod cut;
mod definitions;
mod events;
mod group;
mod load;

pub use chunk::{Chunk, Scope};
pub use cut::{Cut, CutError, Source};
pub use definitions::Definitions;
pub use load::Loaded;

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::mpsc;

use crate::clickhouse::read::void;
use crate::clickhouse::{Client, Error};
use crate::core::decision::stream::StreamRegister;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::Meters;
use crate::core::word::{Hour, Instant, Offset, Partition, StreamId};
use crate::fold::ledger::ArraySpan;

/// Readings in memory for one chunk, about: 16 bytes each, and 24 more for those of one array while it is metered.
pub const CHUNK_READINGS: u64 = 8_000_000;
/// Most hours of a chunk: a week.
pub const CHUNK_HOURS: i64 = 7 * 24;
/// Most chunks that are worked on at once, however many cores there are. It bounds memory, with [`CHUNK_READINGS`].
const MAX_AT_ONCE: usize = 4;
/// Metered arrays that wait for the reader.
const WAITING: usize = 4;

/// The buckets of one array in some hours, all of them: an hour without a bucket has none at the cut.
#[derive(Debug)]
pub struct Metered {
    /// Who runs the array.
    pub provider: Arc<str>,
    /// The array.
    pub array: Arc<str>,
    /// The first hour.
    pub from: Hour,
    /// The hour after the last.
    pub to: Hour,
    /// The buckets, by series and hour in no stated order, each with its cells in theirs.
    pub buckets: BucketBatch,
    /// How many accepted events of the array were read for it, those of the hold before `from` included.
    pub events: u64,
    /// ... and how many readings.
    pub readings: u64,
    /// Events, with when they were measured, whose row does not say any more what was accepted: the hash of its content, kept beside it, is of
    /// something else. Whoever bills from them should refuse.
    pub altered: Vec<(Position, Instant)>,
}

/// Where an event lies.
pub type Position = (StreamId, Partition, Offset);

/// The ledger below a cut.
#[derive(Clone, Debug)]
pub struct Remeter {
    client: Client,
    cut: Arc<Cut>,
    register: Option<Arc<StreamRegister>>,
}

impl Remeter {
    /// The ledger of this database below a cut.
    #[must_use]
    pub fn new(client: Client, cut: Cut) -> Self {
        Self { client, cut: Arc::new(cut), register: None }
    }

    /// Believes this register of streams. Without one, the mirrored decisions are read for each question.
    #[must_use]
    pub fn with_register(self, register: Arc<StreamRegister>) -> Self {
        Self { register: Some(register), ..self }
    }

    async fn register(&self) -> Result<Arc<StreamRegister>, Error> {
        match &self.register {
            Some(register) => Ok(Arc::clone(register)),
            None => Ok(Arc::new(void::register(&self.client).await?)),
        }
    }

    /// The cut.
    #[must_use]
    pub fn cut(&self) -> &Cut {
        &self.cut
    }

    /// The arrays of a provider, or of all, with the first and last accepted time below the cut; by provider and array.
    ///
    /// # Errors
    /// The server's.
    pub async fn arrays(&self, provider: Option<&str>) -> Result<Vec<ArraySpan>, Error> {
        let register = self.register().await?;
        load::arrays(&self.client, &self.cut, &chunk::void(&register), provider).await
    }

    /// What has to be read for a scope, cut into pieces that fit into memory. `meters` say how far before an hour its readings may lie.
    /// Arrays without an accepted reading in the scope are in no chunk.
    ///
    /// # Errors
    /// The server's.
    pub async fn chunks(&self, scope: &Scope, meters: &Meters) -> Result<Vec<Chunk>, Error> {
        self.chunks_of(scope, meters, CHUNK_READINGS).await
    }

    /// The same in pieces of about so many readings, for whoever does something else with them.
    ///
    /// # Errors
    /// The server's.
    pub async fn chunks_of(&self, scope: &Scope, meters: &Meters, readings: u64) -> Result<Vec<Chunk>, Error> {
        let register = self.register().await?;
        chunk::plan(&self.client, (&self.cut, &register), scope, (hold_ms(meters), readings)).await
    }

    /// Reads a chunk. It takes memory for its readings, which [`chunk::plan`] bounds.
    ///
    /// # Errors
    /// The server's.
    pub async fn load(&self, chunk: &Chunk, meters: &Meters) -> Result<Loaded, Error> {
        load::load(&self.client, chunk, meters).await
    }

    /// Meters a scope again and hands over each array's buckets of each chunk's hours. Chunks are worked on side by side (one a core, 4
    /// at most), so arrays come in no stated order; a long scope hands over an array once a chunk. A slow `sink` slows the reading.
    ///
    /// # Errors
    /// The server's, and what `sink` says: then nothing more is read.
    pub async fn each<E: From<Error>>(
        &self,
        scope: &Scope,
        meters: &Meters,
        mut sink: impl FnMut(Metered) -> Result<(), E>,
    ) -> Result<(), E> {
        let chunks = self.chunks(scope, meters).await?;
        let (sender, mut metered) = mpsc::channel(WAITING);
        let (remeter, meters) = (self.clone(), Arc::new(meters.clone()));
        let work = tokio::spawn(async move {
            let one = |chunk: Chunk| remeter.clone().hand_over(chunk, Arc::clone(&meters), sender.clone());
            // tasks of their own, so that they take more than one core
            let tasks = stream::iter(chunks).map(|chunk| tokio::spawn(one(chunk)));
            tasks.buffer_unordered(at_once()).for_each(|_| std::future::ready(())).await;
        });
        let mut result = Ok(());
        while let Some(array) = metered.recv().await {
            result = match array {
                Ok(array) => sink(array),
                Err(error) => Err(error.into()),
            };
            if result.is_err() {
                metered.close();
                work.abort();
                break;
            }
        }
        result
    }

    async fn hand_over(self, chunk: Chunk, meters: Arc<Meters>, sender: mpsc::Sender<Result<Metered, Error>>) {
        match self.load(&chunk, &meters).await {
            Ok(loaded) => {
                for metered in loaded {
                    if sender.send(Ok(metered)).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                // whoever listens no more wants no error either
                let _ = sender.send(Err(error)).await;
            }
        }
    }
}

/// How many chunks are worked on side by side.
#[must_use]
pub fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_AT_ONCE)
}

/// How far before an hour the readings may lie that it depends on.
#[must_use]
pub fn hold_ms(meters: &Meters) -> i64 {
    meters.iter().map(|(_, definition)| definition.max_hold_ms).max().unwrap_or(0)
}
