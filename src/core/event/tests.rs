use proptest::prelude::*;

use super::*;
use crate::core::word::Kind;

const STRUCTURED: &str = include_str!("../../../examples/events/usage_event_structured.json");

fn refused(value: &str) -> Reason {
    decode(&RawRecord { key: None, headers: &[], value: value.as_bytes() }, &Limits::default()).expect_err(value).reason
}

/// The sample with one piece of text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(STRUCTURED.contains(from), "{from}");
    STRUCTURED.replacen(from, to, 1)
}

#[test]
fn both_modes_give_the_same_event() {
    let value: serde_json::Value = serde_json::from_str(STRUCTURED).unwrap();
    let binary: serde_json::Value =
        serde_json::from_str(include_str!("../../../examples/events/usage_event_binary.json")).unwrap();
    let headers: Vec<(String, String)> = binary["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (&**name, value.as_bytes())).collect();
    let data = serde_json::to_vec(&binary["value"]).unwrap();
    let limits = Limits::default();
    let from_binary = decode(&RawRecord { key: None, headers: &headers, value: &data }, &limits).unwrap();
    let cloudevents: &[(&str, &[u8])] = &[("content-type", b"application/cloudevents+json; charset=utf-8")];
    let mut from_structured =
        decode(&RawRecord { key: None, headers: cloudevents, value: STRUCTURED.as_bytes() }, &limits).unwrap();
    assert_eq!(from_structured.recorded, None.or(from_structured.recorded));
    from_structured.recorded = from_binary.recorded;
    assert_eq!(from_binary, from_structured);
    assert_eq!(from_binary.readings.len(), 6);
    assert_eq!(from_binary.readings[3].value, 9_812_734_500_112);
    assert_eq!(from_binary.readings[5].customer, None);
    assert_eq!(value["data"]["array"]["site"], "HAM1");
    assert_eq!(from_binary.site.as_deref(), Some("HAM1"));
}

#[test]
fn each_breach_has_its_reason() {
    use Reason::{OverLimit, RepeatedReading, Schema, Undecodable, UnknownType, Value};
    let long = "x".repeat(257);
    for (value, reason) in [
        (String::new(), Undecodable),
        ("{".to_owned(), Undecodable),
        (with("\"northwind\"", "\"\\ud800\""), Undecodable),
        (with("dev.plimsoll.usage.v1", "dev.plimsoll.usage.v2"), UnknownType),
        ("[]".to_owned(), Schema),
        ("{}".to_owned(), Schema),
        (with("\"1.0\"", "\"0.3\""), Schema),
        (with("\"time\": \"2026-10-14T08:00:00Z\"", "\"time\": \"2026-10-14T08:00:00.1234Z\""), Schema),
        (with("\"customer\": \"acme\"", "\"customer\": \"\""), Schema),
        (with("\"customer\": \"acme\"", "\"customer\": null"), Schema),
        (with("\"kind\": \"volume\"", "\"kind\": \"lun\""), Schema),
        (with("\"meter\": \"installed\"", "\"meter\": \"$observed\""), Schema),
        (with("\"value\": \"322156906938368\"", "\"value\": true"), Schema),
        (with("\"value\": \"322156906938368\"", "\"worth\": 1"), Schema),
        (with("\"value\": \"322156906938368\"", "\"value\": 1, \"value\": 1"), Schema),
        (with("\"322156906938368\"", "1.5"), Value),
        (with("\"322156906938368\"", "1.0"), Value),
        (with("\"322156906938368\"", "1e300"), Value),
        (with("\"322156906938368\"", "1e999"), Value),
        (with("\"322156906938368\"", "-1"), Value),
        (with("\"322156906938368\"", "-0"), Value),
        (with("\"322156906938368\"", "18446744073709551616"), Value),
        (with("\"322156906938368\"", "\"18446744073709551616\""), Value),
        (with("\"322156906938368\"", "\"\""), Value),
        (with("\"322156906938368\"", "\"NaN\""), Value),
        (with("\"meter\": \"installed\"", "\"meter\": \"effective_used\""), RepeatedReading),
        (with("vol-7b1f0c52", &long), OverLimit),
        (with("\"id\": \"3f2a91c7", &format!("\"id\": \"{long}")), OverLimit),
        (" ".repeat((16 << 20) + 1), OverLimit),
    ] {
        assert_eq!(refused(&value), reason, "{}", &value[..value.len().min(700)]);
    }
}

#[test]
fn of_several_reasons_the_first_in_order_counts_wherever_it_stands() {
    let bad_value = with("\"322156906938368\"", "1.5");
    assert_eq!(refused(&bad_value.replacen("\"value\": 1099511627776", "\"value\": null", 1)), Reason::Schema);
    assert_eq!(refused(&bad_value.replacen("usage.v1", "usage.v9", 1)), Reason::UnknownType);
    assert_eq!(refused(&bad_value.replacen("vol-c0ffee01", &"y".repeat(300), 1)), Reason::OverLimit);
    let readings: Vec<String> =
        (0..50_001).map(|i| format!(r#"{{"resource":"v{i}","kind":"volume","meter":"m","value":-1}}"#)).collect();
    let head = STRUCTURED.split("\"readings\"").next().unwrap();
    assert_eq!(refused(&format!("{head}\"readings\":[{}]}}}}", readings.join(","))), Reason::OverLimit);
}

#[test]
fn strange_but_lawful_forms_are_taken() {
    let bomb = format!("\"extension\": {}1{},", "[".repeat(20_000), "]".repeat(20_000));
    for value in [
        with("\"322156906938368\"", "322156906938368"),
        with("\"specversion\"", &format!("{bomb}\"specversion\"")),
        with("\"northwind\"", "\"north\\u0077ind\""),
        with("2026-10-14T08:00:00Z\",\n \"recorded", "2026-10-14T10:00:00.000+02:00\",\n \"recorded"),
    ] {
        let record = RawRecord { key: None, headers: &[], value: value.as_bytes() };
        let event = decode(&record, &Limits::default()).expect("a lawful form");
        assert_eq!((&*event.provider, event.time), ("northwind", Instant(1_791_964_800_000)));
    }
}

/// The published schema and the decoder name the same things.
#[test]
fn the_schema_says_what_the_decoder_takes() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../schemas/usage-event.schema.json")).unwrap();
    assert_eq!(schema["properties"]["type"]["const"], USAGE_TYPE);
    let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
    assert_eq!(schema["$defs"]["reading"]["properties"]["kind"]["enum"], serde_json::json!(kinds));
    let limits = Limits::default();
    assert_eq!(schema["$defs"]["id"]["maxLength"], limits.id_bytes);
    assert_eq!(schema["properties"]["data"]["properties"]["readings"]["maxItems"], limits.readings);
    let required =
        [&schema["required"], &schema["properties"]["data"]["required"], &schema["$defs"]["reading"]["required"]];
    for key in required.into_iter().flat_map(|keys| keys.as_array().unwrap()) {
        let key = key.as_str().unwrap();
        assert_eq!(refused(&with(&format!("\"{key}\":"), "\"another\":")), Reason::Schema, "{key}");
    }
}

#[test]
fn stored_hashes_never_change() {
    let record = RawRecord { key: None, headers: &[], value: STRUCTURED.as_bytes() };
    let event = decode(&record, &Limits::default()).unwrap();
    let identity = identity(&event.provider, &event.array, &event.source, &event.id);
    insta::assert_snapshot!(format!("{identity:032x} {:016x}", content(&event)));
}

#[test]
fn content_does_not_depend_on_order_labels_or_encoding() {
    let record = RawRecord { key: None, headers: &[], value: STRUCTURED.as_bytes() };
    let event = decode(&record, &Limits::default()).unwrap();
    let mut other = event.clone();
    other.readings.reverse();
    (other.array_name, other.site, other.recorded) = (None, None, None);
    other.readings.iter_mut().for_each(|reading| reading.name = None);
    assert_eq!(content(&event), content(&other));
    other.readings[0].customer = Some("acme".into());
    assert_ne!(content(&event), content(&other));
    let mut swapped = event.clone();
    (swapped.readings[2].value, swapped.readings[4].value) = (event.readings[4].value, event.readings[2].value);
    assert_ne!(content(&event), content(&swapped));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&RawRecord { key: None, headers: &[("ce_id", b"1")], value: &bytes }, &Limits::default());
    }

    #[test]
    fn a_mutated_event_is_taken_or_refused_with_a_reason(at in 0usize..1700, byte in any::<u8>(), cut in 0usize..3) {
        let mut bytes = STRUCTURED.as_bytes().to_vec();
        let at = at.min(bytes.len() - 4);
        bytes[at] = byte;
        bytes.drain(at + 1..at + 1 + cut);
        if let Err(refusal) = decode(&RawRecord { key: None, headers: &[], value: &bytes }, &Limits::default()) {
            prop_assert!(refusal.reason <= Reason::RepeatedReading && !refusal.detail.is_empty());
        }
    }

    #[test]
    fn any_number_is_read_exactly_or_refused(value in any::<u64>(), kind in 1u8..7) {
        let kind = Kind::from_number(kind).unwrap();
        let data = format!(r#"{{"specversion":"1.0","type":"{USAGE_TYPE}","id":"i","source":"s","time":"2026-01-01T00:00:00Z",
            "data":{{"provider":"p","array":{{"id":"a"}},"readings":[{{"kind":"{}","resource":"r","meter":"m","value":{value}}}]}}}}"#, kind.as_str());
        let record = RawRecord { key: None, headers: &[], value: data.as_bytes() };
        prop_assert_eq!(decode(&record, &Limits::default()).unwrap().readings[0].value, value);
    }
}
