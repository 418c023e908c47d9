//! The memory of bodies: one bound for those of all requests, from their first byte to Kafka's acknowledgement.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Away;

/// Bytes that are counted as one.
const UNIT: usize = 1 << 10;

/// How many bytes may be held at once.
#[derive(Clone, Debug)]
pub struct Budget {
    free: Arc<Semaphore>,
    units: usize,
}

/// Bytes that are held; given back when this goes.
#[derive(Debug)]
pub struct Held {
    budget: Budget,
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// All of them free.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// Holds nothing yet.
    #[must_use]
    pub fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0, permit: None }
    }

    /// Bytes that are held now.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.units.saturating_sub(self.free.available_permits()) * UNIT
    }
}

impl Held {
    /// Holds so many more. Nobody waits for them: whoever holds some and waits for others would wait for ever.
    ///
    /// # Errors
    /// If they are not free.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Away> {
        let grown = self.bytes.saturating_add(bytes);
        let units = grown.div_ceil(UNIT) - self.bytes.div_ceil(UNIT);
        let units = u32::try_from(units).map_err(|_| Away::Full)?;
        let more = Arc::clone(&self.budget.free).try_acquire_many_owned(units).map_err(|_| Away::Full)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        self.bytes = grown;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_held_up_to_the_budget_and_given_back() {
        let budget = Budget::new(4 * UNIT);
        let mut first = budget.hold();
        first.grow(1).unwrap();
        first.grow(UNIT - 1).unwrap();
        assert_eq!(budget.held_bytes(), UNIT, "they fit into one unit");
        let mut second = budget.hold();
        second.grow(3 * UNIT).unwrap();
        assert_eq!(first.grow(1), Err(Away::Full));
        assert_eq!(budget.held_bytes(), 4 * UNIT);
        drop(second);
        first.grow(1).unwrap();
        drop(first);
        assert_eq!(budget.held_bytes(), 0);
    }
}
