//! What decisions say of streams: which generations there are, where the closed ones end, and which offsets were lost.
//!
//! Pure and in log order, so every process that has read the control log up to one offset says the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Offset, Partition, StreamId};

/// The generation that another one closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closes {
    /// The stream that ends.
    pub stream: StreamId,
    /// Where each of its partitions ends, exclusive: records past that are void.
    pub ends: Vec<Offset>,
    /// Why.
    pub reason: String,
}

/// Offsets of a partition that are not folded and never will be. It begins at what was due: what lies below was folded, and stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The partition.
    pub partition: Partition,
    /// The first lost offset.
    pub from: Offset,
    /// Folding goes on here.
    pub to: Offset,
}

/// One generation of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its rules.
    pub rules: Arc<StreamRules>,
    /// Where its partitions end, once it is closed.
    pub ends: Option<Vec<Offset>>,
    /// Recorded holes, in the order of their decisions.
    pub holes: Vec<Hole>,
    /// The generations before it, the first one first; each is closed.
    pub earlier: Arc<[Generation]>,
}

impl Generation {
    /// A generation that nothing is decided of but that it is open.
    #[must_use]
    pub fn first(rules: Arc<StreamRules>) -> Self {
        Self { rules, ends: None, holes: Vec::new(), earlier: Arc::default() }
    }

    /// Where a partition ends; none while the generation is open. A partition that the rules do not know ends before it begins.
    #[must_use]
    pub fn end(&self, partition: Partition) -> Option<Offset> {
        let ends = self.ends.as_ref()?;
        Some(ends.get(partition.0 as usize).copied().unwrap_or_default())
    }

    /// The recorded holes of a partition.
    pub fn holes(&self, partition: Partition) -> impl Iterator<Item = &Hole> {
        self.holes.iter().filter(move |hole| hole.partition == partition)
    }

    /// Where folding goes on if `next` is due, and whether a recorded hole said so. A hole that is empty says it too: that what lies
    /// below is not what the log has now.
    #[must_use]
    pub fn past_holes(&self, partition: Partition, next: Offset) -> (Offset, bool) {
        let (mut at, mut recorded) = (next, false);
        while let Some(hole) = self.holes(partition).find(|hole| hole.from <= at && at < hole.to) {
            (at, recorded) = (hole.to, true);
        }
        (at, recorded || self.holes(partition).any(|hole| hole.from == next))
    }

    /// Whether the record at a position is void: past the end of its generation, or in a recorded hole.
    #[must_use]
    pub fn is_void(&self, partition: Partition, offset: Offset) -> bool {
        self.end(partition).is_some_and(|end| offset >= end)
            || self.holes(partition).any(|hole| hole.from <= offset && offset < hole.to)
    }

    /// The name under which the stream was opened first: its id is this and the generation.
    #[must_use]
    pub fn base(&self) -> &str {
        let first = self.earlier.first().map_or(&self.rules, |first| &first.rules);
        first.stream.0.strip_suffix("-1").unwrap_or(&first.topic)
    }
}

/// All generations of all streams.
#[derive(Clone, Debug, Default)]
pub struct StreamRegister {
    generations: Vec<Arc<Generation>>,
}

impl StreamRegister {
    /// What decisions in log order make.
    #[must_use]
    pub fn of<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> Self {
        let mut register = Self::default();
        decisions.into_iter().for_each(|decision| register.apply(decision));
        register
    }

    /// Takes in the next decision. One that cannot be (a second reopening of the same generation, a hole in a closed one or over
    /// another hole) is void: the log settles who was first.
    pub fn apply(&mut self, decision: &Decision) {
        match decision {
            Decision::StreamOpened { rules, closes: None, .. } if !self.is_taken(rules) => {
                self.generations.push(Arc::new(Generation::first(Arc::new(rules.clone()))));
            }
            Decision::StreamOpened { rules, closes: Some(closes), .. } => self.reopen(rules, closes),
            Decision::OffsetsLost { stream, partition, from, to, .. } if from <= to => {
                let open = self.generations.iter_mut().find(|open| open.rules.stream == *stream);
                let open = open.filter(|open| open.ends.is_none() && partition.0 < open.rules.partitions);
                let overlaps =
                    |open: &Generation| open.holes(*partition).any(|hole| hole.from < *to && *from < hole.to);
                if let Some(open) = open.filter(|open| !overlaps(open)) {
                    Arc::make_mut(open).holes.push(Hole { partition: *partition, from: *from, to: *to });
                }
            }
            _ => {}
        }
    }

    fn is_taken(&self, rules: &StreamRules) -> bool {
        let same = |other: &Arc<Generation>| other.rules.stream == rules.stream || other.rules.topic == rules.topic;
        self.generations.iter().any(same)
    }

    fn reopen(&mut self, rules: &StreamRules, closes: &Closes) {
        if self.is_taken(rules) {
            return;
        }
        let Some(old) = self.generations.iter_mut().find(|old| old.rules.stream == closes.stream) else { return };
        let fits = old.ends.is_none()
            && rules.generation == old.rules.generation + 1
            && rules.provider == old.rules.provider
            && closes.ends.len() == old.rules.partitions as usize;
        if fits {
            Arc::make_mut(old).ends = Some(closes.ends.clone());
            let earlier = old.earlier.iter().chain([&**old]).cloned().collect();
            let rules = Arc::new(rules.clone());
            self.generations.push(Arc::new(Generation { earlier, ..Generation::first(rules) }));
        }
    }

