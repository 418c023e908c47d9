//! What happens to workers, broker and engine while the load goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plimsoll::dev::Part;

use super::crew::{Crew, RSS_MAX_KIB, signal};
use super::disk::{self, Disk};
use super::luck::{Luck, at};
use crate::worker::Parts;

/// The longest wait for the load of a cycle.
const LOAD_WAIT: Duration = Duration::from_secs(60);
/// The longest wait for a broker without a disk to end by itself.
const HALT_WAIT: Duration = Duration::from_secs(8);

/// One kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    WorkersKilled,
    BrokerKilled,
    EngineKilled,
    BrokerAndEngineKilled,
    Rebalance,
    Zombie,
    EngineAway,
    EngineSlow,
    EngineDiskFull,
    BrokerDiskFull,
}

impl Fault {
    pub const ALL: [Fault; 10] = [
        Fault::WorkersKilled,
        Fault::BrokerKilled,
        Fault::EngineKilled,
        Fault::BrokerAndEngineKilled,
        Fault::Rebalance,
        Fault::Zombie,
        Fault::EngineAway,
        Fault::EngineSlow,
        Fault::EngineDiskFull,
        Fault::BrokerDiskFull,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Fault::WorkersKilled => "workers killed",
            Fault::BrokerKilled => "broker killed",
            Fault::EngineKilled => "engine killed",
            Fault::BrokerAndEngineKilled => "broker and engine killed",
            Fault::Rebalance => "rebalancing",
            Fault::Zombie => "worker stands still past its session",
            Fault::EngineAway => "engine away",
            Fault::EngineSlow => "engine slow",
            Fault::EngineDiskFull => "engine's disk full",
            Fault::BrokerDiskFull => "broker's disk full",
        }
    }

    /// The fault of a cycle: in ten cycles each kind once, in an order of the seed's. `PLIMSOLL_SOAK_FAULT` names the only one.
    pub fn of(seed: u64, cycle: u64) -> Self {
        if let Ok(only) = std::env::var("PLIMSOLL_SOAK_FAULT") {
            return Self::ALL.into_iter().find(|fault| fault.name() == only).expect("a fault's name");
        }
        let (ten, place) = (cycle / 10, cycle % 10);
        let mut order = Self::ALL;
        order.sort_by_key(|fault| at(&[seed, ten, *fault as u64, 77]));
        order[place as usize]
    }
}

/// Where faults strike.
pub struct Field<'a> {
    pub parts: &'a Parts,
    pub crew: &'a mut Crew,
    pub disk: &'a Disk,
    pub luck: &'a mut Luck,
    /// Whether the load of the cycle is acknowledged.
    pub loaded: &'a AtomicBool,
    /// Whether there is time for long outages.
    pub long: bool,
    /// The greatest memory of a worker while the engine was away, in KiB.
    pub rss_kib: u64,
}

