//! Readings and the form of `data`, as serde reads them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::hash::series_hash;
use super::{Event, Limits, MAX_EVENT_READINGS};
use crate::core::word::Kind;

/// One meter's value of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: Cow<'a, str>,
    /// Its name, a label.
    pub name: Option<Cow<'a, str>>,
    /// The tenant tag.
    pub customer: Option<Cow<'a, str>>,
    /// The service tier.
    pub tier: Option<Cow<'a, str>>,
    /// The quantity.
    pub meter: Cow<'a, str>,
    /// The value in the meter's base unit.
    pub value: u64,
    /// Hash of (kind, resource, meter): computed once, used for repeats, the content and the series.
    pub series_hash: u128,
}

/// A text that borrows unless it holds an escape. Null is no text, so an absent tag cannot be written as null.
#[derive(Clone, Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Read)
    }
}

/// A whole number from 0 to 2^64-1, as JSON integer or as digits. A fraction or an exponent arrives as f64 and is refused,
/// never rounded.
struct Value(u64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 to 2^64-1")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value(value))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                digits(text).map(Value).ok_or_else(|| E::custom("not a whole number"))
            }
        }
        from.deserialize_any(Read)
    }
}

/// A digit string as a number: digits only, up to 2^64-1.
pub(super) fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl<'de: 'a, 'a> Deserialize<'de> for Reading<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ReadReading)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Resource,
    Kind,
    Name,
    Customer,
    Tier,
    Meter,
    Value,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "resource" => Key::Resource,
                    "kind" => Key::Kind,
                    "name" => Key::Name,
                    "customer" => Key::Customer,
                    "tier" => Key::Tier,
                    "meter" => Key::Meter,
                    "value" => Key::Value,
                    _ => Key::Other,
                })
            }
        }
        from.deserialize_identifier(Read)
    }
}

struct ReadReading;

impl<'de> Visitor<'de> for ReadReading {
    type Value = Reading<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reading")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Reading<'de>, M::Error> {
        let (mut resource, mut name, mut customer, mut tier, mut meter) = (None, None, None, None, None);
        let (mut kind, mut value) = (None, None);
        while let Some(key) = map.next_key::<Key>()? {
            let twice = match key {
                Key::Resource => resource.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Name => name.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Customer => customer.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Tier => tier.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Meter => meter.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Kind => kind.replace(map.next_value::<Text<'_>>()?.0).is_some(),
                Key::Value => value.replace(map.next_value::<Value>()?.0).is_some(),
                Key::Other => map.next_value::<IgnoredAny>().map(|_| false)?,
            };
            if twice {
                return Err(de::Error::custom("a key stands twice"));
            }
        }
        let missing = || de::Error::custom("a key is missing");
        let (resource, meter) = (resource.ok_or_else(missing)?, meter.ok_or_else(missing)?);
        let kind = kind.as_deref().and_then(Kind::parse).ok_or_else(|| de::Error::custom("unknown kind"))?;
        let value = value.ok_or_else(missing)?;
        let series_hash = series_hash(kind, &resource, &meter);
        Ok(Reading { kind, resource, name, customer, tier, meter, value, series_hash })
    }
}

/// The array of an event.
#[derive(Deserialize)]
pub(super) struct Array<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) site: Option<Text<'a>>,
}

/// The payload of an event.
#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) provider: Text<'a>,
    #[serde(borrow)]
    pub(super) array: Array<'a>,
    #[serde(borrow)]
    pub(super) readings: Readings<'a>,
}

/// A key that stands there has a text: null is refused.
pub(super) fn present<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Text<'a>>, D::Error> {
    Text::deserialize(from).map(Some)
}

/// The list of readings, with room made for a usual poll at once.
pub(super) struct Readings<'a>(pub(super) Vec<Reading<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Readings<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Readings<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of readings")
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Readings<'de>, S::Error> {
                let mut readings = Vec::new();
                while let Some(reading) = seq.next_element()? {
                    if readings.len() == MAX_EVENT_READINGS {
                        return Err(de::Error::custom("more readings than any stream takes"));
                    }
                    if readings.len() == 1 {
                        readings.reserve(63);
                    }
                    readings.push(reading);
                }
                Ok(Readings(readings))
            }
        }
        from.deserialize_seq(Read)
    }
}

/// The event if every limit and rule holds that serde does not see.
pub(super) fn check<'a>(event: Event<'a>, limits: &Limits) -> Option<Event<'a>> {
    let id = |text: &str| !text.is_empty() && text.len() <= limits.id_bytes;
    let tag = |text: &Option<Cow<'_, str>>| text.as_deref().is_none_or(id);
    let head = id(&event.id) && id(&event.source) && id(&event.provider) && id(&event.array) && tag(&event.site);
    let sound = |reading: &Reading<'_>| {
        id(&reading.resource)
            && id(&reading.meter)
            && !reading.meter.starts_with('$')
            && tag(&reading.customer)
            && tag(&reading.tier)
    };
    let whole = head
        && event.readings.len() <= limits.readings
        && event.readings.iter().all(sound)
        && !super::repeat::is_repeated(&event.readings);
    whole.then_some(event)
}
