//! Whether the checkpoints of a provider's partitions reach past the end of a period (DESIGN §7).

use std::collections::BTreeMap;

use super::hole::Hole;
use crate::core::cut::{CutPoint, Stand};
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::mutation::{Mutation, planted};

/// Where the logs of open partitions end, as Kafka said after the period's grace.
pub type Ends = BTreeMap<(StreamId, Partition), Offset>;

/// The checkpoints that a close of one provider rests on: those of its own streams and of streams that are nobody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footing {
    /// The cut that they make, by stream and partition.
    pub cut: Vec<CutPoint>,
    /// Up to which decision, exclusive, all of them reflect the control log: a close's `after`. None if no open partition has one, which is
    /// a hole, unless [`Self::rest_on_decisions`] gives it.
    pub after: Option<Offset>,
    /// What keeps them from it.
    pub holes: Vec<Hole>,
}

/// Whether records of a provider can lie in a stream.
#[must_use]
pub fn may_hold(generation: &Generation, provider: &str) -> bool {
    generation.rules.provider.as_deref().is_none_or(|own| own == provider)
}

/// What the newest checkpoints say of a provider: each partition's log time has to be at `needs`, or its checkpoint at the end of its log.
#[must_use]
pub fn footing(streams: &StreamRegister, provider: &str, stands: &[Stand], ends: &Ends, needs: Instant) -> Footing {
    let mut footing = Footing::default();
    for generation in streams.all().filter(|generation| may_hold(generation, provider)) {
        for number in 0..generation.rules.partitions {
            let partition = Partition(number);
            let is_own =
                |stand: &&Stand| stand.point.stream == generation.rules.stream && stand.point.partition == partition;
            footing.add(generation, partition, stands.iter().find(is_own), ends, needs);
        }
    }
    footing.cut.sort();
    if footing.after.is_none() {
        let provider = provider.to_owned();
        let is_opened = streams.all().any(|generation| may_hold(generation, &provider));
        let is_empty = footing.is_untouched();
        footing.holes.push(match is_opened {
            true => Hole::NoCheckpoint { provider, is_empty },
            false => Hole::NoStream { provider },
        });
    }
    footing
}

