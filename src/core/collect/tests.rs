//! What is made of the vendors' answers in `examples/vendor/`.

use super::exposition::parse;
use super::page::{Followed, Page};
use super::rule::Identity;
use super::snapshot::{METERS, Question};
use super::*;
use crate::core::event::{Limits, RawRecord, content, decode};
use crate::core::word::Instant;

const HISTORY: &str = include_str!("../../../examples/vendor/flasharray_arrays_space_history.json");
const VOLUMES: &str = include_str!("../../../examples/vendor/flasharray_volumes.json");
const VOLUMES_SPACE: &str = include_str!("../../../examples/vendor/flasharray_volumes_space.json");
const TAGS: &str = include_str!("../../../examples/vendor/flasharray_volumes_tags.json");
const FLASHBLADE: &str = include_str!("../../../examples/vendor/flashblade_arrays_space.json");
const EXPOSITION: &str = include_str!("../../../examples/vendor/purefa_exporter_exposition.txt");
const REFERENCE: &str = include_str!("../../../config/collect.toml");

const ARRAY: &str = "3f2a91c7-5d84-4e0b-9a6c-0b7d41e2c9f8";
const AT: Instant = Instant(1_789_372_800_000);
const STEP_MS: i64 = 300_000;

fn meters() -> Vec<String> {
    METERS.iter().map(|meter| (*meter).to_owned()).collect()
}

fn list<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    page::parse("a list", text.as_bytes()).unwrap().items
}

fn answers() -> flasharray::Answers {
    flasharray::Answers { arrays: list(HISTORY), volumes: list(VOLUMES_SPACE), tags: list(TAGS), places: list(VOLUMES) }
}

fn tags() -> Customers {
    Customers::Tag { namespace: "staas".to_owned(), key: "chargeback".to_owned() }
}

fn flasharray_at(instant: Instant, customers: &Customers, meters: &[String]) -> Result<Snapshot, ReadError> {
    let question = Question { array: ARRAY, tier: Some("//Block - Premium"), meters, customers };
    flasharray::snapshot(&question, &flasharray::Window::of(instant, STEP_MS), &answers())
}

fn event(snapshot: &Snapshot, recorded: Instant) -> Vec<u8> {
    let subject = Subject { provider: "northwind", array: ARRAY, name: "fa", site: Some("HAM1") };
    event::encode(&subject, AT, recorded, snapshot).unwrap()
}

fn pretty(value: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<serde_json::Value>(value).unwrap()).unwrap()
}

fn value_of(snapshot: &Snapshot, resource: &str, meter: &str) -> Option<u64> {
    let found = snapshot.readings.iter().find(|taken| taken.resource == resource && taken.meter == meter);
    found.map(|taken| taken.value)
}

fn reference_rules() -> (Identity, Vec<Rule>) {
    #[derive(serde::Deserialize)]
    struct File {
        identity: std::collections::BTreeMap<String, String>,
        rule: Vec<Rule>,
    }
    let file: File = toml::from_str(REFERENCE).unwrap();
    let text = |key: &str| file.identity[key].clone();
    (Identity { metric: text("metric"), id: text("id"), name: text("name") }, file.rule)
}

fn exposed(text: &str) -> Result<Snapshot, ReadError> {
    let (identity, rules) = reference_rules();
    rule::snapshot(ARRAY, Some("//Block - Premium"), Some(&identity), &rules, &parse(text)?)
}

#[test]
fn a_flasharrays_answers_are_one_event() {
    let snapshot = flasharray_at(AT, &tags(), &meters()).unwrap();
    insta::assert_snapshot!(pretty(&event(&snapshot, AT.plus_ms(41_000))));
}

#[test]
fn an_exposition_is_one_event() {
    insta::assert_snapshot!(pretty(&event(&exposed(EXPOSITION).unwrap(), AT.plus_ms(41_000))));
}

