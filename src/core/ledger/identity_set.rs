//! The identities that a partition remembers, so that nothing is accepted twice (I3).

use super::identity_shard::{Remembered, Shard};
use crate::core::word::Instant;
use crate::mutation::{Mutation, planted};

/// Tables that the identities are spread over by their first byte. One of them is made anew at a time, be it to grow or to forget: with
/// 30 million identities that is 117,000 entries, some milliseconds.
const SHARDS: usize = 256;

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
#[derive(Clone, Debug)]
pub struct IdentitySet {
    shards: Box<[Shard]>,
    /// Which shard is swept next, and the log time at which the last one was.
    next_sweep: usize,
    swept_at: i64,
}

impl Default for IdentitySet {
    fn default() -> Self {
        Self { shards: vec![Shard::default(); SHARDS].into_boxed_slice(), next_sweep: 0, swept_at: 0 }
    }
}

/// Until which log time an identity is remembered: until it passes both its acceptance and its event time by the window.
#[must_use]
pub fn remembered_until(accepted: Instant, measured: Instant, window_ms: i64) -> Instant {
    let accepted = if planted(Mutation::EvictByEventTime) { measured } else { accepted };
    accepted.max(measured).plus_ms(window_ms)
}

/// Between sweeps of two shards log time must pass at least this many milliseconds: all of them are swept in six hours of log. What
/// grows meanwhile forgets by itself.
const SWEEP_EVERY_MS: i64 = 6 * 3_600_000 / SHARDS as i64;

impl IdentitySet {
    /// Whether the identity was accepted and is remembered at `log_time`; if not, it is remembered from here on `until` that log time,
    /// unless that is none. Membership is a matter of log time alone; when the memory of an entry is given back is not, and has no
    /// influence. One look at the table: it is far larger than the processor's caches.
    pub fn meet(&mut self, identity: u128, content: u64, log_time: Instant, until: Option<Instant>) -> Seen {
        let shard = &mut self.shards[shard_of(identity)];
        let place = shard.find(identity);
        if place.is_taken {
            let known = shard.get(place);
            if log_time.0 <= known.until {
                return if known.content == content { Seen::Same } else { Seen::Different };
            }
        }
        if let Some(until) = until {
            let remembered = Remembered { content, until: until.0 };
            match place.is_taken {
                true => shard.set(place, identity, remembered),
                false => shard.insert(place, identity, remembered, log_time.0),
            }
        }
        Seen::Never
    }

    /// Remembers an accepted identity, from the ledger. Rows come in any order; of an identity that was forgotten and accepted again
    /// the later acceptance counts, which is the one that is remembered longer.
    pub fn remember(&mut self, identity: u128, content: u64, until: Instant) {
        let shard = &mut self.shards[shard_of(identity)];
        let remembered = Remembered { content, until: until.0 };
        let place = shard.find(identity);
        if !place.is_taken {
            shard.insert(place, identity, remembered, i64::MIN);
        } else if shard.get(place).until < until.0 {
            shard.set(place, identity, remembered);
        }
    }

    /// Gives back the memory of what `log_time` has passed: of one shard now and then.
    pub fn sweep(&mut self, log_time: Instant) {
        if log_time.0.saturating_sub(self.swept_at) >= SWEEP_EVERY_MS {
            self.swept_at = log_time.0;
            self.shards[self.next_sweep].sweep(log_time.0);
            self.next_sweep = (self.next_sweep + 1) % SHARDS;
        }
    }

    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.bytes() + size_of::<Shard>()).sum()
    }
}

fn shard_of(identity: u128) -> usize {
    (identity >> 120) as usize
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

    fn identity(number: u64) -> u128 {
        xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes())
    }

    /// The same answers as a map that forgets nothing, whatever comes in whatever order.
    #[test]
    fn it_answers_as_a_plain_map_does() {
        let mut set = IdentitySet::default();
        let mut map: std::collections::HashMap<u128, (u64, i64)> = std::collections::HashMap::new();
        let mut log_time = 0;
        for step in 0..200_000u64 {
            let draw = identity(step ^ 0xF00D) as u64;
            // some identities lie close together, as no hash would have them
            let one = match draw % 5 {
                0 => u128::from(draw % 700),
                1 => u128::MAX - u128::from(draw % 300),
                _ => identity(draw % 60_000),
            };
            let (content, life) = (draw >> 20 & 1, (draw >> 30) as i64 % 2_000_000);
            log_time += (draw >> 40) as i64 % 400;
            let until = (draw >> 24 & 3 > 0).then_some(Instant(log_time + life));
            let known = map.get(&one).filter(|(_, until)| log_time <= *until).map(|(known, _)| *known == content);
            let wanted = match known {
                Some(true) => Seen::Same,
                Some(false) => Seen::Different,
                None => Seen::Never,
            };
            set.sweep(Instant(log_time));
            assert_eq!(set.meet(one, content, Instant(log_time), until), wanted, "step {step}");
            if let (Seen::Never, Some(until)) = (wanted, until) {
                map.insert(one, (content, until.0));
            }
        }
        let remembered = map.values().filter(|(_, until)| log_time <= *until).count();
        assert!(set.len() >= remembered && set.len() < map.len(), "{} {remembered} {}", set.len(), map.len());
    }

    #[test]
    fn an_identity_costs_at_most_40_bytes_and_no_table_is_large() {
        let mut set = IdentitySet::default();
        let mut greatest = 0;
        for number in 0..1_000_000u64 {
            set.remember(identity(number), 1, Instant(WINDOW));
            if number % 997 == 0 {
                let most = if number < 100_000 { 64 * 1024 + 64 * number } else { 40 * number };
                assert!(set.bytes() as u64 <= most, "{} bytes for {number}", set.bytes());
                greatest = greatest.max(set.shards.iter().map(Shard::len).max().unwrap());
            }
        }
        assert!(greatest < 1_000_000 / SHARDS * 5 / 4, "identities are spread evenly: {greatest}");
    }

    #[test]
    fn what_was_swept_gives_its_memory_back() {
        let mut set = IdentitySet::default();
        (0..100_000u64).for_each(|number| set.remember(identity(number), 1, Instant(number as i64)));
        let full = set.bytes();
        for minute in 0..SHARDS as i64 {
            set.sweep(Instant(90_000 + minute * 90_000));
        }
        assert!(set.len() < 1_000 && set.bytes() < full / 10, "{} left in {}", set.len(), set.bytes());
    }
}
