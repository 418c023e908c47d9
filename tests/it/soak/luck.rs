//! Chance that is a function of the seed: the same run draws the same numbers.

use plimsoll::load::random::{hash, mix_all};

/// A sequence of its own for each cycle.
pub struct Luck {
    seed: u64,
    cycle: u64,
    drawn: u64,
}

impl Luck {
    /// The sequence of a cycle.
    pub fn of(seed: u64, cycle: u64) -> Self {
        Self { seed, cycle, drawn: 0 }
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.drawn += 1;
        hash(self.seed, self.cycle, self.drawn) % end
    }

    /// The next number from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True once in `of` times.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// The number of a place that several coordinates name, whatever was drawn before.
pub fn at(coordinates: &[u64]) -> u64 {
    mix_all(coordinates)
}
