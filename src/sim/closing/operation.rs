//! What closers do by themselves, as `plimsoll bill` does, and what people have them do.

use std::rc::Rc;

use super::super::world::{Broken, World};
use super::agenda::{due, stale};
use super::register::Log;
use super::{PROVIDER, SimCloser, hole};
use crate::closer::CloseError;
use crate::closer::close::{Mode, Outcome};
use crate::closer::credit::Credited;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::ProviderPeriod;
use crate::core::closing::register::Closed;
use crate::core::decision::Decision;
use crate::core::decision::credit::Grant;
use crate::core::word::{Instant, Offset};

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Closes what is due, and corrects right before it what is closed.
    Round,
    /// Somebody corrects a closed period by hand.
    Correct,
    /// Somebody closes in spite of holes.
    Override,
    /// Somebody asks what a close would do.
    DryRun,
    /// Issues what is issued by itself.
    IssueDue,
    /// Somebody issues a draft.
    Issue,
    /// Somebody discards a draft.
    Discard,
    /// Somebody credits a document, in whole or in part.
    Credit,
    /// Somebody stores the ERP's id of a document.
    Reference,
    /// Somebody has a period re-priced.
    Reprice,
    /// Somebody grants a credit.
    Grant,
    /// Somebody decides that records which were put aside are nothing.
    DiscardRecords,
    /// Makes issued documents.
    Materialise,
}

impl Operation {
    pub(super) fn draw(world: &World) -> Self {
        match world.below(100) {
            0..=34 => Operation::Round,
            35..=47 => Operation::Correct,
            48..=52 => Operation::Override,
            53 => Operation::DryRun,
            54..=60 => Operation::IssueDue,
            61..=69 => Operation::Issue,
            70..=73 => Operation::Discard,
            74..=76 => Operation::Credit,
            77 => Operation::Reference,
            78..=81 => Operation::Reprice,
            82 => Operation::Grant,
            83..=89 => Operation::DiscardRecords,
            _ => Operation::Materialise,
        }
    }

    /// The step under which faults are counted.
    pub(super) fn step(self) -> &'static str {
        match self {
            Operation::Round | Operation::Correct | Operation::Override | Operation::DryRun => "close",
            Operation::Materialise => "document",
            _ => "decide",
        }
    }
}

/// The closer's clock.
pub(super) fn now(world: &World, pid: usize) -> Instant {
    Instant(world.now.get() + world.crew.borrow()[pid].off_ms)
}

/// Does it.
pub(super) fn run(
    world: &Rc<World>,
    pid: usize,
    closer: &mut SimCloser,
    operation: Operation,
) -> Result<(), CloseError> {
    let at = now(world, pid);
    match operation {
        Operation::Round => round(world, closer, at),
        Operation::Correct => one_closed(world, closer, at, Mode::Close),
        Operation::Override => match due(closer, at)?.pop() {
            Some(period) => close(world, closer, &period, at, Mode::Override("r")),
            None => one_closed(world, closer, at, Mode::Override("r")),
        },
        Operation::DryRun => one_closed(world, closer, at, Mode::DryRun),
        Operation::IssueDue => closer.issue_due().map(|_| ()),
        Operation::Issue | Operation::Discard => draft(world, closer, operation),
        Operation::Credit | Operation::Reference => document(world, closer, operation),
        Operation::Reprice => reprice(world, closer),
        Operation::Grant => grant(world, closer),
        Operation::DiscardRecords => discard_records(world, closer),
        Operation::Materialise => closer.materialise().map(|_| ()),
    }
}

fn round(world: &Rc<World>, closer: &mut SimCloser, now: Instant) -> Result<(), CloseError> {
    for period in due(closer, now)?.into_iter().rev() {
        for earlier in stale(closer) {
            close(world, closer, &earlier, now, Mode::Close)?;
        }
        close(world, closer, &period, now, Mode::Close)?;
    }
    Ok(())
}

fn one_closed(world: &Rc<World>, closer: &mut SimCloser, now: Instant, mode: Mode<'_>) -> Result<(), CloseError> {
    closer.follow()?;
    let all = stale(closer);
    match all.is_empty() {
        true => Ok(()),
        false => close(world, closer, &all[world.below(all.len() as u64) as usize], now, mode),
    }
}

