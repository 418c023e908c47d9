//! Processes: each runs the machines of its partitions, dies, stands still, and gives partitions up when it is told to.

use std::rc::Rc;

use super::closing::{self, SimCloser};
use super::fault::Fault;
use super::log::{SimClock, SimControl, SimLog};
use super::store::SimStore;
use super::world::{Broken, Seam, World};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::machine::{Machine, Progress};

/// How long a revoked partition is flushed, in milliseconds.
const REVOKE_MS: u64 = 2_000;
/// A revoke that takes longer than this has not ended: the limit, and one step that waits in vain.
const REVOKE_END_MS: i64 = 60_000;

pub(super) type SimMachine = Machine<SimLog, SimControl, SimStore, SimClock>;

/// One process. A restart makes a new one.
pub(super) struct Process {
    pub(super) dead: bool,
    /// It stands still until then.
    pub(super) paused_until: i64,
    /// Its machines; none while one of them is at work.
    pub(super) machines: Vec<(u32, Option<Box<SimMachine>>)>,
    /// What it closes with, and nothing else; none while it is at work.
    pub(super) closer: Option<Box<SimCloser>>,
    pub(super) is_closer: bool,
    /// How far its clock is off.
    pub(super) off_ms: i64,
}

impl Process {
    /// Starts a process and returns its number.
    pub(super) fn start(world: &World) -> usize {
        let off_ms = world.between(-300, 300) * 1000;
        let mut crew = world.crew.borrow_mut();
        let (machines, closer, is_closer) = (Vec::new(), None, false);
        crew.push(Process { dead: false, paused_until: i64::MIN, machines, closer, is_closer, off_ms });
        world.trace(|| format!("process {} starts", crew.len() - 1));
        crew.len() - 1
    }

    pub(super) fn can_work(&self, now: i64) -> bool {
        !self.dead && self.paused_until <= now
    }
}

/// The processes that can fold.
pub(super) fn able(world: &World) -> Vec<usize> {
    let crew = world.crew.borrow();
    (0..crew.len()).filter(|pid| !crew[*pid].is_closer && crew[*pid].can_work(world.now.get())).collect()
}

/// Gives a partition to a process.
pub(super) fn assign(world: &Rc<World>, pid: usize, partition: u32) {
    world.trace(|| format!("partition {partition} is assigned to process {pid}"));
    let seam = || Seam { world: Rc::clone(world), pid };
    let clock = SimClock::new(seam(), world.crew.borrow()[pid].off_ms);
    let seams = (SimLog::new(seam(), partition), SimControl::new(seam()), SimStore::new(seam()), clock);
    let (rules, number) = {
        let broker = world.broker.borrow();
        let (stream, number) = broker.of_place(partition);
        (std::sync::Arc::clone(&stream.rules), number)
    };
    let machine = Machine::new(seams, rules, number, world.plan.limits);
    let machines = &mut world.crew.borrow_mut()[pid].machines;
    machines.retain(|(other, _)| *other != partition);
    machines.push((partition, Some(Box::new(machine))));
}

/// Lets other processes work between two calls of a step.
pub(super) fn interleave(world: &Rc<World>, pid: usize) {
    if world.nested.replace(true) {
        return;
    }
    let others: Vec<usize> = {
        let crew = world.crew.borrow();
        (0..crew.len()).filter(|other| *other != pid && crew[*other].can_work(world.now.get())).collect()
    };
    if !others.is_empty() {
        world.note(Fault::Torn);
        let step = world.step.get();
        for _ in 0..=world.below(4) {
            work(world, others[world.below(others.len() as u64) as usize]);
        }
        world.step.set(step);
    }
    land_some(world, 300);
    world.nested.set(false);
}

/// Lets some of the inserts that were held back arrive.
pub(super) fn land_some(world: &World, per_mille: u64) {
    let arriving = world.database.borrow_mut().arriving(&mut world.random.borrow_mut(), per_mille);
    world.broker.borrow_mut().land_decisions(&mut world.random.borrow_mut(), per_mille);
    for part in arriving {
        world.trace(|| "an insert lands".to_owned());
        if let Err(text) = world.database.borrow_mut().land(part) {
            world.fail(Broken::Doubled, text);
        }
    }
}

/// One step of one machine of a process, or one act of a closer.
pub(super) fn work(world: &Rc<World>, pid: usize) {
    if world.crew.borrow()[pid].is_closer {
        return closing::work(world, pid);
    }
    let partitions: Vec<u32> = world.crew.borrow()[pid].machines.iter().map(|(partition, _)| *partition).collect();
    if !partitions.is_empty() {
        step(world, pid, partitions[world.below(partitions.len() as u64) as usize]);
    }
}

