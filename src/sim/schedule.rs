//! One schedule: work and trouble in the order that its seed draws, then peace, then the oracle's judgement.

use std::rc::Rc;

use super::check;
use super::closing::{self, ClosingPlan, Tally};
use super::fault::{Coverage, Fault};
use super::plan::Plan;
use super::process::{self, Process, able, assign, land_some, look, revoke};
use super::producer::Producer;
use super::random::Random;
use super::world::{Broken, Failure, World};
use crate::fold::machine::{PAST_ENDS_MS, Progress};

/// Steps that a partition may take after faults have ended until its lag is zero (I16).
const SETTLE_STEPS: usize = 600;

/// What a schedule came to.
pub(super) struct Outcome {
    pub(super) failure: Option<Failure>,
    pub(super) coverage: Coverage,
    pub(super) tally: Tally,
    pub(super) trace: Vec<String>,
}

/// Runs the schedule of a seed.
pub(super) fn run(seed: u64, with_trace: bool) -> Outcome {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random, ClosingPlan::draw(seed));
    let world = World::new(plan, random, with_trace);
    let mut schedule = Schedule { producer: Producer::default(), owners: Vec::new() };
    schedule.begin(&world);
    for _ in 0..world.plan.actions {
        if world.has_failed() {
            break;
        }
        schedule.act(&world);
    }
    if !world.has_failed() {
        schedule.settle(&world);
    }
    if !world.has_failed() {
        closing::settle(&mut schedule, &world);
    }
    let mut tally = Tally::default();
    if !world.has_failed() {
        check::check(&world);
        tally = closing::check(&world);
    }
    // processes hold the world, and the world holds them
    let crew = std::mem::take(&mut *world.crew.borrow_mut());
    drop(crew);
    Outcome { failure: world.take_failure(), coverage: world.coverage.take(), tally, trace: world.take_trace() }
}

/// Who owns what, and who sends.
pub(super) struct Schedule {
    pub(super) producer: Producer,
    /// The owner of each partition.
    pub(super) owners: Vec<Option<usize>>,
}

impl Schedule {
    fn begin(&mut self, world: &Rc<World>) {
        world.trace(|| format!("{:?}", world.plan));
        self.owners = vec![None; places(world) as usize];
        if world.chance(800) {
            self.publish(world);
        }
        for _ in 0..world.plan.processes {
            Process::start(world);
        }
        self.rebalance(world);
        closing::begin(world);
    }

    fn act(&mut self, world: &Rc<World>) {
        land_some(world, 100);
        if world.plan.closing.is_some_and(|closing| world.chance(closing.share)) {
            return closing::act(world);
        }
        if world.chance(world.plan.trouble) {
            return self.trouble(world);
        }
        match world.below(100) {
            0..=34 => {
                self.producer.produce(world);
                world.pass(world.between(0, world.plan.gap_ms));
            }
            35..=40 => world.pass(world.between(0, 15_000)),
            41..=43 => self.producer.append_waiting(world),
            _ => self.work(world),
        }
    }

    /// A process that can work takes some steps.
    fn work(&mut self, world: &Rc<World>) {
        let able = able(world);
        if able.is_empty() {
            return self.restart(world);
        }
        let pid = able[world.below(able.len() as u64) as usize];
        for _ in 0..=world.below(10) {
            process::work(world, pid);
            world.pass(world.between(0, 600));
        }
        self.notice(world, pid);
    }

    /// A process hears, sooner or later, that a partition is no longer its own.
    fn notice(&mut self, world: &Rc<World>, pid: usize) {
        if !world.healed.get() && !world.chance(200) {
            return;
        }
        let held: Vec<u32> = world.crew.borrow()[pid].machines.iter().map(|(partition, _)| *partition).collect();
        for partition in held.into_iter().filter(|partition| self.owners[*partition as usize] != Some(pid)) {
            revoke(world, pid, partition);
        }
    }