#[test]
fn a_flashblades_answers_are_one_event() {
    let objects: Vec<flashblade::SpaceItem> = list(FLASHBLADE);
    let whole = FLASHBLADE.replace("72567767433216", "99000000000000");
    let systems = r#"{"items": [
        {"id": "fs-1", "name": "tenant-a::home", "provisioned": 10995116277760, "space": {"total_used": 1500, "unique": 1}},
        {"id": "fs-2", "name": "plain", "provisioned": 5, "space": {"total_physical": 0}},
        {"id": "fs-3", "name": null, "space": {}}
    ], "continuation_token": null}"#;
    let buckets = r#"{"items": [
        {"id": "b-1", "name": "tenant-a::backup", "account": {"name": "a"}, "object_count": 3, "space": {"total_used": 700, "virtual": 9}},
        {"id": "b-2", "name": "logs", "space": {"total_physical": 7}}
    ], "continuation_token": null}"#;
    let (file_systems, buckets) = (list(systems), list(buckets));
    let answers = flashblade::Answers { arrays: list(&whole), files: Vec::new(), objects, file_systems, buckets };
    let (meters, customers) = (meters(), Customers::Prefix("::".to_owned()));
    let array = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";
    let question = Question { array, tier: Some("//UFFO - Standard"), meters: &meters, customers: &customers };
    let snapshot = flashblade::snapshot(&question, &answers).unwrap();
    assert_eq!(snapshot.left_out, 3, "files were not answered, and fs-3 has neither figure");
    let subject = Subject { provider: "northwind", array, name: "fb", site: None };
    insta::assert_snapshot!(pretty(&event::encode(&subject, AT, AT, &snapshot).unwrap()));
    let other = Question { array: ARRAY, ..question };
    assert!(matches!(flashblade::snapshot(&other, &answers), Err(ReadError::WrongArray { .. })));
}

/// The REST API and its exporter say the same of the array and of volumes, each in its own words.
#[test]
fn both_ways_to_a_flasharray_give_the_same_figures() {
    let (rest, exposed) = (flasharray_at(AT, &tags(), &meters()).unwrap(), exposed(EXPOSITION).unwrap());
    for meter in ["installed", "effective_used"] {
        assert_eq!(value_of(&rest, ARRAY, meter), value_of(&exposed, ARRAY, meter), "{meter}");
    }
    let used = |snapshot: &Snapshot| {
        let volumes =
            snapshot.readings.iter().filter(|taken| taken.resource != ARRAY && taken.meter == "effective_used");
        let mut used: Vec<_> = volumes.map(|taken| (taken.name.clone(), taken.value)).collect();
        used.sort();
        used
    };
    assert_eq!(used(&rest), used(&exposed));
    assert_eq!(used(&rest).len(), 3);
}

#[test]
fn each_instant_has_the_figures_of_its_own_window() {
    let mut answers = answers();
    answers.volumes.clear();
    let (meters, customers) = (meters(), Customers::Untagged);
    let question = Question { array: ARRAY, tier: None, meters: &meters, customers: &customers };
    let at = |instant: Instant| {
        let window = flasharray::Window::of(instant, STEP_MS);
        flasharray::snapshot(&question, &window, &answers).map(|snapshot| value_of(&snapshot, ARRAY, "effective_used"))
    };
    assert_eq!(at(AT), Ok(Some(174_548_007_780_351)));
    assert_eq!(at(AT.plus_ms(STEP_MS)), Ok(Some(174_569_998_012_906)));
    assert_eq!(at(AT.plus_ms(STEP_MS - 1)), at(AT), "its sample is the last one before");
    assert_eq!(at(AT.plus_ms(-1)), Err(ReadError::NoSample));
    assert_eq!(at(AT.plus_ms(3 * STEP_MS)), Err(ReadError::NoSample));
    assert_eq!(flasharray::Window::of(AT, 60_000).step_ms, 30_000, "finer than five minutes asks the finer history");
}

