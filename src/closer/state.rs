//! A closer: what it has read of the control log, and its ways to the log and the database.

use std::collections::HashSet;

use super::error::CloseError;
use super::seam::{BillLog, BillStore};
use crate::core::billing::version::{RateVersion, VERSIONS};
use crate::core::closing::register::Register;
use crate::core::decision::Decision;
use crate::core::word::Offset;

/// One closer.
pub struct Closer<L, S> {
    pub(super) log: L,
    pub(super) store: S,
    pub(super) register: Register,
    /// Who decides, for the record.
    pub(super) actor: String,
    pub(super) versions: &'static [RateVersion],
    /// Closes of which all drafts are issued or discarded: they are not looked at again.
    pub(super) done: HashSet<String>,
    /// How many decisions the stored row of each number reflects, in the order of the log.
    pub(super) reflected: Vec<u64>,
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// A closer that has read nothing yet.
    #[must_use]
    pub fn new(log: L, store: S, actor: String) -> Self {
        let (register, done) = (Register::default(), HashSet::new());
        Self { log, store, register, actor, versions: VERSIONS, done, reflected: Vec::new() }
    }

    /// The same with other versions of rating, of which the last one rates what is not closed yet.
    #[must_use]
    pub fn with_versions(self, versions: &'static [RateVersion]) -> Self {
        Self { versions, ..self }
    }

    /// Decides from now on in somebody else's name.
    pub fn act_as(&mut self, actor: String) {
        self.actor = actor;
    }

    /// Reads the control log to its end.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub fn follow(&mut self) -> Result<(), CloseError> {
        let register = &mut self.register;
        let from = register.next();
        Ok(self.log.read(from, &mut |offset, at, decision| register.take(offset, at, decision))?)
    }

    /// What the log makes of periods, drafts and numbers, as far as it was read.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Its way to the database.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Appends a decision and reads the log to its end, so that what became of it is known; and where it lies.
    ///
    /// # Errors
    /// Retryable while the broker is away: it may be there or not.
    pub fn decide(&mut self, decision: &Decision) -> Result<Offset, CloseError> {
        let at = self.log.append(decision)?;
        self.follow()?;
        Ok(at)
    }
}
