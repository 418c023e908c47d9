//! The fold's Store over the simulated tables: it shows what a replica has, and its inserts may fail in every way.

use std::rc::Rc;

use super::database::{Part, View};
use super::fault::Fault;
use super::row::{EventRow, bucket_parts, ledger_parts};
use super::world::{Broken, Landed, Seam};
use crate::core::decision::stream::Generation;
use crate::core::event::partition_of;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::BucketBatch;
use crate::core::word::{Disposition, HOUR_MS, Instant, Offset, Partition};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::error::SeamError;
use crate::fold::ledger::{
    ArraySpan, BucketPlace, EventQuery, LedgerBelow, LedgerEvent, LedgerIdentity, LedgerReading, LedgerRow, LedgerSpan,
};
use crate::fold::seam::Store;

/// The database for one process.
#[derive(Debug)]
pub(super) struct SimStore {
    seam: Seam,
}

/// An instant as a DateTime64 keeps it.
fn table_ms(instant: Instant) -> i64 {
    instant.0.clamp(0, 4_000_000_000_000)
}

impl SimStore {
    pub(super) fn new(seam: Seam) -> Self {
        Self { seam }
    }

    fn view(&self) -> View {
        self.seam.world.database.borrow().view(self.seam.pid)
    }

    fn place(&self, rules: &StreamRules, partition: Partition) -> u32 {
        self.seam.world.broker.borrow().place(rules.generation, partition)
    }

    /// Accepted rows that a partition's state is made of, as this process is shown them, in no particular order.
    fn accepted(&self, below: LedgerBelow<'_>, appended_from: Instant) -> Vec<Found> {
        let rows = self.belonging(below, appended_from);
        let mut rows: Vec<Found> = rows.into_iter().filter(|found| !found.is_void).collect();
        if self.seam.world.chance(300) {
            rows.reverse();
        }
        rows
    }

    /// Accepted rows of a partition below an offset, and of earlier generations those whose arrays belong to it; void or not.
    fn belonging(&self, below: LedgerBelow<'_>, appended_from: Instant) -> Vec<Found> {
        let view = self.view();
        let LedgerBelow { generation, partition, below } = below;
        let database = self.seam.world.database.borrow();
        let mut rows = Vec::new();
        let mut add = |of: &Generation, number: Partition, below: u64, all: bool| {
            let place = self.place(&of.rules, number);
            let shown = database.ledger(place, 0, below, view).filter(|row| {
                row.disposition == Disposition::Accepted.number()
                    && row.append_ms >= table_ms(appended_from)
                    && view.damaged != Some((place, row.offset))
                    && (all || partition_of(row.array.as_bytes(), generation.rules.partitions) == partition)
            });
            rows.extend(shown.map(|row| Found {
                generation: of.rules.generation,
                partition: number,
                is_void: of.is_void(number, Offset(row.offset)),
                row: Rc::clone(row),
            }));
        };
        for earlier in generation.earlier.iter() {
            (0..earlier.rules.partitions).for_each(|number| add(earlier, Partition(number), u64::MAX, false));
        }
        add(generation, partition, below.0, true);
        rows
    }
}

/// Sends parts one after the other.
pub(super) fn send(seam: &Seam, mut parts: Vec<Part>) -> Result<(), SeamError> {
    let landing = seam.insert()?;
    let world = &seam.world;
    match landing.landed {
        Landed::Whole => {}
        Landed::Half => parts.truncate(parts.len() / 2),
        Landed::Nothing => parts.clear(),
        Landed::Later => {
            // one is under way, and those after it are never sent
            parts.truncate(world.below(parts.len() as u64) as usize + 1);
            parts.pop().into_iter().for_each(|part| world.database.borrow_mut().hold_back(part));
        }
    }
    for part in parts {
        if let Err(text) = world.database.borrow_mut().land(part) {
            world.fail(Broken::Doubled, text);
        }
    }
    seam.hear(landing.answer)
}

/// An accepted row with its position.
struct Found {
    generation: u32,
    partition: Partition,
    is_void: bool,
    row: Rc<EventRow>,
}