/// One step of the machine of a partition. None if there is no such machine, or it died.
pub(super) fn step(world: &Rc<World>, pid: usize, partition: u32) -> Option<Progress> {
    let mut machine = take(world, pid, partition)?;
    let stage = machine.stage_name();
    world.step.set(stage);
    let result = machine.step();
    world.step.set("-");
    world.pass(world.between(1, 20));
    world.trace(|| format!("process {pid} partition {partition} {stage}: {}", told(&result)));
    if world.crew.borrow()[pid].dead {
        world.crew.borrow_mut()[pid].machines.clear();
        return None;
    }
    let progress = match result {
        Ok(progress) => Some(progress),
        Err(SeamError::Retryable(_)) => Some(Progress::Stepped),
        Err(SeamError::Permanent(error)) => {
            refuse(world, pid, partition, &error);
            return None;
        }
    };
    put_back(world, pid, partition, machine);
    progress
}

fn told(result: &Result<Progress, SeamError>) -> String {
    match result {
        Ok(Progress::Stepped) => "done".to_owned(),
        Ok(Progress::Idle) => "idle".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

/// A permanent error stops the process. It is right if the log was cut, and wrong otherwise.
fn refuse(world: &World, pid: usize, partition: u32, error: &Permanent) {
    let mut broker = world.broker.borrow_mut();
    let log = &mut broker.partitions[partition as usize];
    let noticed = matches!(
        error,
        Permanent::LogChanged { .. }
            | Permanent::LogCut { .. }
            | Permanent::OffsetsLost { .. }
            | Permanent::OffsetsFell { .. }
    );
    if log.before_cut.is_some() {
        // a consumer that hears of the cut from its broker dies of it; whoever comes next has to notice by itself
        log.refused |= noticed;
    } else {
        world.fail(Broken::Wrong, format!("process {pid} partition {partition} stopped without cause: {error}"));
    }
    drop(broker);
    let process = &mut world.crew.borrow_mut()[pid];
    process.dead = true;
    process.machines.clear();
}

fn take(world: &World, pid: usize, partition: u32) -> Option<Box<SimMachine>> {
    let mut crew = world.crew.borrow_mut();
    let (_, machine) = crew[pid].machines.iter_mut().find(|(other, _)| *other == partition)?;
    machine.take()
}

fn put_back(world: &World, pid: usize, partition: u32, machine: Box<SimMachine>) {
    let mut crew = world.crew.borrow_mut();
    if let Some((_, place)) = crew[pid].machines.iter_mut().find(|(other, _)| *other == partition) {
        *place = Some(machine);
    }
}

/// The least offset that a machine of the partition has still to fold.
pub(super) fn least_next(world: &World, partition: u32) -> Option<u64> {
    let crew = world.crew.borrow();
    let machines = crew.iter().flat_map(|process| &process.machines).filter(|(other, _)| *other == partition);
    machines.filter_map(|(_, machine)| Some(machine.as_ref()?.fold()?.next().0)).min()
}

/// Drops the partition's machines in all processes.
pub(super) fn drop_machines(world: &World, partition: u32) {
    world.crew.borrow_mut().iter_mut().for_each(|process| process.machines.retain(|(other, _)| *other != partition));
}

/// Looks at a machine that is not at work.
pub(super) fn look<T>(world: &World, pid: usize, partition: u32, at: impl FnOnce(&mut SimMachine) -> T) -> Option<T> {
    let mut crew = world.crew.borrow_mut();
    let (_, machine) = crew[pid].machines.iter_mut().find(|(other, _)| *other == partition)?;
    machine.as_deref_mut().map(at)
}

/// Takes a partition away from a process: it makes durable what it can within its limit, then drops its work.
pub(super) fn revoke(world: &Rc<World>, pid: usize, partition: u32) {
    world.trace(|| format!("partition {partition} is revoked from process {pid}"));
    let since = world.now.get();
    loop {
        let waited = world.now.get() - since;
        let ended = look(world, pid, partition, |machine| {
            machine.want_checkpoint();
            machine.may_leave(waited.unsigned_abs(), REVOKE_MS)
        });
        if ended != Some(false) {
            break;
        }
        if waited > REVOKE_END_MS {
            world.fail(Broken::Wrong, format!("partition {partition}: a revoke does not end"));
            break;
        }
        if step(world, pid, partition).is_none() {
            break;
        }
        world.pass(100);
    }
    world.crew.borrow_mut()[pid].machines.retain(|(other, _)| *other != partition);
}
