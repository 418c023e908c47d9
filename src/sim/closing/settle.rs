//! Faults have ended: people decide what is left to them, and whatever is due is closed, corrected, issued and written down (I16).

use std::rc::Rc;

use super::super::process::land_some;
use super::super::schedule::Schedule;
use super::super::world::{Broken, World};
use super::agenda::{due, stale};
use super::closer::{able, run, start};
use super::operation::{Operation, close, discards, now};
use super::{PROVIDER, SimCloser};
use crate::closer::CloseError;
use crate::closer::close::{Mode, Outcome};
use crate::core::closing::agenda;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::ProviderPeriod;
use crate::core::decision::Decision;
use crate::core::word::HOUR_MS;

/// Rounds until nothing is left to do: each period may be closed, its records discarded and its drafts settled one after the other.
const ROUNDS: usize = 16;

/// Closers work without faults until nothing changes any more.
pub(in crate::sim) fn settle(schedule: &mut Schedule, world: &Rc<World>) {
    let Some(plan) = world.plan.closing else { return };
    land_some(world, 1000);
    world.broker.borrow_mut().skew_ms = 0;
    let able = able(world);
    let pid = match able.first() {
        Some(_) if world.chance(700) => able[world.below(able.len() as u64) as usize],
        _ => start(world),
    };
    if plan.to_the_end {
        to_the_end(world);
    }
    for _ in 0..ROUNDS {
        schedule.finish_all(world);
        let before = world.broker.borrow().control.len();
        for decision in discards(world) {
            world.broker.borrow_mut().decide(decision, None);
        }
        if world.broker.borrow().control.len() != before {
            continue;
        }
        if world.has_failed() {
            return;
        }
        let taken = world.crew.borrow_mut()[pid].closer.take();
        let Some(mut closer) = taken else { return };
        let done = round(world, pid, &mut closer);
        world.crew.borrow_mut()[pid].closer = Some(closer);
        if let Err(error) = done {
            return world.fail(Broken::Wrong, format!("closing does not end: {error}"));
        }
        if world.broker.borrow().control.len() == before {
            run(world, pid, Operation::Materialise);
            return;
        }
    }
    world.fail(Broken::Wrong, "I16: closing does not come to its end".to_owned());
}

/// Time passes until the month that has begun is due.
fn to_the_end(world: &World) {
    let broker = world.broker.borrow();
    let Some(closing) = world.plan.closing.as_ref() else { return };
    let Some(spec) = broker.books.last() else { return };
    let book = crate::core::book::Book::from_canonical(&super::canonical(closing, spec));
    let at = crate::core::word::Instant(world.now.get());
    let periods = book.ok().and_then(|book| agenda::periods(&book, PROVIDER, at, at).ok()).unwrap_or_default();
    if let Some(last) = periods.iter().map(ProviderPeriod::due).max() {
        world.now.set(last.0.max(at.0) + HOUR_MS);
    }
}

/// Settles drafts, then closes what is due: one decision of a close a round, since workers have to take it in first.
fn round(world: &Rc<World>, pid: usize, closer: &mut SimCloser) -> Result<(), CloseError> {
    let before = world.broker.borrow().control.len();
    for waiting in closer.waiting()? {
        match waiting.draft.blocked.is_some() || world.chance(100) {
            true => closer.discard_draft(&waiting.id, "r").map(|_| ())?,
            false => closer.issue_draft(&waiting.id).map(|_| ())?,
        }
    }
    let at = now(world, pid);
    let open = due(closer, at)?.into_iter().rev();
    let all: Vec<ProviderPeriod> = stale(closer).into_iter().chain(open).collect();
    for period in all {
        let outcome = closer.close(&period, at, Mode::Close)?;
        world.trace(|| {
            let holes: Vec<String> = outcome.holes().iter().map(Hole::to_string).collect();
            format!("in the end {}: {} {holes:?}", period.label, outcome.as_str())
        });
        match &outcome {
            Outcome::Refused(holes, _) => refused(world, closer, &period, holes, before)?,
            // buckets above the last checkpoint of a log that is refused stay
            Outcome::Contended if is_refused(world) => {}
            Outcome::Contended => {
                world.fail(Broken::Wrong, format!("I16: {:?} is contended for ever", period.key));
            }
            _ => {}
        }
        let has_closed = |decision: &Decision| matches!(decision, Decision::PeriodClosed { .. });
        if world.broker.borrow().control[before..].iter().any(|record| has_closed(&record.decision)) {
            break;
        }
    }
    Ok(())
}

/// The holes that may be left: records that were sent again and never came, which people waive, and what lies behind a log that is refused.
fn refused(
    world: &World,
    closer: &mut SimCloser,
    period: &ProviderPeriod,
    holes: &[Hole],
    before: usize,
) -> Result<(), CloseError> {
    // workers have to take in what was decided in this round
    let is_fresh = world.broker.borrow().control.len() > before;
    let is_new = |hole: &&Hole| match hole {
        // nothing was ever sent, and nobody will
        Hole::Resent { .. } | Hole::NoCheckpoint { .. } => false,
        Hole::Undecided { .. } | Hole::DraftWaits { .. } => !is_fresh,
        _ => true,
    };
    if let Some(hole) = holes.iter().find(is_new).filter(|_| !is_refused(world)) {
        world.fail(Broken::Wrong, format!("I16: {:?} stays open: {hole}", period.key));
    }
    if holes.iter().all(|hole| matches!(hole, Hole::Resent { .. })) {
        let at = crate::core::word::Instant(world.now.get());
        return close(world, closer, period, at, Mode::Override("never came"));
    }
    Ok(())
}

/// Whether nobody goes on with a log, since it is not what was folded.
fn is_refused(world: &World) -> bool {
    let broker = world.broker.borrow();
    let is_open = |place: usize| broker.end_of(place as u32).is_none();
    (0..broker.partitions.len()).any(|place| broker.partitions[place].before_cut.is_some() && is_open(place))
}
