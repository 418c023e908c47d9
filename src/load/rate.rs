//! How fast something goes, for progress bars.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanCount, ProgressState, ProgressStyle};

/// The style of a template in which `{rate}` is the rate of all that is done so far: a bar that is set every now and then in large steps jumps
/// with indicatif's own estimate. None if the template is none.
#[must_use]
pub fn style(template: &str) -> Option<ProgressStyle> {
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // a place on a terminal that takes no more has nobody to be told
        let _ = write!(out, "{}/s", HumanCount(per_second(state.pos(), state.elapsed())));
    };
    Some(ProgressStyle::with_template(template).ok()?.with_key("rate", rate))
}

/// Whole ones in a second; of no time at all, none.
fn per_second(done: u64, elapsed: Duration) -> u64 {
    let rate = (u128::from(done) * 1000).checked_div(elapsed.as_millis()).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_whole_and_of_all_that_is_done() {
        let of = |done, ms| per_second(done, Duration::from_millis(ms));
        assert_eq!((of(10, 4_000), of(7, 1_000), of(5, 0), of(u64::MAX, 1)), (2, 7, 0, u64::MAX));
        assert!(style("{pos} {rate}").is_some());
    }
}
