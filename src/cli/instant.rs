//! An instant on the command line: in RFC 3339, or a date, which means its midnight UTC.

use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::core::word::Instant;

pub(super) fn instant(text: &str) -> Result<Instant, String> {
    let utc = parse_zone(None).map_err(|error| error.to_string())?;
    parse_instant(text, utc).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_midnight_and_anything_else_is_refused_in_words() {
        let shown = |text| instant(text).map(Instant::rfc3339);
        assert_eq!(shown("2026-10-01").unwrap(), "2026-10-01T00:00:00Z");
        assert_eq!(shown("2026-10-01T02:00:00+02:00").unwrap(), "2026-10-01T00:00:00Z");
        for wrong in ["", "yesterday", "2026-13-01", "2026-10-01T00:00:00"] {
            assert!(shown(wrong).unwrap_err().contains("2026-"), "{wrong}: {:?}", shown(wrong));
        }
    }
}
