//! Events that are not as they should be, or not for the first time.

use std::rc::Rc;

use super::broker::{Header, METERS, NO_HASH};
use super::fault::Fault;
use super::plan::MAX_READINGS;
use super::producer::{CUSTOMERS, MINUTE_MS, Producer, Waiting};
use super::random::Random;
use super::sent::{Flaw, Sent, SentReading};
use super::world::World;
use crate::core::decision::Decision;
use crate::core::ledger::digest::raw_hash;
use crate::core::word::{HOUR_MS, Offset, Partition, StreamId};

impl Producer {
    /// An event that is not as it should be, or not for the first time.
    pub(super) fn oddity(&mut self, world: &World, random: &mut Random) -> Waiting {
        let before = self.recent(random);
        match random.below(16) {
            0..=2 => self.routed_again(world, &before, Header::None),
            3 | 4 => self.delayed(world, random),
            5 | 6 => {
                let sent = self.corrected(&before, random);
                self.routed(world, sent)
            }
            7 | 8 => {
                let sent = self.conflicting(&before, random);
                self.routed(world, sent)
            }
            9 => self.misrouted(world, random),
            10 => {
                let sent = self.flawed(world, random);
                self.routed(world, sent)
            }
            11 | 12 => {
                let sent = self.at_an_edge(world, random);
                self.routed(world, sent)
            }
            13 => {
                let mut sent = self.poll(world, random);
                sent.provider = "q";
                self.routed(world, sent)
            }
            _ => self.under_a_decision(world, &before, random),
        }
    }

    /// One of the last events, mostly.
    fn recent(&self, random: &mut Random) -> Rc<Sent> {
        let back = random.pick(&[1, 2, 3, 6, 12, 1000]);
        let from = self.sent.len().saturating_sub(back);
        Rc::clone(&self.sent[from + random.below((self.sent.len() - from) as u64) as usize])
    }

    fn delayed(&mut self, world: &World, random: &mut Random) -> Waiting {
        let mut sent = self.poll(world, random);
        let most = random.pick(&[HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, 50 * HOUR_MS]);
        sent.time -= random.between(1, most / (5 * MINUTE_MS)) * 5 * MINUTE_MS;
        self.routed(world, sent)
    }

    /// The same instant once more under a new id, with other tags or values.
    fn corrected(&mut self, before: &Sent, random: &mut Random) -> Sent {
        let mut sent = before.clone();
        (sent.number, sent.flaw) = (self.sent.len(), None);
        let mut named = Vec::new();
        sent.readings.retain(|reading| {
            let name = (reading.resource, reading.meter);
            let is_new = !named.contains(&name);
            named.push(name);
            is_new
        });
        sent.readings.truncate(MAX_READINGS as usize);
        sent.id = format!("e{}", sent.number);
        let later = before.recorded.unwrap_or(before.time) + random.between(-2, 5) * MINUTE_MS;
        sent.recorded = random.pick(&[None, before.recorded, Some(later), Some(later)]);
        for reading in &mut sent.readings {
            reading.customer = random.pick(&CUSTOMERS);
            reading.value = if random.chance(500) { random.below(1000) } else { reading.value };
        }
        sent
    }

    /// The same id with other content.
    fn conflicting(&mut self, before: &Sent, random: &mut Random) -> Sent {
        let mut sent = self.corrected(before, random);
        sent.id.clone_from(&before.id);
        if random.chance(300) {
            sent.time += random.between(-3, 3) * 5 * MINUTE_MS;
        }
        sent
    }

    fn misrouted(&mut self, world: &World, random: &mut Random) -> Waiting {
        let sent = self.poll(world, random);
        let mut waiting = self.routed(world, sent);
        let broker = world.broker.borrow();
        let (stream, number) = broker.of_place(waiting.partition);
        let partitions = stream.rules.partitions;
        if partitions > 1 && random.chance(700) {
            waiting.partition = stream.first + (number.0 + 1) % partitions;
        } else {
            waiting.key = b"another".to_vec();
        }
        waiting
    }

