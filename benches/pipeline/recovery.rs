//! How long a worker takes over 100,000 live series from another one that was killed: from the assignment of the partitions, by
//! the ledger alone, until it folds on.

use crate::end_to_end::{Parts, fold, open, produce, publish_meters, topic};
use crate::row;

const ARRAYS: u64 = 500;
const READINGS: u64 = 200;
/// Polls of 5 minutes: four hours, which is more than any reading stays in memory.
const POLLS: u64 = 48;

/// Prints the figures.
pub fn measure() {
    let parts = Parts::start();
    publish_meters(&parts);
    let rules = topic(&parts, "recovery");
    let events = ARRAYS * POLLS;
    produce(&parts, &rules.topic, events, READINGS, ARRAYS);
    open(&parts, &rules);
    println!("\n{} series, {events} events of {READINGS} readings, {} partitions", ARRAYS * READINGS, rules.partitions);
    fold(&parts, &rules);
    row("recovery from the ledger, until it folds on", fold(&parts, &rules), "s", None);
}