    /// Gives partitions to processes anew. One that stands still keeps its machines and does not know.
    pub(super) fn rebalance(&mut self, world: &Rc<World>) {
        world.note(Fault::Rebalance);
        let able = able(world);
        if able.is_empty() {
            return;
        }
        for partition in 0..places(world) {
            let old = self.owners[partition as usize];
            let keeps = old.filter(|pid| able.contains(pid) && world.chance(400));
            let new = keeps.unwrap_or_else(|| able[world.below(able.len() as u64) as usize]);
            if old == Some(new) && look(world, new, partition, |_| ()).is_some() {
                continue;
            }
            if let Some(old) = old.filter(|old| able.contains(old)) {
                revoke(world, old, partition);
            }
            self.owners[partition as usize] = Some(new);
            if able.contains(&new) && !world.crew.borrow()[new].dead {
                assign(world, new, partition);
            }
        }
    }

    /// Faults end: every partition has an owner that works, until there is nothing left to do (I16).
    fn settle(&mut self, world: &Rc<World>) {
        world.trace(|| "faults end".to_owned());
        self.producer.append_waiting(world);
        land_some(world, 500);
        world.healed.set(true);
        world.database.borrow_mut().views.clear();
        world.crew.borrow_mut().iter_mut().for_each(|process| process.paused_until = i64::MIN);
        if able(world).is_empty() {
            Process::start(world);
        }
        let zombies: Vec<usize> = able(world);
        let steps = zombies.len() as u64 * 3;
        (0..world.below(steps)).for_each(|_| process::work(world, zombies[world.below(zombies.len() as u64) as usize]));
        self.finish_all(world);
        for pid in able(world) {
            self.notice(world, pid);
        }
        land_some(world, 1000);
        if self.owners.len() > world.plan.rules.partitions as usize {
            // what workers of a closed generation wrote last is seen at the next look
            world.pass(world.plan.limits.checkpoint_interval_ms.max(PAST_ENDS_MS) as i64 + 1);
            self.finish_all(world);
        }
    }

    /// Every partition is folded to its end.
    pub(super) fn finish_all(&mut self, world: &Rc<World>) {
        for partition in 0..places(world) {
            if !world.has_failed() {
                self.finish(world, partition);
            }
        }
    }

    fn finish(&mut self, world: &Rc<World>, partition: u32) {
        for _ in 0..SETTLE_STEPS {
            let Some(pid) = self.owner(world, partition) else { return };
            let want = |machine: &mut process::SimMachine| machine.want_checkpoint();
            look(world, pid, partition, want);
            let progress = process::step(world, pid, partition);
            world.pass(200);
            if is_refused(world, partition) || (progress == Some(Progress::Idle) && is_done(world, pid, partition)) {
                return;
            }
            if world.has_failed() {
                return;
            }
        }
        world.fail(Broken::Wrong, format!("I16: partition {partition} does not come to its end"));
    }

    /// The owner of a partition, alive and with a machine.
    fn owner(&mut self, world: &Rc<World>, partition: u32) -> Option<usize> {
        let owner = self.owners[partition as usize].filter(|pid| !world.crew.borrow()[*pid].dead);
        let pid = match owner {
            Some(pid) => pid,
            None => able(world).first().copied().unwrap_or_else(|| Process::start(world)),
        };
        self.owners[partition as usize] = Some(pid);
        if look(world, pid, partition, |_| ()).is_none() {
            assign(world, pid, partition);
        }
        Some(pid)
    }
}

/// How many partitions all generations have.
fn places(world: &World) -> u32 {
    world.broker.borrow().partitions.len() as u32
}

fn is_refused(world: &World, partition: u32) -> bool {
    world.broker.borrow().partitions[partition as usize].refused
}

/// Whether a checkpoint covers the whole log and all decisions.
fn is_done(world: &World, pid: usize, partition: u32) -> bool {
    let (end, control) = {
        let broker = world.broker.borrow();
        (broker.partitions[partition as usize].end, broker.control.len() as u64)
    };
    let covers = look(world, pid, partition, |machine| {
        if machine.stage_name() == "closed" {
            return true;
        }
        let checkpoint = machine.checkpointed();
        let marked = machine.fold().is_some_and(|fold| fold.meter().marked_hours() > 0);
        !marked && checkpoint.is_some_and(|checkpoint| checkpoint.next.0 >= end && checkpoint.control.0 >= control)
    });
    covers == Some(true)
}
