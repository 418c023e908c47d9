//! Which closes are proved and which are next. One whose proof ends in an error goes to the end, and is tried again after a wait that grows:
//! it holds up none of the others.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant as Moment};

/// After a first proof that ended in an error; after each further one of the same close twice as long.
const AGAIN_FIRST: Duration = Duration::from_secs(60);
/// The longest such wait.
const AGAIN_MAX: Duration = Duration::from_secs(3_600);

/// A close whose proof ended in an error.
struct Failed {
    wait: Duration,
    again: Moment,
}

/// The closes that this process has looked at, by rating id.
#[derive(Default)]
pub(super) struct Proofs {
    done: HashSet<String>,
    failed: HashMap<String, Failed>,
}

impl Proofs {
    /// The close to prove next: the first of which nothing is known, else the one whose wait ended first; none while all wait.
    pub(super) fn next<'c>(&self, closes: impl Iterator<Item = &'c String>, now: Moment) -> Option<&'c String> {
        let mut waited: Option<(Moment, &String)> = None;
        for id in closes.filter(|id| !self.done.contains(*id)) {
            let Some(failed) = self.failed.get(id) else { return Some(id) };
            if failed.again <= now && waited.is_none_or(|(first, _)| failed.again < first) {
                waited = Some((failed.again, id));
            }
        }
        waited.map(|(_, id)| id)
    }

    /// A close needs no proof by this process any more.
    pub(super) fn settle(&mut self, id: String) {
        self.failed.remove(&id);
        self.done.insert(id);
    }

    /// The proof of a close ended in an error. How long it waits.
    pub(super) fn fail(&mut self, id: String, now: Moment) -> Duration {
        let wait = self.failed.get(&id).map_or(AGAIN_FIRST, |failed| (failed.wait * 2).min(AGAIN_MAX));
        self.failed.insert(id, Failed { wait, again: now + wait });
        wait
    }

    /// How many closes have a proof that ended in an error.
    pub(super) fn failing(&self) -> usize {
        self.failed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is proved in rounds of so many seconds, if the proof of `a` always ends in an error.
    fn rounds(count: u32, every: Duration) -> Vec<(u32, String)> {
        let closes = ["a", "b", "c"].map(str::to_owned);
        let (mut proofs, start, mut told) = (Proofs::default(), Moment::now(), Vec::new());
        for round in 0..count {
            let now = start + every * round;
            let Some(id) = proofs.next(closes.iter(), now).cloned() else { continue };
            told.push((round, id.clone()));
            match id.as_str() {
                "a" => {
                    proofs.fail(id, now);
                }
                _ => proofs.settle(id),
            }
            assert_eq!(proofs.failing(), 1);
        }
        told
    }

    #[test]
    fn a_proof_that_cannot_be_made_holds_up_no_other_and_waits_longer_each_time() {
        let told = rounds(60, Duration::from_secs(10));
        let told: Vec<(u32, &str)> = told.iter().map(|(round, id)| (*round, id.as_str())).collect();
        assert_eq!(told, [(0, "a"), (1, "b"), (2, "c"), (6, "a"), (18, "a"), (42, "a")]);
    }

    #[test]
    fn a_wait_is_no_longer_than_its_limit() {
        let (mut proofs, now) = (Proofs::default(), Moment::now());
        let waits: Vec<u64> = (0..9).map(|_| proofs.fail("a".to_owned(), now).as_secs()).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        proofs.settle("a".to_owned());
        assert_eq!(proofs.failing(), 0);
    }
}
