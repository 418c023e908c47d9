//! The acceptance vectors, and the worked numbers of PRICING as quotes.

use serde_json::{Value, json};

use super::*;

fn quoted(request: &Value) -> Result<Value, Refusal> {
    quote(&request.to_string()).map(|response| serde_json::to_value(response).unwrap())
}

/// What a path such as `lines[kind=minimum].amount` leads to; an absent row is 0.
fn follow(response: &Value, path: &str) -> String {
    let mut at = response.clone();
    for step in path.split('.') {
        let (key, place) =
            step.split_once('[').map_or((step, None), |(key, rest)| (key, Some(rest.trim_end_matches(']'))));
        at = at[key].clone();
        at = match place.map(|place| place.split_once('=').ok_or(place)) {
            None => at,
            Some(Ok((field, value))) => {
                let list = at.as_array().unwrap().clone();
                list.into_iter().find(|row| row[field] == value).unwrap_or_else(|| json!({}))
            }
            Some(Err(index)) => at[index.parse::<usize>().unwrap()].clone(),
        };
    }
    at.as_str().unwrap_or("0").to_owned()
}

fn number(text: &str) -> rust_decimal::Decimal {
    text.parse().unwrap()
}

fn list(response: &Value, key: &str) -> Value {
    response["lines"].as_array().unwrap().iter().map(|row| row[key].clone()).collect()
}

fn check(expect: &Value, outcome: &Result<Value, Refusal>) -> Result<(), String> {
    if expect.get("exit") == Some(&json!(2)) {
        return outcome.as_ref().map_or(Ok(()), |quote| Err(format!("quoted: {quote}")));
    }
    let response = outcome.as_ref().map_err(ToString::to_string)?;
    if let Some(path) = expect["path"].as_str() {
        let (path, places) = path.split_once('@').map_or((path, None), |(path, places)| (path, places.parse().ok()));
        let mut found = number(&follow(response, path));
        if let Some(places) = places {
            found = found.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        }
        let wanted = number(expect["value"].as_str().unwrap());
        return if found == wanted { Ok(()) } else { Err(format!("{found} where {wanted} is wanted: {response}")) };
    }
    let found = [
        ("total", response["total"].clone()),
        ("rows", list(response, "amount")),
        ("quantities", list(response, "quantity")),
    ];
    for (key, found) in found {
        if let Some(wanted) = expect.get(key).filter(|wanted| **wanted != found) {
            return Err(format!("{key} {found} where {wanted} is wanted: {response}"));
        }
    }
    Ok(())
}