impl Footing {
    /// Whether nothing was ever sent to a partition that may hold records of the provider, as far as decisions and ends say: there is no
    /// checkpoint, no record, and no generation that was closed.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let is_sent = |hole: &Hole| matches!(hole, Hole::Behind { .. } | Hole::Unfinished { .. });
        self.after.is_none() && self.cut.is_empty() && !self.holes.iter().any(is_sent)
    }

    /// Where nothing was ever sent a close rests on decisions alone, of which everything below `next` was read: its cut is empty, and there is
    /// no checkpoint that would have to reflect them. A stream that is opened meanwhile concerns the provider, and voids it. It is a hole
    /// only where contracts price usage, of which one would expect some.
    pub fn rest_on_decisions(&mut self, next: Offset, prices_usage: bool) {
        if !self.is_untouched() {
            return;
        }
        self.after = Some(next);
        if !prices_usage {
            self.holes.retain(|hole| !matches!(hole, Hole::NoStream { .. } | Hole::NoCheckpoint { .. }));
        }
    }

    fn add(
        &mut self,
        generation: &Generation,
        partition: Partition,
        stand: Option<&Stand>,
        ends: &Ends,
        needs: Instant,
    ) {
        let stream = generation.rules.stream.clone();
        let behind = |at, needs| Hole::Behind { stream: stream.clone(), partition, at, needs };
        if let Some(end) = generation.end(partition) {
            // what lies past the end is void, and the successor has metered its arrays again
            let next = stand.map_or(Offset(0), |stand| stand.point.offset);
            // what is recorded as lost is waited for in vain
            if generation.past_holes(partition, next).0 < end {
                self.holes.push(Hole::Unfinished { stream, partition, at: next, end });
            } else {
                // also of one that ends where it begins: its workers may have metered hours again before the first record
                self.cut.push(CutPoint { stream, partition, offset: end });
            }
            return;
        }
        let end = ends.get(&(stream.clone(), partition));
        let Some(stand) = stand else {
            // nothing was ever in it: idle partitions do not block. One that takes over from a generation before has its past to meter first
            let is_used = end != Some(&Offset(0)) || !generation.earlier.is_empty();
            if is_used && !planted(Mutation::UnfoldedIsIdle) {
                self.holes.push(behind(None, needs));
            }
            return;
        };
        if stand.log_time < needs && end != Some(&stand.point.offset) {
            self.holes.push(behind(Some(stand.log_time), needs));
        }
        let least = if planted(Mutation::LeastReadForgotten) { Offset::max } else { Offset::min };
        self.after = Some(self.after.map_or(stand.control, |after| least(after, stand.control)));
        let above = end.filter(|_| planted(Mutation::CutAboveCheckpoint));
        self.cut.push(CutPoint { offset: *above.unwrap_or(&stand.point.offset), ..stand.point.clone() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::decision::Decision;
    use crate::core::ledger::rules::StreamRules;
    use crate::core::ledger::sample::rules;

    const NEEDS: Instant = Instant(1_000);

    fn streams() -> StreamRegister {
        let opened = |stream: &str, provider: Option<&str>| {
            let rules = StreamRules { provider: provider.map(str::to_owned), partitions: 2, ..rules(stream) };
            Decision::StreamOpened { rules, closes: None, actor: String::new() }
        };
        StreamRegister::of(&[opened("own", Some("p")), opened("other", Some("q")), opened("shared", None)])
    }

    fn stand(stream: &str, partition: u32, offset: u64, log_time: i64, control: u64) -> Stand {
        let (stream, partition) = (StreamId(format!("{stream}-1")), Partition(partition));
        let point = CutPoint { stream, partition, offset: Offset(offset) };
        Stand { point, generation: 1, control: Offset(control), log_time: Instant(log_time) }
    }

    fn ends(all: &[(&str, u32, u64)]) -> Ends {
        let end = |(stream, partition, offset): &(&str, u32, u64)| {
            ((StreamId(format!("{stream}-1")), Partition(*partition)), Offset(*offset))
        };
        all.iter().map(end).collect()
    }

    #[test]
    fn idle_partitions_do_not_block_and_others_say_where_they_are() {
        let stands = [
            stand("own", 0, 7, 1_000, 5),
            // nothing came since, which its end says
            stand("own", 1, 9, 20, 4),
            // the same of another provider is nobody's business
            stand("other", 0, 1, 1, 1),
            stand("shared", 0, 3, 999, 6),
        ];
        let found =
            footing(&streams(), "p", &stands, &ends(&[("own", 1, 9), ("shared", 0, 4), ("shared", 1, 0)]), NEEDS);
        assert_eq!(found.after, Some(Offset(4)));
        assert_eq!(found.cut.iter().map(|point| point.offset.0).collect::<Vec<_>>(), [7, 9, 3]);
        let behind: Vec<_> = found.holes.iter().map(ToString::to_string).collect();
        assert_eq!(behind, ["partition 0 of shared-1 is at 1970-01-01T00:00:00.999Z, needs 1970-01-01T00:00:01Z"]);
    }

    #[test]
    fn where_nothing_was_ever_sent_a_close_rests_on_decisions() {
        let of = |streams: &StreamRegister, ends: &[(&str, u32, u64)], prices_usage: bool| {
            let mut found = footing(streams, "p", &[], &self::ends(ends), NEEDS);
            found.rest_on_decisions(Offset(7), prices_usage);
            assert!(found.cut.is_empty());
            let kinds: Vec<&str> = found.holes.iter().map(Hole::kind).collect();
            (found.after.map(|after| after.0), kinds.join(" "), found.holes.iter().all(Hole::is_waivable))
        };
        let told = |after, kinds: &str, is_waivable| (after, kinds.to_owned(), is_waivable);
        let empty = [("own", 0, 0), ("own", 1, 0), ("shared", 0, 0), ("shared", 1, 0)];
        let none = StreamRegister::default();
        assert_eq!(of(&none, &[], false), told(Some(7), "", true));
        assert_eq!(of(&none, &[], true), told(Some(7), "no_stream", true));
        assert_eq!(of(&streams(), &empty, false), told(Some(7), "", true));
        assert_eq!(of(&streams(), &empty, true), told(Some(7), "no_checkpoint", true));
        // something was sent, or may have been, and is not folded
        for ends in [&[("own", 0, 3), empty[1], empty[2], empty[3]][..], &empty[..3]] {
            assert_eq!(of(&streams(), ends, false), told(None, "behind no_checkpoint", false));
        }
        let mut reopened_once = streams();
        reopened(&mut reopened_once, [0, 0]);
        let mut found = footing(&reopened_once, "p", &[], &ends(&empty), NEEDS);
        found.rest_on_decisions(Offset(7), false);
        assert_eq!(found.after, None, "a generation that took over meters before it says anything");
    }

    proptest! {
        /// Whatever the streams, ends and checkpoints: on decisions alone rests what has neither a record nor a checkpoint, and nothing else
        /// changes by it.
        #[test]
        fn nothing_that_was_sent_is_passed_over(
            stands in prop::collection::vec((0..3usize, 0..2u32, 0..3u64), 0..3),
            logs in prop::collection::vec(prop::option::of(0..2u64), 6),
            opened in any::<bool>(),
        ) {
            let names = ["own", "other", "shared"];
            let stands: Vec<Stand> =
                stands.into_iter().map(|(of, partition, offset)| stand(names[of], partition, offset, 1_000, 5)).collect();
            let place = |number: usize| (names[number / 2], (number % 2) as u32);
            let known: Vec<(&str, u32, u64)> =
                logs.iter().enumerate().filter_map(|(at, end)| Some((place(at).0, place(at).1, (*end)?))).collect();
            let streams = if opened { streams() } else { StreamRegister::default() };
            let before = footing(&streams, "p", &stands, &ends(&known), NEEDS);
            let mut found = before.clone();
            found.rest_on_decisions(Offset(7), false);
            // by brute force: an end of 0 is what an empty log has, and what nobody knows may be anything
            let is_own = |name: &str| name != "other";
            let is_empty = !opened || (0..6).filter(|at| is_own(place(*at).0)).all(|at| {
                let (name, partition) = place(at);
                let is_there = |stand: &Stand| stand.point.stream.0 == format!("{name}-1") && stand.point.partition.0 == partition;
                logs[at] == Some(0) && !stands.iter().any(is_there)
            });
            if is_empty {
                prop_assert_eq!(found, Footing { cut: Vec::new(), after: Some(Offset(7)), holes: Vec::new() });
            } else {
                prop_assert_eq!(found, before);
            }
        }
    }

    #[test]
    fn a_generation_that_ended_where_it_began_is_in_the_cut() {
        let closed = streams().all().find(|generation| generation.rules.stream.0 == "own-1").map(|own| {
            let mut rules = (*own.rules).clone();
            (rules.stream, rules.topic, rules.generation) = (StreamId("own-2".to_owned()), "own-2".to_owned(), 2);
            let (stream, ends) = (own.rules.stream.clone(), vec![Offset(0), Offset(4)]);
            let closes = Some(crate::core::decision::stream::Closes { stream, ends, reason: String::new() });
            Decision::StreamOpened { rules, closes, actor: String::new() }
        });
        let mut streams = streams();
        streams.apply(&closed.unwrap());
        let found = footing(&streams, "p", &[stand("own", 1, 3, 1_000, 5)], &Ends::new(), NEEDS);
        let first = CutPoint { stream: StreamId("own-1".to_owned()), partition: Partition(0), offset: Offset(0) };
        assert_eq!(found.cut, [first]);
        assert!(found.holes.iter().any(|hole| hole.to_string() == "partition 1 of own-1 is at offset 3, needs 4"));
    }

    /// The stream `own` opened again, with two partitions that end as given.
    fn reopened(streams: &mut StreamRegister, ends: [u64; 2]) {
        let own = streams.all().find(|generation| generation.rules.stream.0 == "own-1");
        let mut rules = own.map(|own| (*own.rules).clone()).unwrap();
        let (stream, ends) = (rules.stream.clone(), ends.map(Offset).to_vec());
        (rules.stream, rules.topic, rules.generation) = (StreamId("own-2".to_owned()), "own-2".to_owned(), 2);
        let closes = Some(crate::core::decision::stream::Closes { stream, ends, reason: String::new() });
        streams.apply(&Decision::StreamOpened { rules, closes, actor: String::new() });
    }

    fn told(footing: &Footing) -> Vec<String> {
        footing.holes.iter().map(ToString::to_string).filter(|hole| hole.contains("own-")).collect()
    }

    #[test]
    fn a_partition_that_has_not_taken_over_what_a_generation_left_blocks_though_nothing_is_in_it() {
        let mut streams = streams();
        reopened(&mut streams, [4, 4]);
        let stands = [stand("own", 0, 4, 1_000, 5), stand("own", 1, 4, 1_000, 5)];
        let found = footing(&streams, "p", &stands, &ends(&[("own", 0, 0), ("own", 1, 0)]), NEEDS);
        let nothing = |number| format!("nothing of partition {number} of own-2 is folded, needs 1970-01-01T00:00:01Z");
        assert_eq!(told(&found), [nothing(0), nothing(1)]);
    }

    #[test]
    fn an_end_in_a_recorded_hole_is_reached_where_the_hole_begins() {
        let mut streams = streams();
        let (stream, reason, actor) = (StreamId("own-1".to_owned()), String::new(), String::new());
        let (partition, from, to) = (Partition(0), Offset(3), Offset(9));
        streams.apply(&Decision::OffsetsLost { stream, partition, from, to, reason, actor });
        reopened(&mut streams, [6, 4]);
        let of = |next| {
            let stands = [stand("own", 0, next, 1_000, 5), stand("own", 1, 4, 1_000, 5)];
            told(&footing(&streams, "p", &stands, &Ends::new(), NEEDS))
        };
        assert!(of(2).iter().any(|hole| hole == "partition 0 of own-1 is at offset 2, needs 6"));
        assert!(!of(3).iter().any(|hole| hole.contains("own-1")), "{:?}", of(3));
    }

    #[test]
    fn a_partition_of_which_nothing_is_folded_blocks_once_something_is_in_it() {
        let stands = [stand("own", 0, 7, 1_000, 5), stand("own", 1, 7, 1_000, 5), stand("shared", 0, 7, 1_000, 5)];
        let of = |end| footing(&streams(), "p", &stands, &ends(&[("shared", 1, end)]), NEEDS).holes.len();
        assert_eq!([0, 1].map(of), [0, 1]);
        assert_eq!(footing(&streams(), "p", &stands, &Ends::new(), NEEDS).holes.len(), 1, "an unknown end is none");
    }
}
