//! The identities that a partition remembers, so that nothing is accepted twice (I3).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::core::word::Instant;
use crate::mutation::{Mutation, planted};

/// Identities are xxh3-128 hashes already: hashing them again would only cost time.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u64(&mut self, half: u64) {
        self.0 ^= half;
    }
}

/// Two halves rather than a `u128`, whose alignment would cost 16 bytes an entry.
type Key = [u64; 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remembered {
    content: u64,
    /// The last log time at which the identity is remembered.
    until: i64,
}

/// What an identity means for a record that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not accepted while remembered.
    Never,
    /// Accepted before with the same content.
    Same,
    /// Accepted before with other content.
    Different,
}

/// Identities with the hash of their content, each until log time passes both its acceptance and its event time by the window.
#[derive(Clone, Debug, Default)]
pub struct IdentitySet {
    map: HashMap<KeyHash, Remembered, BuildHasherDefault<IdentityHasher>>,
    swept_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeyHash(Key);

impl std::hash::Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// Until which log time an identity is remembered: until it passes both its acceptance and its event time by the window.
#[must_use]
pub fn remembered_until(accepted: Instant, measured: Instant, window_ms: i64) -> Instant {
    let accepted = if planted(Mutation::EvictByEventTime) { measured } else { accepted };
    accepted.max(measured).plus_ms(window_ms)
}

/// Between sweeps log time must pass at least this many milliseconds, so that a sweep's cost is spread over an hour of log.
const SWEEP_EVERY_MS: i64 = 3_600_000;

impl IdentitySet {
    /// Whether the identity was accepted and is remembered at `log_time`; if not, it is remembered from here on `until` that log time,
    /// unless that is none. Membership is a matter of log time alone; when the memory of an entry is given back is not, and has no
    /// influence. One look at the table: it is far larger than the processor's caches.
    pub fn meet(&mut self, identity: u128, content: u64, log_time: Instant, until: Option<Instant>) -> Seen {
        match self.map.entry(key(identity)) {
            Entry::Occupied(entry) if log_time.0 <= entry.get().until => match entry.get().content == content {
                true => Seen::Same,
                false => Seen::Different,
            },
            entry => {
                if let Some(until) = until {
                    entry.insert_entry(Remembered { content, until: until.0 });
                }
                Seen::Never
            }
        }
    }

    /// Remembers an accepted identity, from the ledger. Rows come in any order; of an identity that was forgotten and accepted again
    /// the later acceptance counts, which is the one that is remembered longer.
    pub fn remember(&mut self, identity: u128, content: u64, until: Instant) {
        let entry = self.map.entry(key(identity)).or_insert(Remembered { content, until: until.0 });
        if entry.until < until.0 {
            *entry = Remembered { content, until: until.0 };
        }
    }

    /// Gives back the memory of what `log_time` has passed, now and then.
    pub fn sweep(&mut self, log_time: Instant) {
        if log_time.0.saturating_sub(self.swept_at) >= SWEEP_EVERY_MS {
            self.swept_at = log_time.0;
            self.map.retain(|_, entry| log_time.0 <= entry.until);
        }
    }

    /// Makes room for `additional` identities, to load without growing step by step.
    pub fn reserve(&mut self, additional: usize) {
        self.map.reserve(additional);
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Bytes of memory: an entry and one control byte for every slot of the table.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.map.capacity() * 8 / 7 * (size_of::<(KeyHash, Remembered)>() + 1)
    }
}

fn key(identity: u128) -> KeyHash {
    KeyHash([identity as u64, (identity >> 64) as u64])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: i64 = 1000;

    fn seen(set: &mut IdentitySet, identity: u128, content: u64, log_time: i64) -> Seen {
        set.meet(identity, content, Instant(log_time), None)
    }

    #[test]
    fn an_identity_is_remembered_until_both_its_times_are_passed_by_the_window() {
        let mut set = IdentitySet::default();
        let until = remembered_until(Instant(5_000), Instant(5_400), WINDOW);
        assert_eq!(set.meet(7, 1, Instant(5_000), Some(until)), Seen::Never);
        assert_eq!(seen(&mut set, 7, 1, 6_400), Seen::Same);
        assert_eq!(seen(&mut set, 7, 2, 6_400), Seen::Different);
        assert_eq!(seen(&mut set, 7, 1, 6_401), Seen::Never);
        assert_eq!(seen(&mut set, 8, 1, 0), Seen::Never);
        assert_eq!(set.meet(7, 2, Instant(6_401), Some(Instant(9_000))), Seen::Never, "forgotten, accepted anew");
        assert_eq!(seen(&mut set, 7, 2, 9_000), Seen::Same);
    }

    #[test]
    fn sweeping_has_no_influence_on_membership() {
        let mut set = IdentitySet::default();
        for i in 0..1000u128 {
            set.remember(i << 64 | i, 1, Instant(i as i64 * 10_000 + WINDOW));
        }
        let mut swept = set.clone();
        swept.sweep(Instant(5_000_000));
        assert!(swept.len() < set.len());
        for i in 0..1000u128 {
            let identity = i << 64 | i;
            assert_eq!(seen(&mut swept, identity, 1, 5_000_000), seen(&mut set, identity, 1, 5_000_000));
        }
    }

    #[test]
    fn of_an_identity_that_was_accepted_again_the_later_acceptance_counts_in_any_order() {
        let acceptances = [(1, Instant(6_000)), (2, Instant(7_200))];
        for order in [[0, 1], [1, 0]] {
            let mut set = IdentitySet::default();
            for place in order {
                set.remember(7, acceptances[place].0, acceptances[place].1);
            }
            assert_eq!((seen(&mut set, 7, 2, 6_100), seen(&mut set, 7, 2, 7_000)), (Seen::Same, Seen::Same));
        }
    }

    #[test]
    fn an_identity_costs_less_than_100_bytes_at_any_size() {
        let mut set = IdentitySet::default();
        for i in 0..300_000u128 {
            set.remember(xxhash_rust::xxh3::xxh3_128(&i.to_le_bytes()), 1, Instant(WINDOW));
            if i > 1000 {
                assert!(set.bytes() / set.len() <= 100, "{} bytes for {}", set.bytes(), set.len());
            }
        }
    }
}