#[test]
fn acceptance_vectors() {
    let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/quote_vectors.json")).unwrap();
    let mut failed = Vec::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        if let Err(why) = check(&vector["expect"], &quoted(&vector["request"])) {
            failed.push(format!("{}: {why}", vector["id"]));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Bands 0-100 @ 30, -500 @ 27.50, above @ 25.
fn three() -> Value {
    json!([{"up_to": "100", "price": "30"}, {"up_to": "500", "price": "27.50"}, {"price": "25"}])
}

fn tib(level: u64) -> Value {
    json!((level << 40).to_string())
}

/// 95, 110 and 130 TiB, ten days each.
fn rising() -> Value {
    json!([[0, tib(95)], [864_000, tib(110)], [1_728_000, tib(130)]])
}

/// A request with these lines in this period, and what else is given.
fn request(period: Value, lines: Value, more: Value) -> Value {
    let mut request = json!({"schema": SCHEMA, "currency": "EUR", "lines": lines});
    for part in [period, more] {
        for (key, value) in part.as_object().unwrap() {
            request[key] = value.clone();
        }
    }
    request
}

fn days(days: u64) -> Value {
    json!({"period_seconds": days * 86_400})
}

fn march() -> Value {
    json!({"period": {"start": "2026-03-01T00:00:00+01:00", "end": "2026-04-01T00:00:00+02:00", "time_zone": "Europe/Berlin"}})
}

/// A quote as a clerk reads it: one line a row.
fn clerk(request: &Value) -> String {
    let quote = match quoted(request) {
        Ok(quote) => quote,
        Err(refusal) => return format!("  refused: {refusal}\n"),
    };
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut words = String::new();
    for row in quote["lines"].as_array().unwrap() {
        let factor = match row["packages"].as_str() {
            Some(packages) => format!("{} in {packages} packages", text(&row["quantity"])),
            None => text(&row["quantity"]),
        };
        let factor = if factor.is_empty() { factor } else { format!("{factor} {}", text(&row["unit"])) };
        let price = row["price"].as_str().map_or(String::new(), |price| format!(" @ {price}"));
        words.push_str(&format!(
            "  {:<10} {:>40} = {:>10}\n",
            text(&row["kind"]),
            factor + &price,
            text(&row["amount"])
        ));
    }
    words.push_str(&format!("  {:<10} {:>40} = {:>10}\n", "total", text(&quote["currency"]), text(&quote["total"])));
    words
}

#[test]
fn worked_numbers() {
    let one = || json!({});
    let flats = json!([{"up_to": "5", "flat": "100"}, {"up_to": "10", "flat": "50"}, {"price": "10"}]);
    let capacity = json!([{"up_to": "1000", "flat": "750"}, {"flat": "1200"}]);
    let overage = |evaluate: &str, bands: Value| {
        json!([{"unit": "TiB-month", "levels": rising(), "commitment": {"quantity": "100", "price": "24"},
            "overage": {"evaluate": evaluate, "bands": bands}}])
    };
    let burst = json!([{"up_to": "20%", "price": "27"}, {"price": "40.50"}]);
    let dst = json!([{"unit": "TiB-month", "levels": [[0, tib(100)], [2_415_600, tib(120)], [2_498_400, tib(100)]],
        "commitment": {"quantity": "100", "price": "24"}, "overage": {"price": "27"}}]);
    let acme = json!([
        {"id": "block", "unit": "TiB-month", "levels": [[0, tib(40)]], "discounts": [{"percent": "10"}],
         "bands": [{"up_to": "10", "price": "49"}, {"up_to": "50", "price": "45"}, {"price": "41"}]},
        {"id": "platform", "fee": "90", "discounts": [{"percent": "10"}]}]);
    let changed = json!([
        {"id": "until the 10th", "quantity": "40", "band_quantity": "120", "bands": [{"up_to": "100", "price": "100"}, {"price": "92"}]},
        {"id": "from the 11th", "quantity": "80", "band_quantity": "120", "bands": [{"up_to": "100", "price": "90"}, {"price": "80"}]}]);
    let gap =
        json!([{"unit": "TiB-month", "price": "1", "levels": [[0, tib(100)], [864_000, null], [1_036_800, tib(100)]]}]);
    let cases = [
        ("§5 unit", request(one(), json!([{"quantity": "12.5", "price": "27"}]), one())),
        ("§5 graduated", request(one(), json!([{"quantity": "620.5", "bands": three()}]), one())),
        (
            "§5 graduated, just above an edge",
            request(one(), json!([{"quantity": "100.000001", "bands": three()}]), one()),
        ),
        (
            "§5 volume at an edge",
            request(one(), json!([{"quantity": "500", "mode": "volume", "bands": three()}]), one()),
        ),
        (
            "§5 volume above it",
            request(one(), json!([{"quantity": "500.000001", "mode": "volume", "bands": three()}]), one()),
        ),
        ("§5 package", request(one(), json!([{"quantity": "40.000001", "price": "5", "per": "20"}]), one())),
        ("§5 flat per band, 0", request(one(), json!([{"quantity": "0", "bands": flats}]), one())),
        ("§5 flat per band, 12", request(one(), json!([{"quantity": "12", "bands": flats}]), one())),
        (
            "§5 capacity",
            request(one(), json!([{"quantity": "1000.000001", "mode": "volume", "bands": capacity}]), one()),
        ),
        (
            "§5 free allowance",
            request(
                one(),
                json!([{"quantity": "121", "bands": [{"up_to": "10", "price": "0"}, {"price": "100", "per": "10"}]}]),
                one(),
            ),
        ),
        (
            "§5 share",
            request(
                one(),
                json!([{"id": "cap", "quantity": "620.5", "bands": three()}, {"share": {"percent": "8", "of": ["cap"]}}]),
                one(),
            ),
        ),
        ("§6 by day, bursts", request(days(30), overage("day", burst.clone()), one())),
        ("§6 by day, one price", request(days(30), overage("day", json!([{"price": "27"}])), one())),
        ("§6 by period, bursts", request(days(30), overage("period", burst), one())),
        ("§6 ceiling", request(one(), json!([{"quantity": "960", "ceiling": "850", "price": "25"}]), one())),
        ("§2 a day of 23 hours", request(march(), dst, one())),
        (
            "§7 acme from 17 March 12:00",
            request(
                march(),
                acme,
                json!({"active_seconds": [1_425_600, 2_674_800], "rounding": {"mode": "half_up"}, "tax_percent": "19"}),
            ),
        ),
        (
            "§8 discounts multiply",
            request(
                one(),
                json!([{"quantity": "12.5", "price": "27", "discounts": [{"percent": "6"}, {"percent": "3"}]}]),
                one(),
            ),
        ),
        ("§9 a price that changes", request(one(), changed, one())),
        (
            "§9 nothing of bands that another quantity finds",
            request(
                one(),
                json!([{"quantity": "0", "band_quantity": "10", "bands": [{"up_to": "5", "price": "1"}, {"price": "2"}]}]),
                one(),
            ),
        ),
        ("§10 per array", request(one(), json!([{"quantities": ["80", "150"], "bands": three()}]), one())),
        ("§10 pooled", request(one(), json!([{"quantity": "230", "bands": three()}]), one())),
        ("§12 a gap of two days", request(days(30), gap, one())),
        (
            "§13 minimum, credit, tax",
            request(
                one(),
                json!([{"id": "a", "quantity": "50.5", "price": "30"}, {"id": "b", "quantity": "12.345678", "price": "12"}]),
                json!({"minimum": "5000", "credits": [{"id": "sla", "amount": "120"}], "tax_percent": "19"}),
            ),
        ),
        (
            "§14 adjustment",
            request(one(), json!([{"quantity": "130", "bands": three(), "billed": {"quantity": "128.75"}}]), one()),
        ),
    ];
    let mut sheet = String::new();
    for (title, request) in cases {
        sheet.push_str(&format!("{title}\n{}", clerk(&request)));
    }
    insta::assert_snapshot!(sheet);
}

#[test]
fn refusals_name_the_culprit() {
    let line = |line: Value| request(json!({}), json!([line]), json!({}));
    let with = |more: Value| request(json!({}), json!([{"quantity": "1", "price": "1"}]), more);
    let cases = [
        ("prize", line(json!({"quantity": "1", "prize": "1"}))),
        ("two quantities", line(json!({"quantity": "1", "fee": "1", "price": "1"}))),
        ("no quantity", line(json!({"price": "1"}))),
        ("no price", line(json!({"quantity": "1"}))),
        ("price and bands", line(json!({"quantity": "1", "price": "1", "bands": [{"price": "1"}]}))),
        ("bare number", line(json!({"quantity": 1, "price": "1"}))),
        ("exponent", line(json!({"quantity": "1e3", "price": "1"}))),
        ("negative", line(json!({"quantity": "-1", "price": "1"}))),
        ("ten places", line(json!({"quantity": "1.0000000001", "price": "1"}))),
        ("per 0", line(json!({"quantity": "1", "price": "1", "per": "0"}))),
        ("per 0 in a band", line(json!({"quantity": "1", "bands": [{"price": "1", "per": "0.0"}]}))),
        ("to 0", line(json!({"quantity": "1", "price": "1", "round_quantity": {"to": "0", "mode": "up"}}))),
        ("last band closed", line(json!({"quantity": "1", "bands": [{"up_to": "5", "price": "1"}]}))),
        ("first band open", line(json!({"quantity": "1", "bands": [{"price": "1"}, {"price": "1"}]}))),
        (
            "falling edges",
            line(
                json!({"quantity": "1", "bands": [{"up_to": "5", "price": "1"}, {"up_to": "5", "price": "1"}, {"price": "1"}]}),
            ),
        ),
        ("percent edge", line(json!({"quantity": "1", "bands": [{"up_to": "5%", "price": "1"}, {"price": "1"}]}))),
        ("band without price", line(json!({"quantity": "1", "bands": [{}]}))),
        ("discount above 100", line(json!({"quantity": "1", "price": "1", "discounts": [{"percent": "100.1"}]}))),
        ("commitment alone", line(json!({"quantity": "1", "commitment": {"quantity": "1", "price": "1"}}))),
        ("overage alone", line(json!({"quantity": "1", "overage": {"price": "1"}}))),
        ("levels not rising", line(json!({"levels": [[0, "1"], [0, "2"]], "price": "1"}))),
        ("levels past the end", line(json!({"levels": [[2, "1"]], "price": "1"}))),
        (
            "a peak of a month",
            line(json!({"levels": [[0, "1"]], "price": "1", "statistic": "peak", "unit": "TiB-month"})),
        ),
        ("unit", line(json!({"quantity": "1", "price": "1", "unit": "TiB-day"}))),
        ("later share", line(json!({"id": "a", "share": {"percent": "1", "of": ["a"]}}))),
        ("share of nothing", line(json!({"share": {"percent": "1", "of": []}}))),
        ("a key with a line break", line(json!({"quantity": "1", "pri\nce": "1"}))),
        ("an id with a line break", line(json!({"share": {"percent": "1", "of": ["a\nb"]}}))),
        ("the whole request", json!([])),
        ("share above 100", line(json!({"share": {"percent": "101", "of": ["a"]}}))),
        ("day and volume", line(json!({"quantity": "1", "mode": "volume", "evaluate": "day", "price": "1"}))),
        ("minimum above maximum", line(json!({"quantity": "1", "price": "1", "minimum": "2", "maximum": "1"}))),
        ("overflow", line(json!({"quantity": "999999999999999999999", "price": "999999999999999999999"}))),
        ("currency", with(json!({"currency": "EURO"}))),
        ("no minor unit", with(json!({"currency": "XAU"}))),
        (
            "both periods",
            with(
                json!({"period_seconds": 1, "period": {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z", "time_zone": "UTC"}}),
            ),
        ),
        ("seconds as a decimal", with(json!({"period_seconds": 1.5}))),
        ("active past the end", with(json!({"active_seconds": [0, 2]}))),
        ("tax above 100", with(json!({"tax_percent": "100.000000001"}))),
        ("schema", with(json!({"schema": "plimsoll.quote/2"}))),
        ("no lines", with(json!({"lines": []}))),
        ("two lines of one id", with(json!({"lines": [{"id": "2", "fee": "1"}, {"fee": "1"}]}))),
    ];
    let mut sheet = String::new();
    for (title, request) in cases {
        let outcome = quoted(&request).map_or_else(|refusal| refusal.to_string(), |quote| format!("quoted: {quote}"));
        sheet.push_str(&format!("{title}: {outcome}\n"));
    }
    let twice = r#"{"schema":"plimsoll.quote/1","currency":"EUR","lines":[{"fee":"1","fee":"2"}]}"#;
    sheet.push_str(&format!("written twice: {}\n", quote(twice).unwrap_err()));
    insta::assert_snapshot!(sheet);
}