#[test]
fn a_customer_is_what_the_site_says_it_is() {
    let customers_of = |customers: Customers| {
        let snapshot = flasharray_at(AT, &customers, &["effective_used".to_owned()]).unwrap();
        let volumes = snapshot.readings.into_iter().filter(|taken| taken.resource != ARRAY);
        volumes.map(|taken| taken.customer.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(customers_of(tags()), ["cc-7731", "cc-8890", ""]);
    assert_eq!(customers_of(Customers::Pod), ["tenant-a", "tenant-b", ""]);
    assert_eq!(customers_of(Customers::Prefix("::".to_owned())), ["tenant-a", "tenant-b", ""]);
    assert_eq!(customers_of(Customers::Untagged), ["", "", ""]);
    let other = Customers::Tag { namespace: "default".to_owned(), key: "chargeback".to_owned() };
    assert_eq!(customers_of(other), ["", "", ""]);
}

#[test]
fn an_absent_figure_is_left_out_and_never_0() {
    let mut answers = answers();
    answers.volumes = list(&VOLUMES_SPACE.replacen("\"total_used\": 3364505580994", "\"total_used\": null", 1));
    let (meters, customers) = (meters(), Customers::Untagged);
    let question = Question { array: ARRAY, tier: None, meters: &meters, customers: &customers };
    let snapshot = flasharray::snapshot(&question, &flasharray::Window::of(AT, STEP_MS), &answers).unwrap();
    assert_eq!(snapshot.left_out, 1);
    assert_eq!(value_of(&snapshot, "b1f0c8d2-77aa-4f5e-8f11-5b8c7f3d9e01", "effective_used"), None);
}

#[test]
fn what_is_not_exact_is_refused() {
    let space = |value: &str| HISTORY.replacen("174548007780351", value, 2);
    for value in ["1.5", "-1", "1e3", "\"7\""] {
        let parsed = page::parse::<flasharray::SpaceItem>("/arrays/space", space(value).as_bytes());
        assert!(matches!(parsed, Err(ReadError::Malformed { .. })), "{value}");
    }
    for value in ["0.5", "NaN", "-1", "1e30"] {
        let refused = exposed(&EXPOSITION.replace("1.74548007780351e+14", value)).unwrap_err();
        assert!(matches!(refused, ReadError::Malformed { .. }), "{value}: {refused}");
    }
}

#[test]
fn answers_of_another_array_are_refused() {
    let other = EXPOSITION.replace(ARRAY, "another");
    assert_eq!(exposed(&other), Err(ReadError::WrongArray { found: "another".to_owned() }));
    assert_eq!(exposed("# EOF\n"), Err(ReadError::NoSample));
    let (meters, customers) = (meters(), Customers::Untagged);
    let question = Question { array: "another", tier: None, meters: &meters, customers: &customers };
    let read = flasharray::snapshot(&question, &flasharray::Window::of(AT, STEP_MS), &answers());
    assert_eq!(read, Err(ReadError::WrongArray { found: ARRAY.to_owned() }));
}

/// Who polls again makes the same identity and, where the answers are the same, the same content: a duplicate.
#[test]
fn a_second_poll_of_an_instant_is_a_duplicate_of_the_first() {
    let snapshot = flasharray_at(AT, &tags(), &meters()).unwrap();
    let mut turned = snapshot.clone();
    turned.readings.reverse();
    let (first, second) = (event(&snapshot, AT), event(&turned, AT.plus_ms(900_000)));
    let read = |value: &[u8]| {
        let record = RawRecord { key: None, headers: &[], value };
        let event = decode(&record, &Limits::default()).unwrap();
        (event.id.to_string(), event.source.to_string(), event.time, content(&event))
    };
    assert_eq!(read(&first), read(&second));
    assert_eq!(read(&first).0, format!("{ARRAY}/{AT}"));
    turned.readings[0].value += 1;
    assert_ne!(read(&event(&turned, AT)).3, read(&first).3);
}

#[test]
fn an_event_that_would_be_quarantined_is_not_made() {
    let mut snapshot = flasharray_at(AT, &tags(), &meters()).unwrap();
    snapshot.readings.push(snapshot.readings[0].clone());
    let subject = Subject { provider: "northwind", array: ARRAY, name: "fa", site: None };
    let refused = event::encode(&subject, AT, AT, &snapshot).unwrap_err();
    assert!(matches!(refused, ReadError::Unacceptable { reason: "repeated_reading", .. }), "{refused}");
    snapshot.readings.pop();
    snapshot.readings[0].resource = "r".repeat(257);
    let refused = event::encode(&subject, AT, AT, &snapshot).unwrap_err();
    assert!(matches!(refused, ReadError::Unacceptable { reason: "over_limit", .. }), "{refused}");
}

#[test]
fn a_page_says_where_the_rest_is() {
    for (more, next) in [
        ("", None),
        (r#","continuation_token":null"#, None),
        (r#","continuation_token":"""#, None),
        (r#","continuation_token":"t""#, Some("t")),
        (r#","continuation_token":"t","more_items_remaining":true"#, Some("t")),
        (r#","continuation_token":"t","more_items_remaining":false"#, None),
    ] {
        let page = page::parse::<u64>("numbers", format!("{{\"items\":[1,2]{more}}}").as_bytes()).unwrap();
        assert_eq!((page.items.len(), page.next.as_deref()), (2, next), "{more}");
    }
    let refused = page::parse::<u64>("numbers", b"<html>").unwrap_err().to_string();
    assert!(refused.starts_with("numbers is not understood"), "{refused}");
}

#[test]
fn a_list_that_leads_around_is_not_followed() {
    let mut followed = Followed::default();
    let mut next = |items: &[u8], token: Option<&str>| {
        let mut page = Page { items: items.to_vec(), next: token.map(str::to_owned) };
        followed.next("numbers", &mut page).map_err(|error| error.to_string())
    };
    assert_eq!(next(&[1], Some("a")), Ok(Some("a".to_owned())));
    assert_eq!(next(&[2], Some("b")), Ok(Some("b".to_owned())));
    let around = next(&[1], Some("a")).unwrap_err();
    assert!(around.starts_with("numbers does not end"), "{around}");
    assert_eq!(next(&[], Some("c")), Err(around), "nothing, and more of it");
    assert_eq!(next(&[], None), Ok(None));
}
