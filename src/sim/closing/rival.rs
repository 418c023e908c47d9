//! What comes between two calls of a closer just where it matters: another close, a decision, workers that have taken it in.

use std::rc::Rc;

use super::super::broker::METERS;
use super::super::fault::Fault;
use super::super::process::{self, land_some, look};
use super::super::world::{Seam, World};
use super::closer::{self, run};
use super::operation::Operation;

/// Steps that a partition takes at most to put everything under a checkpoint.
const STEPS: u64 = 12;

/// Now and then somebody comes first.
pub(super) fn rival(seam: &Seam) {
    let world = &seam.world;
    let often = world.plan.closing.map_or(0, |closing| closing.rivals);
    if world.healed.get() || world.nested.get() || !world.chance(often) {
        return;
    }
    world.nested.set(true);
    world.note(Fault::Torn);
    let step = world.step.get();
    let others: Vec<usize> = closer::able(world).into_iter().filter(|other| *other != seam.pid).collect();
    let other = (!others.is_empty()).then(|| others[world.below(others.len() as u64) as usize]);
    match (world.below(4), other) {
        (0 | 1, Some(other)) => {
            run(world, other, Operation::Round);
        }
        (2, Some(other)) => {
            run(world, other, Operation::draw(world));
        }
        (3, _) => {
            let place = world.below(METERS.len() as u64) as usize;
            world.broker.borrow_mut().define(&[place]);
        }
        _ => {}
    }
    if world.chance(600) {
        press(world);
    }
    land_some(world, 300);
    world.step.set(step);
    world.nested.set(false);
}

/// Workers put what they have under checkpoints.
fn press(world: &Rc<World>) {
    for pid in process::able(world) {
        let held: Vec<u32> = world.crew.borrow()[pid].machines.iter().map(|(partition, _)| *partition).collect();
        for partition in held {
            look(world, pid, partition, |machine| machine.want_checkpoint());
            (0..STEPS).for_each(|_| {
                process::step(world, pid, partition);
            });
        }
    }
}