impl Field<'_> {
    /// Lets a fault happen, to its end: afterwards broker and engine are up and workers run.
    pub fn strike(&mut self, fault: Fault) {
        self.pause(0, 900);
        match fault {
            Fault::WorkersKilled => self.kill_workers(),
            Fault::BrokerKilled => self.kill(&[Part::Kafka]),
            Fault::EngineKilled => (0..self.luck.between(1, 3)).for_each(|_| self.kill(&[Part::Engine])),
            Fault::BrokerAndEngineKilled => self.kill(&[Part::Engine, Part::Kafka]),
            Fault::Rebalance => self.rebalance(),
            Fault::Zombie => self.zombie(),
            Fault::EngineAway => self.engine_away(),
            Fault::EngineSlow => self.engine_slow(),
            Fault::EngineDiskFull => self.engine_disk_full(),
            Fault::BrokerDiskFull => self.broker_disk_full(),
        }
    }

    fn pause(&mut self, from_ms: u64, to_ms: u64) {
        std::thread::sleep(Duration::from_millis(self.luck.between(from_ms, to_ms)));
    }

    /// Starts what does not run, where it was before.
    fn up(&self, part: Part) {
        let address = |status: plimsoll::dev::Status| match part {
            Part::Kafka => status.kafka.address,
            Part::Engine => status.engine.address,
        };
        let before = address(self.parts.dev.status().unwrap());
        assert_eq!(address(self.parts.dev.up(Some(part)).unwrap()), before, "somebody took the port of {part}");
    }

    fn pid(&self, part: Part) -> i32 {
        let status = self.parts.dev.status().unwrap();
        match part {
            Part::Kafka => status.kafka.pid.unwrap(),
            Part::Engine => status.engine.pid.unwrap(),
        }
    }

    /// One after the other, sometimes the last one too, at any moment of its life.
    fn kill_workers(&mut self) {
        for _ in 0..6 {
            let which = self.luck.below(8);
            self.crew.kill(which);
            if self.luck.once_in(2) || self.crew.count() == 0 {
                self.crew.join(self.parts);
            }
            self.pause(200, 1500);
            if self.crew.count() == 0 {
                self.crew.join(self.parts);
            }
        }
    }

    fn kill(&mut self, parts: &[Part]) {
        for part in parts {
            self.parts.dev.kill(*part).unwrap();
            self.pause(0, 300);
        }
        if self.luck.once_in(3) {
            let which = self.luck.below(8);
            self.crew.kill(which);
            self.crew.join(self.parts);
        }
        self.pause(0, 1500);
        for part in parts {
            self.up(*part);
        }
    }

    fn rebalance(&mut self) {
        for _ in 0..self.luck.between(4, 6) {
            match self.crew.count() {
                1 => self.crew.join(self.parts),
                2 if self.luck.once_in(2) => self.crew.join(self.parts),
                _ if self.luck.once_in(3) => {
                    let which = self.luck.below(8);
                    self.crew.kill(which);
                }
                _ => self.crew.leave(),
            }
            self.pause(300, 1500);
        }
    }

    /// The others take its partitions over; then it goes on where it was.
    fn zombie(&mut self) {
        self.crew.hold(self.parts, 2);
        for _ in 0..2 {
            let which = self.luck.below(8);
            let time = Duration::from_millis(self.luck.between(1500, 3000));
            self.crew.stand_still(which, time);
            self.pause(0, 1000);
        }
    }

    /// The load goes on and ends, and the engine is away still.
    fn engine_away(&mut self) {
        self.crew.hold(self.parts, 1);
        self.parts.dev.kill(Part::Engine).unwrap();
        let (begun, mut ends) = (Instant::now(), None);
        let rest = Duration::from_millis(if self.long { self.luck.between(3000, 9000) } else { 2500 });
        while ends.is_none_or(|at: Instant| at.elapsed() < rest) {
            self.rss_kib = self.rss_kib.max(self.crew.rss_kib());
            if ends.is_none() && self.loaded.load(Ordering::Acquire) {
                ends = Some(Instant::now());
            }
            assert!(begun.elapsed() < LOAD_WAIT + rest, "the load does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(self.rss_kib < RSS_MAX_KIB, "a worker held {} KiB, and {RSS_MAX_KIB} KiB is the bound", self.rss_kib);
        self.up(Part::Engine);
    }

    /// It gets a fifth of the time.
    fn engine_slow(&mut self) {
        let pid = self.pid(Part::Engine);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(3000) {
            signal(pid, libc::SIGSTOP);
            self.pause(100, 300);
            signal(pid, libc::SIGCONT);
            self.pause(20, 80);
        }
    }

    fn engine_disk_full(&mut self) {
        let pid = self.pid(Part::Engine);
        self.disk.fill(pid);
        self.pause(500, 1000);
        let refused = self.parts.execute("INSERT INTO soak_probe SELECT number FROM numbers(100000)");
        let refused = refused.expect_err("the disk is full, and an insert succeeds");
        assert!(refused.contains("Code: 243"), "a full disk is called {refused}");
        self.pause(1000, 1500);
        if self.luck.once_in(3) {
            let which = self.luck.below(8);
            self.crew.kill(which);
            self.crew.join(self.parts);
        }
        self.disk.free(pid);
    }

    /// A broker that cannot write to its only disk halts.
    fn broker_disk_full(&mut self) {
        disk::limit(self.pid(Part::Kafka), Some(1));
        let begun = Instant::now();
        while self.parts.dev.status().unwrap().kafka.pid.is_some() {
            assert!(begun.elapsed() < HALT_WAIT, "the broker goes on without a disk");
            std::thread::sleep(Duration::from_millis(50));
        }
        self.up(Part::Kafka);
    }
}
