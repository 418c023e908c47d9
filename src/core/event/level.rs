//! One level of JSON at a time, in bounded memory: of an object the keys that events have, of a list as many elements as may be.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The keys that an event, its data, its array and its readings have.
const KEYS: [&str; 18] = [
    "array",
    "customer",
    "data",
    "id",
    "kind",
    "meter",
    "name",
    "provider",
    "readings",
    "recordedtime",
    "resource",
    "site",
    "source",
    "specversion",
    "tier",
    "time",
    "type",
    "value",
];

/// An object's values by key; keys that no event has are left out, of a key that stands twice the last counts.
pub(super) type Object<'a> = BTreeMap<&'static str, &'a RawValue>;

/// The object that a JSON text is.
pub(super) fn object(json: &str) -> Option<Object<'_>> {
    struct Read;
    impl<'de> Visitor<'de> for Read {
        type Value = Object<'de>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
            let mut object = Object::new();
            while let Some(Known(key)) = map.next_key()? {
                match key {
                    Some(key) => drop(object.insert(key, map.next_value()?)),
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(object)
        }
    }
    let text = json.trim_start();
    text.starts_with('{').then(|| serde_json::Deserializer::from_str(text).deserialize_map(Read).ok()).flatten()
}

/// A key, if it is one that events have.
struct Known(Option<&'static str>);

impl<'de> serde::Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Known;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Known, E> {
                Ok(Known(KEYS.binary_search(&key).ok().map(|place| KEYS[place])))
            }
        }
        from.deserialize_identifier(Read)
    }
}

/// The first `most` elements of the list that a JSON text is, and how many there are in all.
pub(super) fn list(json: &str, most: usize) -> Option<(Vec<&RawValue>, usize)> {
    struct Read(usize);
    impl<'de> Visitor<'de> for Read {
        type Value = (Vec<&'de RawValue>, usize);
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
            let mut elements = Vec::new();
            while elements.len() < self.0 {
                match seq.next_element()? {
                    Some(element) => elements.push(element),
                    None => return Ok(counted(elements, 0)),
                }
            }
            let mut more = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                more += 1;
            }
            Ok(counted(elements, more))
        }
    }
    let mut json = serde_json::Deserializer::from_str(json);
    let read = json.deserialize_seq(Read(most)).ok()?;
    json.end().ok().map(|()| read)
}

fn counted(elements: Vec<&RawValue>, more: usize) -> (Vec<&RawValue>, usize) {
    let count = elements.len() + more;
    (elements, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_lists_are_counted_at_the_limit() {
        assert!(KEYS.is_sorted());
        for (count, held) in [(0, 0), (2, 2), (3, 3), (4, 3), (9, 3)] {
            let json = format!("[{}]", vec!["1"; count].join(","));
            let (elements, counted) = list(&json, 3).unwrap();
            assert_eq!((elements.len(), counted), (held, count));
        }
        assert!(
            list("{}", 3).is_none() && list("[1", 3).is_none() && list("[1]]", 3).is_none() && object("[]").is_none()
        );
        let object = object(r#" {"\u0069d": 1, "other": {"id": 3}, "id": 2}"#).unwrap();
        assert_eq!((object.len(), object["id"].get()), (1, "2"));
    }
}
