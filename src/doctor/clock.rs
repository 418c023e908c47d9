//! Clocks: the broker's says what log time is, the database's and this machine's when a period is over.

use super::finding::{Finding, Level};
use crate::config;
use crate::kafka::broker::Brokers;

/// More is worth knowing.
const WARN_MS: i64 = 2_000;
/// More is wrong: readings would look late or future, and closes early or late.
const WRONG_MS: i64 = 60_000;

/// A clock that showed `there` at some moment between two looks at our own.
pub fn compare(about: &str, there: i64, before: i64, after: i64) -> Finding {
    // it may have been any moment between, so only what lies outside of it is a difference
    let ahead = (there - after).max(before - there).max(0);
    let direction = if there > after { "ahead of" } else { "behind" };
    let (level, mend) = match ahead {
        0..=WARN_MS => (Level::Ok, ""),
        ahead if ahead <= WRONG_MS => (Level::Warning, "synchronise both by NTP"),
        _ => (Level::Wrong, "synchronise both by NTP; records that are stamped meanwhile keep their stamps"),
    };
    let found = match ahead {
        0 => format!("as this machine's, within {} ms", after - before),
        ahead => format!("at least {:.1} s {direction} this machine's", ahead as f64 / 1000.0),
    };
    Finding::at(level, about, found, mend)
}

/// The broker's clock.
pub async fn of_broker(kafka: &config::Kafka) -> Finding {
    let about = "clock of the broker";
    let topic = format!("plimsoll-doctor-{}-{}", std::process::id(), now_ms());
    let asked = async { Brokers::new(kafka)?.time_ms(&topic).await };
    // the topic is made first, so the record is sent some time after `before`: a difference below that is not seen
    let before = now_ms();
    match asked.await {
        Ok(there) => compare(about, there, before, now_ms()),
        Err(error) => Finding::error(Level::Unknown, about, &error),
    }
}

pub fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_outside_of_the_question_is_a_difference() {
        let level = |there| compare("c", there, 100_000, 100_500).level;
        assert_eq!([level(100_000), level(100_500), level(100_250)], [Level::Ok; 3]);
        assert_eq!([level(102_500), level(98_000)], [Level::Ok; 2]);
        assert_eq!([level(102_501), level(97_999), level(160_500), level(40_000)], [Level::Warning; 4]);
        assert_eq!([level(160_501), level(39_999)], [Level::Wrong; 2]);
        assert!(compare("c", 170_500, 100_000, 100_500).found.contains("70.0 s ahead of"));
        assert!(compare("c", 30_000, 100_000, 100_500).found.contains("70.0 s behind"));
    }
}
