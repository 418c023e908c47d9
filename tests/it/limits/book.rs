//! What a price book and a quote may hold at most.

use plimsoll::core::book::parse;
use plimsoll::core::quote::quote;

const BOOK: &str = include_str!("../../../examples/pricebook/northwind.toml");

fn is_taken(from: &str, to: &str) -> bool {
    assert!(BOOK.contains(from), "{from}");
    parse(&[("book.toml".to_owned(), BOOK.replacen(from, to, 1))]).is_ok()
}

#[test]
fn a_line_has_bands_up_to_their_limit() {
    for (count, taken) in [(1, true), (99, true), (100, true), (101, false)] {
        let mut bands: Vec<String> =
            (1..count).map(|edge| format!("{{ up_to = \"{edge}\", price = \"28.00\" }}")).collect();
        bands.push("{ price = \"25.00\" }".to_owned());
        let from = "bands = [{ up_to = \"50\", price = \"28.00\" }, { price = \"25.00\" }]";
        assert_eq!(is_taken(from, &format!("bands = [{}]", bands.join(", "))), taken, "{count} bands");
    }
}

#[test]
fn a_decimal_has_digits_up_to_their_limit() {
    for (digits, taken) in [(17, true), (18, true), (19, false)] {
        let edge = "9".repeat(digits);
        assert_eq!(
            is_taken("up_to = \"50\", price = \"28.00\"", &format!("up_to = \"{edge}\", price = \"28.00\"")),
            taken,
            "{digits}"
        );
    }
}

#[test]
fn a_hold_is_as_long_as_it_may_be() {
    for (minutes, taken) in [(59, false), (60, true), (44_640, true), (44_641, false)] {
        assert_eq!(is_taken("max_hold_minutes = 120", &format!("max_hold_minutes = {minutes}")), taken, "{minutes}");
    }
}

#[test]
fn a_quoted_period_is_as_long_as_it_may_be() {
    for (seconds, taken) in [(0u64, false), (1, true), (10_000_000_000, true), (10_000_000_001, false)] {
        let text = format!(
            r#"{{"schema":"plimsoll.quote/1","currency":"EUR","period_seconds":{seconds},"lines":[{{"quantity":"2","price":"1.5"}}]}}"#
        );
        assert_eq!(quote(&text).is_ok(), taken, "{seconds} s");
    }
}