    fn flawed(&mut self, world: &World, random: &mut Random) -> Sent {
        let mut sent = self.poll(world, random);
        let flaw = random.pick(&Flaw::ALL);
        let reading = SentReading { resource: "v0", meter: METERS[0].0, customer: Some("acme"), tier: None, value: 1 };
        sent.readings.insert(0, reading.clone());
        sent.readings.truncate(MAX_READINGS as usize - 1);
        match flaw {
            Flaw::Repeated => {
                sent.readings.retain(|other| (other.meter, other.resource) != (reading.meter, reading.resource));
                sent.readings.extend([reading.clone(), reading]);
            }
            Flaw::TooMany => sent.readings.resize(MAX_READINGS as usize + 1, reading),
            _ => {}
        }
        sent.readings.truncate(MAX_READINGS as usize + 1);
        sent.flaw = Some(flaw);
        sent
    }

    /// At the ends of what is accepted, to the millisecond, and far beyond them.
    fn at_an_edge(&mut self, world: &World, random: &mut Random) -> Sent {
        let mut sent = self.poll(world, random);
        let append = world.now.get() + world.broker.borrow().skew_ms;
        let rules = std::sync::Arc::clone(&world.broker.borrow().open().rules);
        let off = random.between(-1, 1);
        sent.time = match random.below(8) {
            0 => 86_400_000,
            1 => 4_070_908_800_000,
            2 | 3 => append + rules.future_limit_ms + off,
            4 => append - rules.acceptance_window_ms - random.between(0, 200) * MINUTE_MS,
            _ => append - rules.acceptance_window_ms + off,
        };
        sent
    }

    /// Sent again under a decision that is about it, about another event, about nothing, not made yet, or no number.
    fn under_a_decision(&mut self, world: &World, before: &Rc<Sent>, random: &mut Random) -> Waiting {
        world.note(Fault::Resent);
        let about = if random.chance(750) { Rc::clone(before) } else { self.recent(random) };
        let there = world.broker.borrow().control.len() as u64;
        let header = match random.below(12) {
            0 => Header::NotANumber,
            1 => {
                let offset = random.below(there);
                let hash = world.broker.borrow().control[offset as usize].hash;
                random.pick(&[
                    Header::Names(offset, hash),
                    Header::Names(offset + 1000, hash),
                    Header::NamesOffset(offset),
                ])
            }
            2 | 3 => {
                // the next decision will be about it, and the header says so before anybody can know its hash
                self.foretold = Some((there, Rc::clone(before)));
                random.pick(&[Header::Names(there, NO_HASH), Header::Names(there, NO_HASH), Header::NamesOffset(there)])
            }
            _ => {
                let decision = resent(world, &about);
                let offset = world.broker.borrow_mut().decide(decision, Some(about));
                Header::Names(offset, world.broker.borrow().control[offset as usize].hash)
            }
        };
        self.routed_again(world, before, header)
    }

    /// Makes the decision that a header has named already, if its offset is still the next.
    pub(super) fn fulfil(&mut self, world: &World) {
        let Some((offset, about)) = self.foretold.take() else { return };
        if world.broker.borrow().control.len() as u64 == offset {
            world.note(Fault::Foretold);
            world.trace(|| format!("decision {offset} is made about {}", about.id));
            let decision = resent(world, &about);
            world.broker.borrow_mut().decide(decision, Some(about));
        }
    }
}

/// Where an event lies first; if nowhere, where nothing ever does.
fn position(world: &World, about: &Sent) -> (StreamId, Partition, Offset) {
    let broker = world.broker.borrow();
    for (place, log) in (0..).zip(&broker.partitions) {
        if let Some(record) = log.records.iter().find(|record| record.sent.number == about.number) {
            let (stream, partition) = broker.of_place(place);
            return (stream.rules.stream.clone(), partition, Offset(record.offset));
        }
    }
    (world.plan.rules.stream.clone(), Partition(0), Offset(u64::MAX))
}

/// The decision to send an event again.
fn resent(world: &World, about: &Sent) -> Decision {
    let (stream, partition, offset) = position(world, about);
    Decision::RecordResent {
        stream,
        partition,
        offset,
        raw_hash: format!("{:032x}", raw_hash(&[], &about.value)),
        reason: "r".to_owned(),
        actor: "a".to_owned(),
        nonce: String::new(),
    }
}
