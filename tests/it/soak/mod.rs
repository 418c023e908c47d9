//! The real thing: broker, engine and workers in processes of their own, and everything that can happen to them. In each cycle a load of
//! seeded events goes on while a fault strikes; once it ends and the workers have caught up, ledger, buckets and statements equal what an
//! oracle says that knows what was sent and where Kafka put it.
//!
//! `PLIMSOLL_SOAK_CYCLES` and `PLIMSOLL_SEED` make a soak of it; `PLIMSOLL_SOAK_UNTIL` ends it earlier, `PLIMSOLL_SOAK_FAULT` names the one
//! kind of fault, `PLIMSOLL_SOAK_NO_MOUNT` forgoes the tmpfs.

mod check;
mod crew;
mod cycle;
mod disk;
mod event;
mod fault;
mod log;
mod luck;
mod oracle;
mod price;
mod producer;
mod report;
mod slice;

use cycle::Soak;
use report::Report;

/// Cycles of one `make test`: each kind of fault at least once.
const PLAIN: u64 = 15;
/// Their seed: all ten kinds, then five that need no other broker.
const PLAIN_SEED: u64 = 44;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn whatever_happens_to_the_parts_no_figure_changes() {
    let soak = number("PLIMSOLL_SOAK_CYCLES");
    let (seed, cycles) = (number("PLIMSOLL_SEED").unwrap_or(PLAIN_SEED), soak.unwrap_or(PLAIN));
    let until = number("PLIMSOLL_SOAK_UNTIL").unwrap_or(cycles).min(cycles);
    let mut soak_of_parts = Soak::start(seed, cycles);
    let mut report = Report::new(seed, cycles, soak.is_some());
    for cycle in 0..until {
        soak_of_parts.cycle(cycle, &mut report);
    }
    drop(report);
    soak_of_parts.sees_damage(until);
}
