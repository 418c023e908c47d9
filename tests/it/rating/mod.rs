//! Contracts rated: what holds of every rating, and that whatever a book admits is rated or refused, never a panic.

pub mod book;
mod property;
pub mod random;

use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll::core::pricing::period::period;
use plimsoll::core::pricing::rating::rate;
use plimsoll::core::pricing::selection::selections;

use crate::cases::{PLAIN, check};
use crate::quote::random::Random;

/// Anything that a price book admits is rated or refused, whatever was metered.
#[test]
fn nothing_panics() {
    let (rated, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    check("rating: no panic", 10 * PLAIN, |seed| {
        let mut random = Random::new(seed ^ 0x5A5A_0000);
        let text = random::book(&mut random);
        let Ok(book) = book::parse(&text) else { return };
        let label = random.pick(&["2026-02", "2026-03", "2026-10"]);
        let period = period(&book.contracts["c"], label).unwrap();
        let Ok(selections) = selections(&book, "c", None, &period) else { return };
        let usages: Vec<_> = selections.iter().map(|selection| random::usage(&mut random, selection)).collect();
        let count = if rate(&book, "c", None, &period, &usages).is_ok() { &rated } else { &refused };
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (rated, refused) = (rated.into_inner(), refused.into_inner());
    assert!(rated > refused, "{rated} rated, {refused} refused");
}
