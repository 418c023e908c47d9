//! What a part of a book says, as a flat list: the place of each value in words, and the value. Two books differ in just what
//! their lists differ in.

use rust_decimal::Decimal;
use serde_json::Value;

/// One value and its place in words, such as `price of the band up to 100`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) place: String,
    pub(super) value: String,
}

/// Keys whose values are amounts or prices, shown with two places at least.
const MONEY: [&str; 7] = ["price", "flat", "fee", "minimum", "maximum", "revenue", "amount"];

/// The leaves of a canonical value, in its order; nothing for what is not there.
pub(super) fn leaves(value: &Value) -> Vec<Leaf> {
    let mut found = Vec::new();
    walk(value, "", &[], &mut found);
    found
}

/// Goes down to the leaves of `value`, which stands under `key`; `around` are the places that hold it, the nearest last.
fn walk(value: &Value, key: &str, around: &[String], found: &mut Vec<Leaf>) {
    match value {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (number, item) in items.iter().enumerate() {
                let inner: Vec<String> =
                    around.iter().cloned().chain([element(key, number, item, items.len())]).collect();
                let inner = if inner.last().is_some_and(String::is_empty) { around.to_vec() } else { inner };
                walk_keys(item, &inner, identity(key), found);
            }
        }
        Value::Object(_) => match scalar(key, value) {
            Some(text) => push(key, around, text, found),
            None => {
                let inner = match word(key) {
                    // forms that only wrap what they hold
                    "charge" | "usage" | "price" | "bands" | "definition" | "party" | "share" | "" => around.to_vec(),
                    key => around.iter().cloned().chain([key.to_owned()]).collect(),
                };
                walk_keys(value, &inner, &[], found);
            }
        },
        _ => push(key, around, scalar(key, value).unwrap_or_default(), found),
    }
}

/// Goes down to all keys of an object but those that name it.
fn walk_keys(value: &Value, around: &[String], named_by: &[&str], found: &mut Vec<Leaf>) {
    let Some(object) = value.as_object() else { return };
    for (key, value) in object {
        if key == "committed" && value.get("price").is_some() {
            committed(value, around, found);
        } else if !named_by.contains(&key.as_str()) {
            walk(value, key, around, found);
        }
    }
}

/// A committed price and its overage, which have the same keys inside.
fn committed(value: &Value, around: &[String], found: &mut Vec<Leaf>) {
    if let Some(price) = value.get("price") {
        push(
            "price",
            &[around, &["committed unit".to_owned()]].concat(),
            scalar("price", price).unwrap_or_default(),
            found,
        );
    }
    let overage: Vec<String> = around.iter().cloned().chain(["overage".to_owned()]).collect();
    for key in ["overage_by_day", "bands"] {
        walk(value.get(key).unwrap_or(&Value::Null), key, &overage, found);
    }
}

fn push(key: &str, around: &[String], value: String, found: &mut Vec<Leaf>) {
    let places =
        around.iter().rev().map(|place| if place.contains(' ') { format!("the {place}") } else { place.clone() });
    let place = [word(key).to_owned()].into_iter().chain(places).collect::<Vec<_>>().join(" of ");
    found.push(Leaf { place, value });
}

/// The key of the book that a canonical key stands for.
fn word(key: &str) -> &str {
    match key {
        "by_day" | "overage_by_day" => "evaluate",
        "half_up" => "rounding",
        "issue_auto" => "issue",
        "gap_hold" => "gap",
        "demo" => "purpose",
        "max_hold_ms" => "max_hold",
        "cell_ms" => "cell",
        key => key,
    }
}

/// Keys that name an element of a list.
fn identity(key: &str) -> &'static [&'static str] {
    match key {
        "lines" => &["id"],
        "bands" => &["up_to"],
        "levels" => &["name", "from"],
        "commitment" => &["from"],
        "certified" => &["track"],
        _ => &[],
    }
}

/// An element of a list in words; empty if it is the only one and needs none.
fn element(key: &str, number: usize, item: &Value, count: usize) -> String {
    let named = |name: &str| item.get(name).and_then(|value| scalar(name, value));
    match key {
        "lines" => format!("line {}", named("id").unwrap_or_default()),
        "bands" => match named("up_to") {
            Some(edge) => format!("band up to {edge}"),
            None if count == 1 => String::new(),
            None => "last band".to_owned(),
        },
        "levels" => match (named("name"), named("from")) {
            (Some(name), _) => format!("level {name}"),
            (None, from) => format!("level from {}", from.unwrap_or_default()),
        },
        "commitment" => match named("from") {
            Some(from) => format!("commitment from {from}"),
            None => "commitment".to_owned(),
        },
        "certified" => format!("certificates {}", named("track").unwrap_or_default()),
        _ => format!("{} {}", key.trim_end_matches('s'), number + 1),
    }
}

/// A value that has one text; none for lists of tables and for tables.
fn scalar(key: &str, value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) if MONEY.contains(&key) => money(text),
        Value::String(text) if key == "buyer" && text == "each_customer" => "*".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag_word(key, *flag).to_owned(),
        Value::Number(number) if key.ends_with("_ms") => {
            format!("{} minutes", number.as_i64().unwrap_or_default() / 60_000)
        }
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(|item| scalar(key, item)).collect::<Option<Vec<_>>>()?.join(", "),
        Value::Object(one) if one.len() == 1 => match one.iter().next()? {
            (form, value)
                if matches!(form.as_str(), "day" | "at" | "quantity" | "vendor" | "provider" | "customer") =>
            {
                scalar(form, value)?
            }
            (form, Value::String(percent)) if form == "percent" => format!("{percent}%"),
            _ => return None,
        },
        Value::Null | Value::Object(_) => return None,
    })
}

fn flag_word(key: &str, flag: bool) -> &'static str {
    match (key, flag) {
        ("by_day" | "overage_by_day", true) => "day",
        ("by_day" | "overage_by_day", false) => "period",
        ("half_up", true) => "half_up",
        ("half_up", false) => "half_even",
        ("issue_auto", true) => "auto",
        ("issue_auto", false) => "manual",
        ("gap_hold", true) => "hold",
        ("gap_hold", false) => "zero",
        ("demo", true) => "demo",
        ("demo", false) => "production",
        (_, true) => "true",
        (_, false) => "false",
    }
}

/// An amount as a clerk writes it: two places at least.
fn money(text: &str) -> String {
    match text.parse::<Decimal>() {
        Ok(mut amount) if amount.scale() < 2 => {
            amount.rescale(2);
            amount.to_string()
        }
        _ => text.to_owned(),
    }
}
