//! Units of quantities (PRICING §4): `SIZE`, `SIZE-hour`, `SIZE-month`, `SIZE-month@730h`.

use super::model::Statistic;

/// A unit's size and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Bytes, or 1 for `each`.
    pub size: i128,
    /// What the size is multiplied with.
    pub time: UnitTime,
}

/// A unit's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitTime {
    /// None: a level or a sum.
    None,
    /// One hour.
    Hour,
    /// The real seconds of the whole period.
    Month,
    /// 730 hours.
    Month730,
}

impl Unit {
    /// The unit with this name; nothing else than PRICING §4's grammar is accepted.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (size, time) = match name.split_once('-') {
            None => (name, UnitTime::None),
            Some((size, "hour")) => (size, UnitTime::Hour),
            Some((size, "month")) => (size, UnitTime::Month),
            Some((size, "month@730h")) => (size, UnitTime::Month730),
            Some(_) => return None,
        };
        Some(Self { size: size_of(size)?, time })
    }

    /// Whether a book may use it with this statistic (PRICING §4).
    #[must_use]
    pub fn goes_with(self, statistic: Statistic) -> bool {
        (statistic == Statistic::Mean) == (self.time != UnitTime::None)
    }

    /// The unit's time in milliseconds, 1 if it has none.
    #[must_use]
    pub fn time_ms(self, period_ms: i64) -> i128 {
        match self.time {
            UnitTime::None => 1,
            UnitTime::Hour => 3_600_000,
            UnitTime::Month => i128::from(period_ms),
            UnitTime::Month730 => 730 * 3_600_000,
        }
    }

    /// The milliseconds that a mean is divided by: without a time those of the whole period, as of a `-month` (PRICING §4).
    #[must_use]
    pub fn mean_ms(self, period_ms: i64) -> i128 {
        if self.time == UnitTime::None { i128::from(period_ms) } else { self.time_ms(period_ms) }
    }
}

/// The part of a unit's name before its time.
#[must_use]
pub fn size_name(unit: &str) -> &str {
    unit.split_once('-').map_or(unit, |(size, _)| size)
}

fn size_of(name: &str) -> Option<i128> {
    let (base, power) = match name {
        "byte" | "each" => (1, 0),
        "kB" => (1000, 1),
        "MB" => (1000, 2),
        "GB" => (1000, 3),
        "TB" => (1000, 4),
        "PB" => (1000, 5),
        "KiB" => (1024, 1),
        "MiB" => (1024, 2),
        "GiB" => (1024, 3),
        "TiB" => (1024, 4),
        "PiB" => (1024, 5),
        _ => return None,
    };
    Some(i128::pow(base, power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        assert_eq!(Unit::parse("TiB-month"), Some(Unit { size: 1 << 40, time: UnitTime::Month }));
        assert_eq!(Unit::parse("GB-month@730h"), Some(Unit { size: 1_000_000_000, time: UnitTime::Month730 }));
        assert_eq!(Unit::parse("each"), Some(Unit { size: 1, time: UnitTime::None }));
        for wrong in ["", "tib", "TiB-day", "TiB-month@720h", "EiB", "KB", "TiB-", "-month"] {
            assert_eq!(Unit::parse(wrong), None, "{wrong}");
        }
    }
}
