//! What happens to the world between two steps: processes stop and start, replicas lag, clocks jump, logs are cut.

use std::rc::Rc;

use super::broker::{METERS, PartitionLog};
use super::database::View;
use super::fault::Fault;
use super::process::{self, Process, able};
use super::producer::is_quiet;
use super::schedule::Schedule;
use super::world::World;
use crate::core::decision::Decision;
use crate::core::word::{HOUR_MS, Offset};

/// Most generations of a stream.
const MOST_GENERATIONS: usize = 3;

/// A partition of the open generation.
fn open_place(world: &World) -> u32 {
    let broker = world.broker.borrow();
    let open = broker.open();
    open.first + world.below(u64::from(open.rules.partitions)) as u32
}

impl Schedule {
    pub(super) fn trouble(&mut self, world: &Rc<World>) {
        match world.below(100) {
            0..=21 => self.rebalance(world),
            22..=38 => self.restart(world),
            39..=50 => self.pause(world),
            51..=58 => self.lag(world),
            59..=65 => {
                world.note(Fault::BrokerClock);
                let skew = world.between(-2 * HOUR_MS, 2 * HOUR_MS);
                world.broker.borrow_mut().skew_ms = world.random.borrow_mut().pick(&[0, skew]);
            }
            66..=73 => {
                world.note(Fault::Days);
                world.pass(world.between(1, 10 * 24) * HOUR_MS);
            }
            74..=83 => self.publish(world),
            84 => self.commit_wrong(world),
            85..=86 => self.reopen(world),
            87..=90 => self.delete_old(world),
            91..=93 => self.cut(world),
            94..=97 => self.record_loss(world),
            _ => self.revoke_in_outage(world),
        }
    }

    /// Starts a process anew in the place of one that is dead, or that dies for it.
    pub(super) fn restart(&mut self, world: &Rc<World>) {
        world.note(Fault::Restart);
        let victim = {
            let crew = world.crew.borrow();
            let alive: Vec<usize> = (0..crew.len()).filter(|pid| !crew[*pid].dead && !crew[*pid].is_closer).collect();
            (alive.len() >= world.plan.processes).then(|| alive[world.below(alive.len() as u64) as usize])
        };
        if let Some(pid) = victim {
            let process = &mut world.crew.borrow_mut()[pid];
            process.dead = true;
            process.machines.clear();
        }
        Process::start(world);
        self.rebalance(world);
    }

    fn pause(&mut self, world: &Rc<World>) {
        let able = able(world);
        if !able.is_empty() {
            world.note(Fault::Pause);
            let pid = able[world.below(able.len() as u64) as usize];
            let until = world.now.get() + world.between(1, 600) * 60_000;
            world.crew.borrow_mut()[pid].paused_until = until;
        }
    }

    /// A process reads from a replica that lacks the newest inserts, or from one that has them all.
    fn lag(&self, world: &Rc<World>) {
        let able = able(world);
        if able.is_empty() {
            return;
        }
        let pid = able[world.below(able.len() as u64) as usize];
        let mut database = world.database.borrow_mut();
        let mut view = View::WHOLE;
        let cut = world.broker.borrow().partitions.iter().any(|log| log.before_cut.is_some());
        if !cut && world.chance(700) {
            world.note(Fault::ReplicaLags);
            view.events = (database.inserts + 1).saturating_sub(world.below(6));
        }
        let retained = world.broker.borrow().partitions.iter().any(|log| {
            // such a replica shows a checkpoint of which the log has nothing any more: its reader stops, and is right to
            log.first > 0 || log.before_cut.is_some() || !log.lost.is_empty()
        });
        if !retained && world.chance(300) {
            world.note(Fault::ManifestLags);
            view.checkpoints = (database.inserts + 1).saturating_sub(world.below(6));
        }
        database.views.insert(pid, view);
    }

    /// Publishes a book: the meters that it defines are metered from then on, what lies in the ledger too.
    pub(super) fn publish(&self, world: &Rc<World>) {
        let is_priced = |_: &usize| world.chance(450) && !is_quiet(world);
        let places: Vec<usize> = (0..METERS.len()).filter(is_priced).collect();
        world.note(Fault::Catalog);
        world.trace(|| format!("meters {places:?} are defined"));
        world.broker.borrow_mut().define(&places);
    }

    fn commit_wrong(&self, world: &Rc<World>) {
        world.note(Fault::CommitWrong);
        let mut broker = world.broker.borrow_mut();
        for log in &mut broker.partitions {
            log.committed = if world.chance(500) { 0 } else { log.end };
        }
    }

    /// Retention deletes records below the checkpoint.
    fn delete_old(&self, world: &Rc<World>) {
        let lags = world.database.borrow().views.values().any(|view| view.checkpoints != u64::MAX);
        let partition = open_place(world);
        let newest = world.database.borrow().newest_checkpoint(partition);
        let held = process::least_next(world, partition).unwrap_or(u64::MAX).saturating_sub(1);
        let mut broker = world.broker.borrow_mut();
        let log = &mut broker.partitions[partition as usize];
        if let Some(next) = newest.filter(|_| !lags && log.before_cut.is_none()) {
            world.note(Fault::Retention);
            log.first = log.first.max(world.below(next + 1).min(held));
        }
    }