/// Closes a period. What is said to be closed has to be in the log.
pub(super) fn close(
    world: &World,
    closer: &mut SimCloser,
    period: &ProviderPeriod,
    now: Instant,
    mode: Mode<'_>,
) -> Result<(), CloseError> {
    let outcome = closer.close(period, now, mode)?;
    world.trace(|| {
        let holes: Vec<String> = outcome.holes().iter().map(Hole::to_string).collect();
        format!(
            "{} revision {:?}: {} {holes:?}",
            period.label,
            outcome.closing().map(|it| it.revision),
            outcome.as_str()
        )
    });
    if let Outcome::Closed(closing) = &outcome {
        let (broker, id) = (world.broker.borrow(), &closing.rating_id);
        let counted = world.plan.closing.map(|plan| Log::of(&plan, &broker)).unwrap_or_default();
        if !counted.closes.iter().any(|closed| closed.close.rating_id == *id) {
            world.fail(Broken::Wrong, format!("{id} is said to be closed, and no close that counts has that id"));
        }
    }
    Ok(())
}

fn draft(world: &World, closer: &mut SimCloser, operation: Operation) -> Result<(), CloseError> {
    let waiting = closer.waiting()?;
    if waiting.is_empty() {
        return Ok(());
    }
    let id = waiting[world.below(waiting.len() as u64) as usize].id.clone();
    match operation {
        Operation::Issue => closer.issue_draft(&id).map(|_| ()),
        _ => closer.discard_draft(&id, "r").map(|_| ()),
    }
}

fn document(world: &World, closer: &mut SimCloser, operation: Operation) -> Result<(), CloseError> {
    closer.follow()?;
    let numbers: Vec<String> = closer.register().issued().iter().map(|issued| issued.numbered.number.clone()).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let number = &numbers[world.below(numbers.len() as u64) as usize];
    if operation == Operation::Reference {
        return closer.reference(number, &format!("erp-{}", world.below(3))).map(|_| ());
    }
    let credited = match world.chance(500) {
        true => Credited::Whole,
        false => Credited::Rows(vec![(1, world.chance(500).then(|| "0.01".to_owned()))]),
    };
    closer.credit(number, &credited, "r").map(|_| ())
}

fn reprice(world: &World, closer: &mut SimCloser) -> Result<(), CloseError> {
    closer.follow()?;
    let all: Vec<Closed> = closer.register().newest_of(PROVIDER).cloned().collect();
    let books: Vec<String> = world.broker.borrow().books.iter().map(|book| book.hash.clone()).collect();
    if all.is_empty() {
        return Ok(());
    }
    let closed = &all[world.below(all.len() as u64) as usize];
    // with its own book nothing is altered
    let own = world.chance(400).then(|| closed.close.book.clone());
    let book = own.unwrap_or_else(|| books[world.below(books.len() as u64) as usize].clone());
    closer.reprice(&closed.close.period, &book, "r").map(|_| ())
}

fn grant(world: &World, closer: &mut SimCloser) -> Result<(), CloseError> {
    let (contract, id) = (["w", "c"][world.below(2) as usize].to_owned(), format!("credit-{}", world.below(3)));
    let amount = format!("{}.5", world.below(900));
    let grant = Grant { contract, customer: None, id, amount, expires: None, reference: "r".to_owned() };
    closer.decide(&Decision::CreditGranted { grant, actor: "a".to_owned() }).map(|_| ())
}

/// Decides that records which were put aside are nothing: those that there are, or one of them.
fn discard_records(world: &World, closer: &mut SimCloser) -> Result<(), CloseError> {
    let all = world.chance(700);
    for decision in discards(world).into_iter().take(if all { usize::MAX } else { 1 }) {
        closer.decide(&decision)?;
    }
    Ok(())
}

/// The decisions that discard what nobody has decided about.
pub(super) fn discards(world: &World) -> Vec<Decision> {
    let (broker, database) = (world.broker.borrow(), world.database.borrow());
    let unresolved = hole::all(&broker, &database, PROVIDER).into_iter().filter(|aside| aside.resolution.is_none());
    let discarded = |aside: hole::Aside<'_>| {
        let (stream, partition) = broker.of_place(aside.place);
        Decision::RecordDiscarded {
            stream: stream.rules.stream.clone(),
            partition,
            offset: Offset(aside.row.offset),
            raw_hash: String::new(),
            reason: "r".to_owned(),
            actor: "a".to_owned(),
        }
    };
    unresolved.map(discarded).collect()
}