    /// All generations, in the order in which they were opened.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.generations.iter()
    }

    /// The generations that are open, in the order in which they were opened.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.all().filter(|generation| generation.ends.is_none())
    }

    /// The generation of this id.
    #[must_use]
    pub fn get(&self, stream: &StreamId) -> Option<&Arc<Generation>> {
        self.all().find(|generation| generation.rules.stream == *stream)
    }

    /// The open generation in which a stream goes on: itself, or the one after all that closed it.
    #[must_use]
    pub fn now(&self, stream: &StreamId) -> Option<&Arc<Generation>> {
        self.open().find(|open| {
            open.rules.stream == *stream || open.earlier.iter().any(|earlier| earlier.rules.stream == *stream)
        })
    }

    /// The open generation that a person means: by stream id, by topic, or by the name under which the stream was opened first.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Generation>> {
        let by_id = self.open().find(|open| open.rules.stream.0 == name);
        by_id.or_else(|| self.open().find(|open| open.rules.topic == name || open.base() == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ledger::sample;

    fn rules(stream: &str, topic: &str, generation: u32, partitions: u32) -> StreamRules {
        StreamRules { stream: StreamId(stream.to_owned()), generation, partitions, ..sample::rules(topic) }
    }

    fn opened(rules: StreamRules, closes: Option<(&str, &[u64])>) -> Decision {
        let closes = closes.map(|(stream, ends)| Closes {
            stream: StreamId(stream.to_owned()),
            ends: ends.iter().map(|end| Offset(*end)).collect(),
            reason: "r".to_owned(),
        });
        Decision::StreamOpened { rules, closes, actor: "a".to_owned() }
    }

    fn lost(stream: &str, partition: u32, from: u64, to: u64) -> Decision {
        let (stream, partition) = (StreamId(stream.to_owned()), Partition(partition));
        let (reason, actor) = ("r".to_owned(), "a".to_owned());
        Decision::OffsetsLost { stream, partition, from: Offset(from), to: Offset(to), reason, actor }
    }

    #[test]
    fn of_two_reopenings_the_first_counts() {
        let log = [
            opened(rules("usage-1", "usage", 1, 2), None),
            opened(rules("usage-2", "usage-2", 2, 3), Some(("usage-1", &[5, 7]))),
            opened(rules("usage-2", "elsewhere", 2, 4), Some(("usage-1", &[9, 9]))),
            lost("usage-1", 0, 5, 8),
        ];
        let register = StreamRegister::of(&log);
        let open: Vec<&str> = register.open().map(|open| &*open.rules.stream.0).collect();
        assert_eq!(open, ["usage-2"]);
        let first = register.get(&StreamId("usage-1".to_owned())).unwrap();
        assert_eq!((first.end(Partition(0)), first.end(Partition(1))), (Some(Offset(5)), Some(Offset(7))));
        assert_eq!(first.end(Partition(2)), Some(Offset(0)), "a partition too many is void from its beginning");
        assert_eq!(first.holes, [], "a closed generation loses nothing any more");
        assert!(first.is_void(Partition(1), Offset(7)) && !first.is_void(Partition(1), Offset(6)));
        let now = register.now(&first.rules.stream).unwrap();
        assert_eq!((now.rules.partitions, now.earlier.len(), now.base()), (3, 1, "usage"));
        for name in ["usage", "usage-2"] {
            assert_eq!(register.named(name).unwrap().rules.stream.0, "usage-2");
        }
        assert!(register.named("usage-1").is_none(), "what is closed is not meant");
    }

    #[test]
    fn ends_that_do_not_fit_open_nothing() {
        let first = opened(rules("usage-1", "usage", 1, 2), None);
        for (generation, ends) in [(2, &[5][..]), (3, &[5, 7]), (1, &[5, 7])] {
            let second = opened(rules("usage-2", "usage-2", generation, 3), Some(("usage-1", ends)));
            let register = StreamRegister::of(&[first.clone(), second]);
            let open: Vec<u32> = register.open().map(|open| open.rules.generation).collect();
            assert_eq!(open, [1], "{generation} {ends:?}");
        }
    }

    #[test]
    fn what_is_due_in_a_recorded_hole_is_what_follows_it() {
        let log = [
            opened(rules("usage-1", "usage", 1, 2), None),
            lost("usage-1", 1, 10, 20),
            lost("usage-1", 1, 20, 25),
            lost("usage-1", 1, 40, 40),
            lost("usage-1", 1, 22, 30),
        ];
        let register = StreamRegister::of(&log);
        let stream = register.named("usage").unwrap();
        let past = |next| stream.past_holes(Partition(1), Offset(next));
        assert_eq!(past(9), (Offset(9), false));
        assert_eq!(past(10), (Offset(25), true));
        assert_eq!(past(15), (Offset(25), true));
        assert_eq!(past(25), (Offset(25), false), "what overlaps a hole does not count");
        assert_eq!(past(40), (Offset(40), true), "nothing is lost, and the log below is another one");
        assert_eq!(stream.past_holes(Partition(0), Offset(10)), (Offset(10), false));
        assert!(stream.is_void(Partition(1), Offset(10)) && !stream.is_void(Partition(1), Offset(25)));
    }

    #[test]
    fn a_record_of_before_reopening_existed_is_still_read() {
        let old = r#"{"kind":"StreamOpened","rules":{"stream":"usage-1","topic":"usage","generation":1,"partitions":2,"provider":null,"acceptance_window_ms":1,"future_limit_ms":1,"max_event_bytes":1,"max_event_readings":1,"max_id_bytes":1,"fold_version":1},"actor":"a"}"#;
        let read: Decision = serde_json::from_str(old).unwrap();
        assert_eq!(read, opened(rules("usage-1", "usage", 1, 2), None));
        assert_eq!(serde_json::to_string(&read).unwrap(), old, "and written as before");
    }
}