    /// The log loses its tail and is filled again: what no consumer saw, or what was folded.
    fn cut(&mut self, world: &Rc<World>) {
        let partition = open_place(world);
        let newest = world.database.borrow().newest_checkpoint(partition).unwrap_or(0);
        {
            let mut broker = world.broker.borrow_mut();
            let log = &mut broker.partitions[partition as usize];
            if log.before_cut.is_some() {
                return;
            }
            log.stood = newest;
            let flushed = world.database.borrow().greatest_row(partition).unwrap_or(0);
            // below what a decision gave up nobody knows the log
            let is_known = log.lost.last().is_none_or(|(_, to)| *to < newest);
            if newest > log.first && is_known && world.chance(250) {
                world.note(Fault::TailCut);
                log.cut(log.first + world.below(newest - log.first), true);
                // the offset that was folded last may be one that holds no record now
                log.end = if world.chance(300) { newest } else { log.end };
            } else if flushed > newest && is_known && world.chance(500) {
                world.note(Fault::FlushedCut);
                log.cut(newest + world.below(flushed + 1 - newest), true);
            } else if log.end > newest && world.chance(200) {
                world.note(Fault::RecordsLost);
                log.lose(newest + 1 + world.below(log.end - newest));
            } else {
                world.note(Fault::TipCut);
                let at = log.end.saturating_sub(world.below(4)).max(log.seen).max(newest);
                log.cut(at, false);
            }
        }
        if world.broker.borrow().partitions[partition as usize].before_cut.is_some() {
            // those that read it hear of it from the broker; whoever comes next has to notice by itself
            process::drop_machines(world, partition);
            world.database.borrow_mut().views.clear();
            world.database.borrow_mut().lose_in_flight();
        }
        for _ in 0..world.below(8) {
            world.pass(world.between(1, 60_000));
            self.producer.produce(world);
        }
    }

    /// The stream is opened again with another number of partitions, and ends anywhere in what was sent.
    fn reopen(&mut self, world: &Rc<World>) {
        let ends: Vec<u64> = {
            let broker = world.broker.borrow();
            let open = &broker.partitions[broker.open().first as usize..];
            let newest = |place: usize| {
                let place = broker.open().first + place as u32;
                world.database.borrow().newest_checkpoint(place).unwrap_or(0)
            };
            let is_mixed =
                |(place, log): (usize, &PartitionLog)| log.before_cut.is_some() && newest(place) != log.stood;
            if broker.streams.len() == MOST_GENERATIONS || open.iter().enumerate().any(is_mixed) {
                return;
            }
            let end = |(place, log): (usize, &PartitionLog)| match world.below(4) {
                _ if log.before_cut.is_some() => newest(place),
                0 | 1 => log.end,
                2 => newest(place).max(log.first),
                // the log says nothing any more of what retention took, so no end lies before it
                _ => log.first + world.below(log.end - log.first + 1),
            };
            open.iter().enumerate().map(end).collect()
        };
        world.note(Fault::Reopened);
        let partitions = world.random.borrow_mut().pick(&[1, 2, 3]);
        let window_ms = world.random.borrow_mut().pick(&[2, 6, 30, 40 * 24]) * HOUR_MS;
        world.trace(|| format!("the stream ends at {ends:?} and is opened again with {partitions} partitions"));
        world.broker.borrow_mut().reopen(ends, partitions, window_ms);
        self.owners.resize(world.broker.borrow().partitions.len(), None);
        if world.chance(700) {
            self.rebalance(world);
        }
    }

    /// Somebody records what a partition lost that nobody goes on with, if its log has records again.
    fn record_loss(&mut self, world: &Rc<World>) {
        let refused = |log: &PartitionLog| log.before_cut.is_some() && log.refused;
        let place = {
            let broker = world.broker.borrow();
            let first = broker.open().first;
            broker.partitions[first as usize..].iter().position(refused).map(|place| first + place as u32)
        };
        let Some(place) = place else { return };
        let (from, to) = {
            let (broker, database) = (world.broker.borrow(), world.database.borrow());
            let log = &broker.partitions[place as usize];
            let newest = database.newest_checkpoint(place).unwrap_or(0);
            let before = log.lost.last().filter(|(from, to)| (*from..*to).contains(&newest));
            let from = before.map_or(newest, |(_, to)| *to);
            let known = database.greatest_row(place).map_or(from, |row| from.max(row + 1));
            let to = known.max(log.first);
            // of the new log something may have been folded and put under a checkpoint before anybody saw that it is another one
            if log.from(to).is_empty() || newest != log.stood {
                return;
            }
            (from, to)
        };
        world.note(Fault::LossRecorded);
        world.trace(|| format!("partition {place} goes on at {to}: [{from}, {to}) is lost"));
        let mut broker = world.broker.borrow_mut();
        let (stream, partition) = broker.of_place(place);
        let stream = stream.rules.stream.clone();
        let (reason, actor) = ("r".to_owned(), "a".to_owned());
        let decision = Decision::OffsetsLost { stream, partition, from: Offset(from), to: Offset(to), reason, actor };
        broker.decide(decision, None);
        broker.partitions[place as usize].record_lost(from, to);
        world.database.borrow_mut().views.clear();
    }

    /// The store is away while an owner has to give its partition up.
    fn revoke_in_outage(&mut self, world: &Rc<World>) {
        world.note(Fault::RevokeInOutage);
        world.outage.set(true);
        self.rebalance(world);
        world.outage.set(false);
    }
}
