//! `plimsoll quote` against a second implementation, written from PRICING by other means: exact rationals, no shared code.

pub mod mistake;
pub mod oracle;
mod property;
pub mod random;
mod usage;

use std::sync::atomic::{AtomicU64, Ordering};

use mistake::Mistake;
use num_rational::BigRational;
use plimsoll::core::quote::quote;
use random::Random;
use serde_json::Value;

use crate::cases::{PLAIN, check};

/// A decimal's text as a rational.
pub fn rational(text: &str) -> BigRational {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = oracle::ten(part.len() as u32);
    BigRational::from_integer(format!("{whole}{part}").parse().unwrap()) * oracle::whole(sign) / scale
}

/// What both implementations say of a request, in the same words.
fn product(request: &Value) -> Result<Vec<String>, String> {
    let response = quote(&request.to_string()).map_err(|refusal| refusal.to_string())?;
    let response = serde_json::to_value(response).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut words: Vec<String> = Vec::new();
    for row in response["lines"].as_array().unwrap() {
        let fields =
            ["line", "kind", "quantity", "packages", "price", "unrounded", "amount", "used", "unused", "coverage"];
        words.push(fields.map(|field| text(&row[field])).join(" "));
    }
    for credit in response["credits"].as_array().unwrap() {
        words.push(["id", "applied", "left"].map(|field| text(&credit[field])).join(" "));
    }
    words.push(["subtotal", "saving", "tax", "total", "unrounded"].map(|field| text(&response[field])).join(" "));
    Ok(words)
}

#[test]
fn a_second_implementation_agrees() {
    check("quote: a second implementation", PLAIN, |seed| {
        let request = Random::new(seed).request();
        let wanted = oracle::price(&request, Mistake::None);
        assert_eq!(product(&request).as_ref(), Ok(&wanted), "seed {seed}: {request}");
    });
}

#[test]
fn planted_mistakes_are_caught() {
    for mistake in Mistake::ALL {
        let caught = (0..2_000).any(|seed| {
            let request = Random::new(seed).request();
            product(&request).as_ref() != Ok(&oracle::price(&request, mistake))
        });
        assert!(caught, "{mistake:?}");
    }
}

/// Anything that the schema admits is priced or refused with a pointer, never a panic.
#[test]
fn nothing_panics() {
    let quoted = AtomicU64::new(0);
    check("quote: no panic", 10 * PLAIN, |seed| {
        let request = Random::new(seed ^ 0xA5A5_0000).anything();
        match quote(&request.to_string()) {
            Ok(_) => drop(quoted.fetch_add(1, Ordering::Relaxed)),
            Err(refusal) => assert!(refusal.pointer.is_empty() || refusal.pointer.starts_with('/'), "{refusal}"),
        }
    });
    assert!(quoted.into_inner() > 0);
}