impl Store for SimStore {
    fn checkpoints(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        back_ms: i64,
    ) -> Result<Vec<Checkpoint>, SeamError> {
        self.seam.call(Fault::StoreAway)?;
        let (view, place) = (self.view(), self.place(rules, partition));
        let world = &self.seam.world;
        let found: Vec<Checkpoint> = {
            let database = world.database.borrow();
            let all = database.manifest(place, view);
            let newest = all.first().map_or(0, |newest| newest.log_time.0);
            all.into_iter().filter(|checkpoint| checkpoint.log_time.0 >= newest - back_ms).cloned().collect()
        };
        self.damage(place, &found);
        Ok(found)
    }

    fn rows(&mut self, span: LedgerSpan<'_>, sink: &mut dyn FnMut(LedgerRow)) -> Result<(), SeamError> {
        self.seam.call(Fault::StoreAway)?;
        let (view, place) = (self.view(), self.place(span.rules, span.partition));
        for row in self.seam.world.database.borrow().ledger(place, span.from.0, span.below.0, view) {
            let damaged = view.damaged == Some((place, row.offset));
            sink(LedgerRow {
                offset: row.offset,
                append_time: Instant(row.append_ms),
                disposition: if damaged { Disposition::Late.number() } else { row.disposition },
                identity: row.identity,
                content: row.content,
                readings: row.count,
            });
        }
        Ok(())
    }

    fn identities(
        &mut self,
        below: LedgerBelow<'_>,
        appended_from: Instant,
        sink: &mut dyn FnMut(LedgerIdentity),
    ) -> Result<(), SeamError> {
        self.seam.call(Fault::StoreAway)?;
        for Found { row, .. } in self.accepted(below, appended_from) {
            // a row that is there twice is shown twice
            for _ in 0..self.seam.world.below(2) + 1 {
                sink(LedgerIdentity {
                    offset: row.offset,
                    append_time: Instant(row.append_ms),
                    time: Instant(row.time.unwrap_or_default()),
                    identity: row.identity,
                    content: row.content,
                });
            }
        }
        Ok(())
    }

    fn arrays(&mut self, below: LedgerBelow<'_>, appended_from: Instant) -> Result<Vec<ArraySpan>, SeamError> {
        self.seam.call(Fault::StoreAway)?;
        Ok(spans(&self.accepted(below, appended_from)))
    }

    fn events(
        &mut self,
        below: LedgerBelow<'_>,
        query: &EventQuery,
        meters: Option<&[String]>,
        sink: &mut dyn FnMut(LedgerEvent),
    ) -> Result<(), SeamError> {
        self.seam.call(Fault::StoreAway)?;
        let appended_from = match query {
            EventQuery::Newest { appended_from, .. } => *appended_from,
            EventQuery::OfArray { .. } => Instant(i64::MIN),
        };
        let rows = self.accepted(below, appended_from);
        let spans = spans(&rows);
        for found in rows {
            let row = &found.row;
            let time = row.time.unwrap_or_default();
            let wanted = match query {
                EventQuery::Newest { horizon_ms, .. } => spans
                    .iter()
                    .find(|span| (&span.provider, &span.array) == (&row.provider, &row.array))
                    .is_some_and(|span| time > span.newest.0 - horizon_ms),
                EventQuery::OfArray { provider, array, from, to } => {
                    (provider, array) == (&row.provider, &row.array) && (table_ms(*from)..table_ms(*to)).contains(&time)
                }
            };
            if wanted {
                sink(event(&found, meters));
            }
        }
        Ok(())
    }

    fn voided(
        &mut self,
        below: LedgerBelow<'_>,
        sink: &mut dyn FnMut(Partition, LedgerEvent),
    ) -> Result<(), SeamError> {
        self.seam.call(Fault::StoreAway)?;
        let all = LedgerBelow { below: Offset(u64::MAX), ..below };
        for found in self.belonging(all, Instant(i64::MIN)).iter().filter(|found| found.is_void) {
            sink(found.partition, event(found, None));
        }
        Ok(())
    }

