//! What the collectors' file may say, and in which words the rest is refused.

use std::path::Path;

use super::raw::{Collect, Raw, RawCustomers, RawIdentity, parse};
use super::*;

const ARRAY: &str =
    "\n[[array]]\nname = \"a\"\nid = \"i\"\nurl = \"https://x\"\napi_version = \"2.26\"\napi_token_env = \"TOKEN\"\n";

fn read(text: &str, family: Family) -> Result<CollectConfig, CollectError> {
    CollectConfig::from_parts(Path::new("collect.toml"), text, family, [])
}

fn refusal(text: &str, family: Family) -> String {
    read(text, family).unwrap_err().to_string()
}

fn with(keys: &str) -> String {
    format!("[collect]\nprovider = \"p\"\n{keys}\n{ARRAY}")
}

#[test]
fn the_reference_holds_the_defaults() {
    let raw: Raw = parse(Path::new("r"), REFERENCE).unwrap();
    assert_eq!(raw.collect, Collect::default());
    assert_eq!(raw.customers, RawCustomers::default());
    assert_eq!(raw.identity, RawIdentity::default());
    assert!(raw.array.is_empty());
    assert_eq!(raw.rule.len(), 3);
    // the array that it shows is one
    let shown: String = REFERENCE
        .lines()
        .skip_while(|line| *line != "# [[array]]")
        .take_while(|line| line.starts_with("# "))
        .filter(|line| !line.contains("api_token_env"))
        .map(|line| format!("{}\n", &line[2..]))
        .collect();
    for family in [Family::FlashArray, Family::FlashBlade, Family::OpenMetrics] {
        let config = read(&format!("[collect]\nprovider = \"p\"\n{shown}"), family).unwrap();
        assert_eq!(config.arrays[0].name, "nw-ham1-x70-01");
        assert_eq!(config.rules, raw.rule);
    }
}

#[test]
fn refusals_name_the_place_and_the_mend() {
    let (fa, fb, om) = (Family::FlashArray, Family::FlashBlade, Family::OpenMetrics);
    let cases = [
        (ARRAY.to_owned(), fa),
        ("[collect]\nprovider = \"p\"\n".to_owned(), fa),
        (with("intervall = 3"), fa),
        (with("interval_seconds = \"5m\""), fa),
        (with("interval_seconds = 7"), fa),
        (with("interval_seconds = 0"), fa),
        (with("page_size = 0"), fa),
        (with("spool_max_mbytes = 0"), fa),
        (with("meters = [\"used\"]"), fa),
        (with("[clickhouse]\nurl = \"http://x\""), fa),
        (with("[kafka]\nbootstrap = \"x\""), fa),
        (with("[customers]\nfrom = \"tag\""), fa),
        (with("[customers]\nfrom = \"pod\""), fb),
        (with("[customers]\nfrom = \"prefix\""), om),
        (with(ARRAY), fa),
        (with("").replace("https://x", "ftp://x"), fa),
        (with("").replace("https://x", "http://x"), fa),
        (with("").replace("https://x", "https://me:secret@x"), fa),
        (with("").replace("api_token_env = \"TOKEN\"\n", ""), fa),
        (with("").replace("TOKEN\"\n", "TOKEN\"\napi_token_file = \"f\"\n"), fa),
        (with("").replace("api_token_env", "api_token"), fa),
        (with("").replace("api_version = \"2.26\"\n", ""), fa),
        (with("").replace("\"i\"", "\"\""), fa),
        (with("[[rule]]\nmetric = \"m\"\nkind = \"disk\"\nmeter = \"u\""), om),
    ];
    let all: Vec<String> = cases.iter().map(|(text, family)| refusal(text, *family)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn numbers_are_taken_between_their_ends_and_refused_beyond() {
    for (key, least, most) in [
        ("delay_seconds", 0, 600),
        ("backfill_hours", 0, 168),
        ("arrays_at_once", 1, 256),
        ("request_timeout_seconds", 1, 600),
        ("response_max_mbytes", 1, 256),
        ("page_size", 1, 10_000),
        ("spool_max_mbytes", 1, 1_048_576),
        ("interval_seconds", 1, 3600),
    ] {
        let taken = |value: i64| read(&with(&format!("{key} = {value}")), Family::FlashArray).is_ok();
        assert_eq!([least - 1, least, most, most + 1].map(taken), [false, true, true, false], "{key}");
    }
}

#[test]
fn arrays_are_taken_up_to_their_limit() {
    let array = |n: u64| {
        format!(
            "[[array]]\nname = \"a{n}\"\nid = \"i{n}\"\nurl = \"https://x\"\napi_version = \"2.1\"\napi_token_env = \"T\"\n"
        )
    };
    let taken = |count: u64| {
        let arrays: String = (0..count).map(array).collect();
        read(&format!("[collect]\nprovider = \"p\"\n{arrays}"), Family::FlashArray).is_ok()
    };
    assert_eq!([0, 1, check::ARRAYS_MAX, check::ARRAYS_MAX + 1].map(taken), [false, true, true, false]);
}

#[test]
fn what_is_in_force_is_shown_without_a_secret() {
    let text = format!(
        "[kafka]\nsecurity_protocol = \"sasl_ssl\"\nsasl_mechanism = \"PLAIN\"\nsasl_username = \"u\"\nsasl_password = \"hush\"\n{}",
        with("")
    );
    let variables = [("PLIMSOLL_LOG__FORMAT".to_owned(), "json".to_owned())];
    let config = CollectConfig::from_parts(Path::new("c"), &text, Family::FlashArray, variables).unwrap();
    let shown = toml::to_string(config.redacted()).unwrap();
    for expected in
        ["api_token_env = \"TOKEN\"", "sasl_password = \"***\"", "format = \"json\"", "spool_max_mbytes = 1024"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(!shown.contains("hush") && !format!("{config:?}").contains("hush"), "{shown}");
    // what is shown can be read again, but for the secrets
    let again = read(&shown, Family::FlashArray).unwrap();
    assert_eq!(again.arrays, config.arrays);
}

#[test]
fn only_a_flasharray_is_asked_for_what_was_missed() {
    use crate::core::word::Instant;
    let due = |family| {
        let text = with("backfill_hours = 2\ndelay_seconds = 0");
        read(&text, family).unwrap().schedule.plan(Some(Instant(0)), Instant(86_400_000)).due
    };
    assert_eq!(due(Family::FlashArray), Some(Instant(22 * 3_600_000)));
    assert_eq!(due(Family::FlashBlade), Some(Instant(86_400_000)));
    assert_eq!(due(Family::OpenMetrics), Some(Instant(86_400_000)));
}
