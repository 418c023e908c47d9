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
