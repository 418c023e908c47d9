//! The canonical form of a book: RFC 8785 JSON with defaults filled in. Comments, order and layout do not reach it, so the hash over
//! it names what the book says and nothing else.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::Book;
use crate::core::metering::definition::Definition;

impl Book {
    /// The book as JSON. Decimals are texts in shortest form, instants RFC 3339.
    ///
    /// # Errors
    /// None that a validated book can cause.
    pub fn canonical(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// `sha256:` and the hex hash of the canonical JSON.
    ///
    /// # Errors
    /// None that a validated book can cause.
    pub fn hash(&self) -> Result<String, serde_json::Error> {
        let text = serde_json_canonicalizer::to_vec(&self.canonical()?)?;
        Ok(format!("sha256:{:x}", Sha256::digest(text)))
    }

    /// The book that a canonical form says.
    ///
    /// # Errors
    /// If another version of Plimsoll wrote it.
    pub fn from_canonical(value: &Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(value.clone())
    }

    /// The definitions of its meters, by name.
    pub fn meters(&self) -> impl Iterator<Item = (&str, Definition)> {
        self.meters.iter().map(|(name, meter)| (name.as_str(), meter.definition))
    }
}

pub(super) mod zone {
    //! A time zone by its name.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(zone: &chrono_tz::Tz, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(zone.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<chrono_tz::Tz, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| D::Error::custom("unknown time zone"))
    }
}

pub(crate) mod instant {
    //! An instant as RFC 3339.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::core::event::time::parse;
    use crate::core::word::Instant;

    pub fn serialize<S: Serializer>(instant: &Instant, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&instant.rfc3339())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Instant, D::Error> {
        parse(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("not an instant"))
    }
}

pub(crate) mod maybe_instant {
    //! An instant as RFC 3339, or null.
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::core::event::time::parse;
    use crate::core::word::Instant;

    pub fn serialize<S: Serializer>(instant: &Option<Instant>, to: S) -> Result<S::Ok, S::Error> {
        instant.map(Instant::rfc3339).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Instant>, D::Error> {
        match Option::<String>::deserialize(from)? {
            Some(text) => parse(&text).map(Some).ok_or_else(|| D::Error::custom("not an instant")),
            None => Ok(None),
        }
    }
}
