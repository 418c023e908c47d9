//! Producers and operators: polls of arrays with every oddity that the ledger has a name for, books, and records sent again.

use std::rc::Rc;

use super::broker::{Header, METERS, SimStream};
use super::fault::Fault;
use super::plan::MAX_READINGS;
use super::random::Random;
use super::sent::{Sent, SentReading};
use super::world::World;
use crate::core::event::partition_of;

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const CUSTOMERS: [Option<&str>; 4] = [None, Some("acme"), Some("globex"), Some("acme")];
const TIERS: [Option<&str>; 3] = [None, Some("gold"), Some("gold")];
const SITES: [Option<&str>; 4] = [Some("S"), Some("S"), Some("S"), None];
const RESOURCES: [&str; 2] = ["v0", "v1"];
const METER_NAMES: [&str; 5] = [METERS[0].0, METERS[1].0, METERS[2].0, METERS[3].0, "unknown"];

/// A record on its way to the log.
pub(super) struct Waiting {
    pub(super) partition: u32,
    pub(super) key: Vec<u8>,
    header: Header,
    sent: Rc<Sent>,
}

/// Everything that sends.
#[derive(Default)]
pub(super) struct Producer {
    pub(super) sent: Vec<Rc<Sent>>,
    counter: u64,
    waiting: Vec<Waiting>,
    /// A decision that a header has named before it is made: its offset, and what it will be about.
    pub(super) foretold: Option<(u64, Rc<Sent>)>,
}

impl Producer {
    /// Sends one event, unless nobody sends anything yet.
    pub(super) fn produce(&mut self, world: &World) {
        if is_quiet(world) {
            return;
        }
        if self.foretold.is_some() && world.chance(400) {
            self.fulfil(world);
        }
        let mut random = world.random.borrow().clone();
        let odd = random.chance(world.plan.odd);
        let waiting = match self.sent.is_empty() || !odd {
            true => {
                let sent = self.poll(world, &mut random);
                self.routed(world, sent)
            }
            false => self.oddity(world, &mut random),
        };
        *world.random.borrow_mut() = random;
        let waiting = to_the_old_topic(world, waiting);
        self.append(world, waiting);
    }

    /// A poll of an array, now.
    pub(super) fn poll(&mut self, world: &World, random: &mut Random) -> Sent {
        let now = world.now.get();
        let time = match random.below(10) {
            0..=5 => now.div_euclid(5 * MINUTE_MS) * 5 * MINUTE_MS,
            6 | 7 => now.div_euclid(15 * MINUTE_MS) * 15 * MINUTE_MS,
            _ => now - random.between(0, 400_000),
        };
        let array = world.plan.arrays[random.below(world.plan.arrays.len() as u64) as usize].clone();
        let provider = if world.plan.rules.provider.is_none() && random.chance(200) { "q" } else { "p" };
        let readings = self.readings(random);
        let number = self.sent.len();
        let recorded = random.chance(200).then(|| time + random.between(0, 3) * MINUTE_MS);
        let (id, site) = (format!("e{number}"), random.pick(&SITES));
        Sent { number, provider, array, id, time, recorded, site, readings, flaw: None, value: Vec::new() }
    }

    fn readings(&mut self, random: &mut Random) -> Vec<SentReading> {
        let mut readings = Vec::new();
        for resource in RESOURCES {
            for meter in METER_NAMES {
                if readings.len() < MAX_READINGS as usize && random.chance(400) {
                    let value = self.value(meter, random);
                    let (customer, tier) = (random.pick(&CUSTOMERS), random.pick(&TIERS));
                    readings.push(SentReading { resource, meter, customer, tier, value });
                }
            }
        }
        readings
    }

    fn value(&mut self, meter: &str, random: &mut Random) -> u64 {
        if meter == "read" {
            self.counter = if random.chance(150) { random.below(5) } else { self.counter + random.below(1000) };
            return self.counter;
        }
        match random.below(20) {
            0 => u64::MAX,
            1 => 0,
            _ => random.below(1_000_000),
        }
    }

    pub(super) fn routed(&mut self, world: &World, mut sent: Sent) -> Waiting {
        sent.encode();
        let sent = Rc::new(sent);
        self.sent.push(Rc::clone(&sent));
        self.routed_again(world, &sent, Header::None)
    }

    pub(super) fn routed_again(&self, world: &World, sent: &Rc<Sent>, header: Header) -> Waiting {
        let key = sent.array.clone().into_bytes();
        let partition = place_of(&key, world.broker.borrow().open());
        Waiting { partition, key, header, sent: Rc::clone(sent) }
    }

    /// Appends a record: once, twice, later or never.
    fn append(&mut self, world: &World, waiting: Waiting) {
        if !world.chance(world.plan.odd / 4) {
            return put(world, &waiting);
        }
        let fault =
            world.random.borrow_mut().pick(&[Fault::AppendTwice, Fault::AppendLate, Fault::AppendNever, Fault::Hole]);
        world.note(fault);
        match fault {
            Fault::AppendTwice => {
                put(world, &waiting);
                put(world, &waiting);
            }
            Fault::AppendLate => self.waiting.push(waiting),
            Fault::Hole => {
                world.broker.borrow_mut().partitions[waiting.partition as usize].end += 1 + world.below(3);
                put(world, &waiting);
            }
            _ => {}
        }
    }

    /// Appends what was held back.
    pub(super) fn append_waiting(&mut self, world: &World) {
        self.waiting.drain(..).for_each(|waiting| put(world, &waiting));
    }
}

/// Whether nobody sends anything yet.
pub(super) fn is_quiet(world: &World) -> bool {
    world.plan.closing.is_some_and(|closing| world.now.get() < closing.quiet_until_ms())
}

/// Where an array's records belong in a generation.
fn place_of(key: &[u8], stream: &SimStream) -> u32 {
    stream.first + partition_of(key, stream.rules.partitions).0
}

/// Now and then a record goes where its producer sent the ones before: it has not heard of the new generation.
fn to_the_old_topic(world: &World, waiting: Waiting) -> Waiting {
    let broker = world.broker.borrow();
    let Some(before) = broker.streams.len().checked_sub(2) else { return waiting };
    if waiting.partition != place_of(&waiting.key, broker.open()) || !world.chance(200) {
        return waiting;
    }
    world.note(Fault::OldTopic);
    Waiting { partition: place_of(&waiting.key, &broker.streams[before]), ..waiting }
}

fn put(world: &World, waiting: &Waiting) {
    let place = (waiting.partition, world.now.get());
    let sent = Rc::clone(&waiting.sent);
    let offset = world.broker.borrow_mut().append(place, waiting.key.clone(), waiting.header, sent);
    world.trace(|| {
        format!(
            "append {}/{offset}: {} {} at {} {:?} flaw {:?}",
            waiting.partition,
            waiting.sent.id,
            waiting.sent.array,
            crate::core::word::Instant(waiting.sent.time),
            waiting.header,
            waiting.sent.flaw
        )
    });
}
