//! Closers as processes: they start, work, stand still, read from replicas that lag, and die.

use std::rc::Rc;

use super::super::database::View;
use super::super::fault::Fault;
use super::super::process::Process;
use super::super::world::{Broken, Seam, World};
use super::SimCloser;
use super::log::SimBillLog;
use super::operation::{self, Operation};
use super::store::SimBillStore;
use crate::closer::{CloseError, Closer};
use crate::fold::error::SeamError;

/// The closers of a schedule begin.
pub(in crate::sim) fn begin(world: &Rc<World>) {
    (0..world.plan.closing.map_or(0, |closing| closing.closers)).for_each(|_| {
        start(world);
    });
}

/// Starts a closer and returns its number.
pub(super) fn start(world: &Rc<World>) -> usize {
    let pid = world.crew.borrow().len();
    let seam = || Seam { world: Rc::clone(world), pid };
    let closer = Closer::new(SimBillLog::new(seam()), SimBillStore::new(seam()), format!("closer {pid}"));
    let off_ms = world.between(-300, 0) * 1000;
    let closer = Some(Box::new(closer));
    let (dead, paused_until, machines) = (false, i64::MIN, Vec::new());
    world.crew.borrow_mut().push(Process { dead, paused_until, machines, closer, is_closer: true, off_ms });
    world.trace(|| format!("closer {pid} starts"));
    pid
}

/// Closers that can work.
pub(super) fn able(world: &World) -> Vec<usize> {
    let crew = world.crew.borrow();
    (0..crew.len()).filter(|pid| crew[*pid].is_closer && crew[*pid].can_work(world.now.get())).collect()
}

/// One of them works, stands still or dies, or one is started in the place of one that is dead.
pub(in crate::sim) fn act(world: &Rc<World>) {
    let able = able(world);
    let alive = world.crew.borrow().iter().filter(|process| process.is_closer && !process.dead).count();
    if alive < world.plan.closing.map_or(0, |closing| closing.closers) {
        world.note(Fault::Restart);
        start(world);
        return;
    }
    if able.is_empty() {
        return;
    }
    let pid = able[world.below(able.len() as u64) as usize];
    match world.below(100) {
        0..=2 => {
            world.note(Fault::Restart);
            world.trace(|| format!("closer {pid} is killed"));
            let process = &mut world.crew.borrow_mut()[pid];
            (process.dead, process.closer) = (true, None);
        }
        3..=5 => {
            world.note(Fault::Pause);
            let until = world.now.get() + world.between(1, 600) * 60_000;
            world.crew.borrow_mut()[pid].paused_until = until;
        }
        6..=11 => lag(world, pid),
        _ => (0..=world.below(3)).for_each(|_| {
            work(world, pid);
            world.pass(world.between(0, 600));
        }),
    }
}

/// A closer reads from a replica that lacks the newest inserts, or from one that has them all.
fn lag(world: &World, pid: usize) {
    let mut view = View::WHOLE;
    let mut database = world.database.borrow_mut();
    if world.chance(700) {
        world.note(Fault::CloserLags);
        view.bill = (database.inserts + 1).saturating_sub(world.below(8));
        if world.chance(300) {
            view.checkpoints = (database.inserts + 1).saturating_sub(world.below(6));
        }
    }
    database.views.insert(pid, view);
}

/// A closer does something, whatever.
pub(in crate::sim) fn work(world: &Rc<World>, pid: usize) {
    let operation = Operation::draw(world);
    run(world, pid, operation);
}

/// A closer does this. Whether it was done, in the end.
pub(super) fn run(world: &Rc<World>, pid: usize, operation: Operation) -> bool {
    let taken = world.crew.borrow_mut()[pid].closer.take();
    let Some(mut closer) = taken else { return false };
    let step = world.step.replace(operation.step());
    let result = operation::run(world, pid, &mut closer, operation);
    world.step.set(step);
    world.pass(world.between(1, 20));
    world
        .trace(|| format!("closer {pid} {operation:?}: {}", result.as_ref().map_or_else(told, |()| "done".to_owned())));
    if world.crew.borrow()[pid].dead {
        return false;
    }
    put_back(world, pid, closer);
    match result {
        Ok(()) => true,
        Err(error) if error.is_retryable() => false,
        Err(CloseError::Refused(_)) => true,
        Err(error) => {
            world.fail(Broken::Wrong, format!("closer {pid} {operation:?} stopped without cause: {error}"));
            false
        }
    }
}

fn told(error: &CloseError) -> String {
    match error {
        CloseError::Seam(SeamError::Permanent(_)) => "the end of it".to_owned(),
        error => error.to_string(),
    }
}

fn put_back(world: &World, pid: usize, closer: Box<SimCloser>) {
    world.crew.borrow_mut()[pid].closer = Some(closer);
}
