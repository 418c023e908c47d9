//! Everything that one schedule runs in: time, chance, the broker, the database and the processes. One thread, no I/O.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::broker::Broker;
use super::closing::Billing;
use super::database::Database;
use super::fault::{Coverage, Fault};
use super::plan::Plan;
use super::process::Process;
use super::random::Random;
use crate::fold::error::SeamError;

/// What a broken promise is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A record without a row.
    Lost,
    /// Two rows where one is due, or an identity that was accepted twice.
    Doubled,
    /// Another disposition or another figure than is due, or no end of the work.
    Wrong,
}

/// Why a schedule failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which promise.
    pub broken: Broken,
    /// What was found.
    pub text: String,
}

/// The world of one schedule.
pub(super) struct World {
    pub(super) plan: Plan,
    /// Milliseconds since 1970.
    pub(super) now: Rc<Cell<i64>>,
    pub(super) random: RefCell<Random>,
    pub(super) broker: RefCell<Broker>,
    pub(super) database: RefCell<Database>,
    /// What followers of the topic of documents were told.
    pub(super) billing: RefCell<Billing>,
    pub(super) crew: RefCell<Vec<Process>>,
    /// Whether faults have ended.
    pub(super) healed: Cell<bool>,
    /// Whether the store is away for a while.
    pub(super) outage: Cell<bool>,
    /// The step that a machine takes now.
    pub(super) step: Cell<&'static str>,
    /// Whether a process works between two calls of another's step.
    pub(super) nested: Cell<bool>,
    pub(super) coverage: RefCell<Coverage>,
    failure: RefCell<Option<Failure>>,
    trace: Option<RefCell<Vec<String>>>,
}

impl World {
    pub(super) fn new(plan: Plan, random: Random, with_trace: bool) -> Rc<Self> {
        let now = Rc::new(Cell::new(plan.start_ms));
        let broker = Broker::new(&plan, Rc::clone(&now));
        Rc::new(Self {
            now,
            random: RefCell::new(random),
            broker: RefCell::new(broker),
            database: RefCell::default(),
            billing: RefCell::default(),
            crew: RefCell::default(),
            healed: Cell::new(false),
            outage: Cell::new(false),
            step: Cell::new("-"),
            nested: Cell::new(false),
            coverage: RefCell::default(),
            failure: RefCell::default(),
            trace: with_trace.then(RefCell::default),
            plan,
        })
    }

    pub(super) fn chance(&self, per_mille: u64) -> bool {
        self.random.borrow_mut().chance(per_mille)
    }

    pub(super) fn below(&self, end: u64) -> u64 {
        self.random.borrow_mut().below(end)
    }

    pub(super) fn between(&self, first: i64, last: i64) -> i64 {
        self.random.borrow_mut().between(first, last)
    }

    pub(super) fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    /// Counts a fault where it struck.
    pub(super) fn note(&self, fault: Fault) {
        self.coverage.borrow_mut().note(self.step.get(), fault);
        self.trace(|| format!("fault: {} (step {})", fault.name(), self.step.get()));
    }

    /// Writes a line of the trace, if one is wanted.
    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(format!("{:>14} {}", self.now.get() - self.plan.start_ms, line()));
        }
    }

    /// States that a promise is broken. The first finding counts.
    pub(super) fn fail(&self, broken: Broken, text: String) {
        self.trace(|| format!("{broken:?}: {text}"));
        self.failure.borrow_mut().get_or_insert(Failure { broken, text });
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.failure.borrow_mut().take()
    }

    pub(super) fn take_trace(&self) -> Vec<String> {
        self.trace.as_ref().map(RefCell::take).unwrap_or_default()
    }
}

/// What becomes of an insert, and what its process hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    pub(super) landed: Landed,
    pub(super) answer: Answer,
}

/// How much of an insert is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landed {
    Whole,
    Half,
    Nothing,
    Later,
}

/// What the process hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Acknowledged,
    Error,
    Death,
}

/// A process's way into the world.
#[derive(Clone)]
pub(super) struct Seam {
    pub(super) world: Rc<World>,
    pub(super) pid: usize,
}

impl std::fmt::Debug for Seam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

impl Seam {
    /// A call that changes nothing: the process may die before it, or get no answer, or others may work meanwhile.
    pub(super) fn call(&self, away: Fault) -> Result<(), SeamError> {
        let world = &self.world;
        self.alive()?;
        if away == Fault::StoreAway && world.outage.get() {
            return Err(SeamError::retryable("the store is away"));
        }
        if world.healed.get() {
            return Ok(());
        }
        if world.chance(world.plan.crash) {
            return Err(self.die(Fault::CrashBefore));
        }
        if world.chance(world.plan.away) {
            world.note(away);
            return Err(SeamError::retryable("no answer"));
        }
        if world.chance(world.plan.torn) {
            super::process::interleave(world, self.pid);
        }
        self.alive()
    }

    /// What becomes of an insert that is about to be sent.
    pub(super) fn insert(&self) -> Result<Landing, SeamError> {
        use {Answer::*, Landed::*};
        self.call(Fault::StoreAway)?;
        let world = &self.world;
        if world.healed.get() || !world.chance(world.plan.insert) {
            return Ok(Landing { landed: Whole, answer: Acknowledged });
        }
        let (landed, answer, fault) = world.random.borrow_mut().pick(&[
            (Nothing, Error, Fault::InsertFails),
            (Half, Error, Fault::InsertHalf),
            (Whole, Error, Fault::AckLost),
            (Later, Error, Fault::InsertLater),
            (Half, Death, Fault::CrashMidway),
            (Whole, Death, Fault::CrashAfter),
            (Later, Death, Fault::CrashInFlight),
        ]);
        world.note(fault);
        Ok(Landing { landed, answer })
    }

    /// What the process hears of an insert.
    pub(super) fn hear(&self, answer: Answer) -> Result<(), SeamError> {
        match answer {
            Answer::Acknowledged => Ok(()),
            Answer::Error => Err(SeamError::retryable("the insert was not acknowledged")),
            Answer::Death => Err(self.kill()),
        }
    }

    fn die(&self, fault: Fault) -> SeamError {
        self.world.note(fault);
        self.kill()
    }

    fn kill(&self) -> SeamError {
        self.world.trace(|| format!("process {} dies", self.pid));
        self.world.crew.borrow_mut()[self.pid].dead = true;
        SeamError::refused("the process is dead")
    }

    fn alive(&self) -> Result<(), SeamError> {
        match self.world.crew.borrow()[self.pid].dead {
            true => Err(SeamError::refused("the process is dead")),
            false => Ok(()),
        }
    }
}