    fn past_ends(&mut self, below: LedgerBelow<'_>, sink: &mut dyn FnMut(BucketPlace)) -> Result<(), SeamError> {
        self.seam.call(Fault::StoreAway)?;
        let LedgerBelow { generation, partition, .. } = below;
        let (database, broker) = (self.seam.world.database.borrow(), self.seam.world.broker.borrow());
        for (key, versions) in &database.buckets {
            let series = &key.series;
            let Some(row) = versions.values().next_back() else { continue };
            let (stream, number) = broker.of_place(row.partition);
            let mut earlier = generation.earlier.iter();
            let own = earlier.find(|earlier| earlier.rules.generation == stream.rules.generation);
            let end = own.and_then(|own| own.end(number));
            let belongs = partition_of(series.array.as_bytes(), generation.rules.partitions) == partition;
            if end.is_some_and(|end| row.as_of > end.0) && belongs {
                sink(BucketPlace {
                    provider: series.provider.to_string(),
                    array: series.array.to_string(),
                    kind: series.kind,
                    resource: series.resource.to_string(),
                    meter: series.meter.to_string(),
                    hour: key.hour,
                });
            }
        }
        Ok(())
    }

    fn insert_ledger(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        batch: &LedgerBatch,
    ) -> Result<(), SeamError> {
        send(&self.seam, ledger_parts(self.place(rules, partition), batch))
    }

    fn insert_buckets(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        as_of: Offset,
        buckets: &BucketBatch,
    ) -> Result<(), SeamError> {
        send(&self.seam, bucket_parts(self.place(rules, partition), rules.generation, as_of.0, buckets))
    }

    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), SeamError> {
        let log_time = Instant(table_ms(checkpoint.log_time));
        let first_append_time = Instant(table_ms(checkpoint.first_append_time));
        let row = Checkpoint { log_time, first_append_time, ..checkpoint.clone() };
        let place = self.seam.world.broker.borrow().place(checkpoint.generation, checkpoint.partition);
        send(&self.seam, vec![Part::Checkpoint(place, Box::new(row))])
    }
}

impl SimStore {
    /// While a state is loaded, one of the rows that its checkpoints vouch for may be shown wrongly.
    fn damage(&self, place: u32, checkpoints: &[Checkpoint]) {
        let world = &self.seam.world;
        let newest = checkpoints.first().filter(|newest| newest.consumed > 0);
        let mut view = self.view();
        view.damaged = None;
        if let Some(newest) = newest
            && !world.healed.get()
            // a day later a replica has what there was
            && newest.log_time.0 > world.now.get() - 12 * HOUR_MS
            && world.chance(world.plan.insert / 2)
        {
            world.note(Fault::RowDamaged);
            let offset = newest.from.0 + world.below(newest.next.0 - newest.from.0);
            view.damaged = Some((place, offset));
        }
        world.database.borrow_mut().views.insert(self.seam.pid, view);
    }
}

fn spans(rows: &[Found]) -> Vec<ArraySpan> {
    let mut spans: Vec<ArraySpan> = Vec::new();
    for Found { row, .. } in rows {
        let time = Instant(row.time.unwrap_or_default());
        match spans.iter_mut().find(|span| (&span.provider, &span.array) == (&row.provider, &row.array)) {
            Some(span) => (span.oldest, span.newest) = (span.oldest.min(time), span.newest.max(time)),
            None => spans.push(ArraySpan {
                provider: row.provider.clone(),
                array: row.array.clone(),
                oldest: time,
                newest: time,
            }),
        }
    }
    spans
}

fn event(found: &Found, meters: Option<&[String]>) -> LedgerEvent {
    event_of(found.generation, &found.row, meters)
}

/// A row as an event.
pub(super) fn event_of(generation: u32, row: &EventRow, meters: Option<&[String]>) -> LedgerEvent {
    let asked = |reading: &&LedgerReading| meters.is_none_or(|meters| meters.contains(&reading.meter));
    LedgerEvent {
        generation,
        offset: row.offset,
        time: Instant(row.time.unwrap_or_default()),
        recorded: row.recorded.map(Instant),
        provider: row.provider.clone(),
        array: row.array.clone(),
        site: row.site.clone(),
        readings: row.readings.iter().filter(asked).cloned().collect(),
    }
}
