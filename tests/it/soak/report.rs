//! What a run comes to: a line a cycle, and a table at its end, however it ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::check::Difference;
use super::crew::RSS_MAX_KIB;
use super::fault::Fault;
use crate::quote::oracle::text;

/// How long the parts of a cycle took.
pub struct Phases {
    /// Load and fault.
    pub struck: Duration,
    /// From the fault's end until everything was under a checkpoint.
    pub recovery: Duration,
    /// The comparison.
    pub compared: Duration,
}

/// The figures so far. Shown when dropped, so that a run that fails is reported too.
pub struct Report {
    seed: u64,
    of: u64,
    begun: Instant,
    bar: ProgressBar,
    cycles: u64,
    /// Records that Kafka has.
    pub events: u64,
    /// Those of them that it acknowledged.
    pub acknowledged: u64,
    /// Everything that was ever different.
    pub difference: Difference,
    longest: (Duration, &'static str),
    rss_kib: u64,
    faults: BTreeMap<Fault, u64>,
    /// Workers that were killed.
    pub killed: u64,
    /// How the engine's disk is filled.
    pub disk: &'static str,
    failing: Option<(u64, Fault)>,
}

impl Report {
    /// Nothing has happened yet.
    pub fn new(seed: u64, of: u64, shown: bool) -> Self {
        let bar = if shown { ProgressBar::new(of) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} cycles  {eta}  {msg}").unwrap());
        Self {
            seed,
            of,
            begun: Instant::now(),
            bar,
            cycles: 0,
            events: 0,
            acknowledged: 0,
            difference: Difference::none(),
            longest: (Duration::ZERO, "none"),
            rss_kib: 0,
            faults: BTreeMap::new(),
            killed: 0,
            disk: "",
            failing: None,
        }
    }

    /// A cycle begins: until it ends well it is the one that failed.
    pub fn begin(&mut self, cycle: u64, fault: Fault) {
        self.failing = Some((cycle, fault));
        self.bar.set_message(fault.name());
    }

    /// The engine was away, and a worker held so much.
    pub fn held(&mut self, rss_kib: u64) {
        self.rss_kib = self.rss_kib.max(rss_kib);
    }

    /// A cycle ended well.
    pub fn end(&mut self, cycle: u64, fault: Fault, events: usize, phases: Phases) {
        let Phases { struck, recovery, compared } = phases;
        self.failing = None;
        self.cycles += 1;
        *self.faults.entry(fault).or_default() += 1;
        if recovery > self.longest.0 {
            self.longest = (recovery, fault.name());
        }
        self.bar.set_position(cycle + 1);
        if self.bar.is_hidden() {
            let (name, number, so_far) = (fault.name(), cycle + 1, self.begun.elapsed().as_secs());
            let [struck, recovery, compared] = [struck, recovery, compared].map(|time| time.as_secs_f64());
            eprintln!(
                "soak: {number} of {}: {name}: load and fault {struck:.1} s, caught up in {recovery:.1} s, compared in {compared:.1} s; \
                 {events} records; {so_far} s so far",
                self.of
            );
        }
    }

    /// The table, in Markdown.
    fn table(&self) -> String {
        let (recovery, after) = self.longest;
        let faults: Vec<String> =
            self.faults.iter().map(|(fault, count)| format!("{} {count}", fault.name())).collect();
        let rows = [
            ("cycles", format!("{} in {} s, seed {}", self.cycles, self.begun.elapsed().as_secs(), self.seed)),
            ("events", format!("{} in the log, {} acknowledged", self.events, self.acknowledged)),
            ("lost", self.difference.lost.to_string()),
            ("doubled", self.difference.doubled.to_string()),
            ("wrong disposition", self.difference.wrong.to_string()),
            ("difference of cells", format!("{} bytes · ms", self.difference.cells)),
            ("difference of statements", format!("{} EUR", text(&self.difference.money, 2))),
            ("longest recovery", format!("{:.1} s ({after})", recovery.as_secs_f64())),
            (
                "greatest worker, engine away",
                format!("{:.1} MiB (bound: {:.1} MiB)", self.rss_kib as f64 / 1024.0, RSS_MAX_KIB as f64 / 1024.0),
            ),
            ("faults", format!("{}; in all {} workers killed", faults.join(", "), self.killed)),
            ("engine's disk", self.disk.to_owned()),
        ];
        rows.map(|(name, value)| format!("| {name} | {value} |\n")).concat()
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        eprintln!("\n| soak | |\n|---|---|\n{}", self.table());
        if let Some((cycle, fault)) = self.failing {
            let (cycle, seed, of) = (cycle + 1, self.seed, self.of);
            eprintln!("soak: seed {seed}: cycle {cycle} failed ({})", fault.name());
            eprintln!(
                "again: PLIMSOLL_SEED={seed} PLIMSOLL_SOAK_CYCLES={of} PLIMSOLL_SOAK_UNTIL={cycle} cargo test --test it soak:: -- --nocapture"
            );
        }
    }
}
