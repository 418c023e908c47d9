//! Times written fast: a load of a million events a second has no time for a general formatter.

use crate::core::word::Instant;

/// RFC 3339 in UTC, with milliseconds only where there are any, as [`Instant::rfc3339`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    text: [u8; 24],
    length: usize,
}

impl Stamp {
    /// The text of an instant of the years 0 to 9999, which is all that events may hold.
    #[must_use]
    pub fn new(instant: Instant) -> Self {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (days, ms) = (instant.0.div_euclid(86_400_000), instant.0.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], ms / 3_600_000);
        put(&mut text[14..16], ms / 60_000 % 60);
        put(&mut text[17..19], ms / 1000 % 60);
        if ms % 1000 == 0 {
            text[19] = b'Z';
            return Self { text, length: 20 };
        }
        put(&mut text[20..23], ms % 1000);
        Self { text, length: 24 }
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// Writes a number with leading zeros.
fn put(place: &mut [u8], number: i64) {
    let mut rest = number;
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// Year, month and day of a day since 1970-01-01, after Howard Hinnant's `civil_from_days`: eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_the_slow_one_writes() {
        for ms in [0, 1, 951_782_400_000, 951_868_799_999, 1_791_964_800_000, 4_070_908_800_000, -1] {
            assert_eq!(Stamp::new(Instant(ms)).bytes(), Instant(ms).rfc3339().as_bytes());
        }
        for day in 0..20_000i64 {
            let instant = Instant(day * 86_400_000 + 45_296_000);
            assert_eq!(Stamp::new(instant).bytes(), instant.rfc3339().as_bytes());
        }
    }
}
