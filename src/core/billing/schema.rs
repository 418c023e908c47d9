//! `schemas/invoice.schema.json` says what documents are: every sample fits it, and whatever is changed in one does not.

use serde_json::{Value, json};

use super::close::closed;
use super::credit_note::{credit_note, whole};
use super::sample::{issue, northwind_invoice, northwind_statement};
use crate::core::decision::closing::CreditNote;

/// A validator of the keywords that the schema uses, and of no others. It says where the first fault is.
struct Schema(Value);

impl Schema {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../../schemas/invoice.schema.json")).unwrap())
    }

    fn check(&self, document: &Value) -> Result<(), String> {
        self.fits(&self.0, document, "")
    }

    fn fits(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        for (keyword, wanted) in schema.as_object().unwrap() {
            let fits = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.fits(&self.0["$defs"][name], value, place)?;
                    true
                }
                "anyOf" => wanted.as_array().unwrap().iter().any(|one| self.fits(one, value, place).is_ok()),
                "const" => value == wanted,
                "enum" => wanted.as_array().unwrap().contains(value),
                "type" => types(wanted).any(|name| has_type(value, name)),
                "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
                "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().unwrap(), text)),
                "required" => names(wanted).all(|name| value.get(name).is_some()),
                "additionalProperties" => {
                    assert_eq!(*wanted, json!(false));
                    let known = schema["properties"].as_object().unwrap();
                    value.as_object().is_none_or(|value| value.keys().all(|key| known.contains_key(key)))
                }
                "properties" => {
                    for (name, own) in wanted.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.fits(own, value, &format!("{place}/{name}"))?;
                        }
                    }
                    true
                }
                "items" => {
                    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                        self.fits(wanted, value, &format!("{place}/{index}"))?;
                    }
                    true
                }
                other => panic!("{other} is a keyword that this test does not know"),
            };
            if !fits {
                return Err(format!("{place}: {keyword}"));
            }
        }
        Ok(())
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap())
}

fn types(wanted: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match wanted.as_str() {
        Some(one) => Box::new(std::iter::once(one)),
        None => Box::new(names(wanted)),
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other} is a type that this test does not know"),
    }
}

/// The schema's patterns, each in words.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match pattern {
        "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$" => {
            let text = text.strip_prefix('-').unwrap_or(text);
            let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
            digits(whole) && digits(part) && (whole == "0" || !whole.starts_with('0'))
        }
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z$" => {
            text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
        "^sha256:[0-9a-f]+$" => text.strip_prefix("sha256:").is_some_and(|hex| {
            !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
        }),
        other => panic!("{other} is a pattern that this test does not know"),
    }
}

#[test]
fn documents_fit_their_schema() {
    let schema = Schema::read();
    let invoice = northwind_invoice();
    let rows = whole(&invoice, &[]).unwrap();
    let note = CreditNote {
        number: "EG-2026-000118".to_owned(),
        sequence: 0,
        rows,
        reason: "Wrong site".to_owned(),
        credits: Vec::new(),
    };
    let note = issue(credit_note(&invoice, &[], &note).unwrap(), "EG-2026-000119");
    for document in [northwind_statement(), closed(northwind_statement(), "k").unwrap(), invoice, note] {
        assert_eq!(schema.check(&serde_json::to_value(document).unwrap()), Ok(()));
    }
}

/// Every key is obligatory, and no other is taken.
#[test]
fn what_is_no_document_does_not_fit() {
    let schema = Schema::read();
    let document = serde_json::to_value(northwind_invoice()).unwrap();
    for key in document.as_object().unwrap().keys() {
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove(key);
        assert_eq!(schema.check(&without), Err(": required".to_owned()), "{key}");
    }
    for (place, value, fault) in [
        ("/more", json!(1), ": additionalProperties"),
        ("/total", json!(3260.87), "/total: type"),
        ("/total", json!("3260,87"), "/total: pattern"),
        ("/type", json!("void"), "/type: enum"),
        ("/issue_date", json!("4.10.2026"), "/issue_date: anyOf"),
        ("/rows/0/band", json!({"over": "0"}), "/rows/0/band: anyOf"),
        ("/rows/0/kind", json!("billing"), "/rows/0/kind: enum"),
        ("/proof/digest", json!("md5:00"), "/proof/digest: pattern"),
    ] {
        let mut other = document.clone();
        match other.pointer_mut(place) {
            Some(own) => *own = value,
            None => other[&place[1..]] = value,
        }
        assert_eq!(schema.check(&other), Err(fault.to_owned()));
    }
}
