//! Schedules without a failure, and planted bugs that are found.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Report, run, trace};
use crate::mutation::{Mutation, plant};

/// Every planted bug is caught within so many schedules; docs/TESTING.md has the number of each.
const CAUGHT_WITHIN: u64 = 1_500;
/// The first seed of the schedules that every test run repeats.
const SEED: u64 = 1;

fn schedules(first: u64, count: u64) -> Report {
    let mut report = Report::default();
    (first..first + count).for_each(|seed| run(seed, &mut report));
    report
}

fn tell(report: &Report) {
    for (seed, failure) in &report.failures {
        println!("seed {seed}: {failure:?}");
    }
    if let Some((seed, _)) = report.failures.first() {
        trace(*seed).iter().for_each(|line| println!("{line}"));
    }
}

/// DESIGN §10: nothing is lost, doubled or wrong under any of the faults.
#[test]
fn no_fault_loses_doubles_or_changes_anything() {
    let count = std::env::var("PLIMSOLL_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(3_000);
    let seed = std::env::var("PLIMSOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let report = schedules(seed, count);
    println!("{report}");
    tell(&report);
    assert_eq!(report.failed(), 0);
    assert!(count < 3_000 || report.missing().is_empty(), "every fault strikes: {:?} did not", report.missing());
}

/// How many schedules it takes until a planted bug fails one; none if it takes more than `most`.
fn caught_after(mutation: Mutation, most: u64) -> Option<u64> {
    plant(Some(mutation));
    let mut report = Report::default();
    let caught = (0..most).find(|number| {
        run(SEED + number, &mut report);
        report.failed() > 0
    });
    plant(None);
    caught.map(|number| number + 1)
}

/// Each planted bug is found, within the schedules of docs/TESTING.md.
#[test]
fn every_planted_bug_is_caught() {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut found: Vec<(usize, Mutation, Option<u64>)> = Vec::new();
    std::thread::scope(|scope| {
        let take = || {
            let mut caught = Vec::new();
            while let Some(mutation) = Mutation::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                caught.push((*mutation as usize, *mutation, caught_after(*mutation, CAUGHT_WITHIN)));
            }
            caught
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        workers.into_iter().for_each(|worker| found.extend(worker.join().unwrap()));
    });
    found.sort_by_key(|(place, ..)| *place);
    found.iter().for_each(|(_, mutation, caught)| println!("{mutation:?} {caught:?}"));
    let missed: Vec<_> = found.iter().filter(|(.., caught)| caught.is_none()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
