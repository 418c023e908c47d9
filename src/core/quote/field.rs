//! Reading one object of a request: every key accounted for, every refusal with its pointer.

use super::json::Json;
use super::refusal::{Refusal, member};
use crate::core::pricing::charge::band::Edge;
use crate::core::pricing::decimal::Decimal;

/// An object under its pointer, all of whose keys are known and written once.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    pointer: String,
    members: &'a [(String, Json)],
}

impl<'a> Fields<'a> {
    /// The object at a pointer; refused where a key is not among the known ones, or is written twice.
    pub fn of(json: &'a Json, pointer: String, known: &[&str]) -> Result<Self, Refusal> {
        let Json::Object(members) = json else {
            return Err(Refusal::at(pointer, format!("{} where an object is wanted", json.name())));
        };
        for (index, (key, _)) in members.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                let message = format!("unknown key: write one of {}", known.join(", "));
                return Err(Refusal::at(member(&pointer, key), message));
            }
            if members[..index].iter().any(|(other, _)| other == key) {
                return Err(Refusal::at(member(&pointer, key), "written twice: leave one out"));
            }
        }
        Ok(Self { pointer, members })
    }

    /// The object's pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The pointer of a key.
    #[must_use]
    pub fn at(&self, key: &str) -> String {
        member(&self.pointer, key)
    }

    /// A refusal of a key.
    #[must_use]
    pub fn refuse(&self, key: &str, message: impl Into<String>) -> Refusal {
        Refusal::at(self.at(key), message)
    }

    /// Whether the key is written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key, if it is written.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Json> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The first of these keys that is written is refused.
    pub fn none_of(&self, keys: &[&str], message: &str) -> Result<(), Refusal> {
        match keys.iter().find(|key| self.has(key)) {
            Some(key) => Err(self.refuse(key, message)),
            None => Ok(()),
        }
    }

    /// A key that must be written.
    pub fn needed(&self, key: &str) -> Result<&'a Json, Refusal> {
        self.get(key).ok_or_else(|| Refusal::at(&*self.pointer, format!("{key} is missing")))
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Refusal> {
        self.get(key).map(|json| text(json, self.at(key))).transpose()
    }

    /// One of several words.
    pub fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(given) = self.text(key)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        let list = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| self.refuse(key, format!("unknown word: write one of {}", list())))
    }

    /// A decimal.
    pub fn decimal(&self, key: &str) -> Result<Option<Decimal>, Refusal> {
        self.get(key).map(|json| decimal(json, self.at(key))).transpose()
    }

    /// A decimal of at most 100.
    pub fn percent(&self, key: &str) -> Result<Option<Decimal>, Refusal> {
        let percent = self.decimal(key)?;
        match percent.filter(|percent| percent.nano() > 100 * Decimal::ONE.nano()) {
            Some(_) => Err(self.refuse(key, "a percent above 100: write one from 0 to 100")),
            None => Ok(percent),
        }
    }

    /// A band's upper edge: a decimal, or a percent.
    pub fn edge(&self, key: &str) -> Result<Option<Edge>, Refusal> {
        match self.text(key)? {
            None => Ok(None),
            Some(text) => match text.strip_suffix('%') {
                Some(percent) => Decimal::parse(percent).map(Edge::Percent),
                None => Decimal::parse(text).map(Edge::Quantity),
            }
            .map(Some)
            .ok_or_else(|| self.refuse(key, "not an edge: write a decimal such as \"100\", or \"20%\"")),
        }
    }

    /// A whole number.
    pub fn whole(&self, key: &str) -> Result<Option<u64>, Refusal> {
        self.get(key).map(|json| whole(json, self.at(key))).transpose()
    }

    /// The elements of an array with their pointers, between `least` and `most` of them; `usize::MAX` is no bound.
    pub fn list(&self, key: &str, least: usize, most: usize) -> Result<Option<Vec<(&'a Json, String)>>, Refusal> {
        self.get(key).map(|json| list(json, &self.at(key), least, most)).transpose()
    }
}

/// A text.
pub fn text(json: &Json, pointer: String) -> Result<&str, Refusal> {
    match json {
        Json::Text(text) => Ok(text),
        other => Err(Refusal::at(pointer, format!("{} where a string is wanted", other.name()))),
    }
}

/// A decimal.
pub fn decimal(json: &Json, pointer: String) -> Result<Decimal, Refusal> {
    match json {
        Json::Text(text) => match Decimal::parse(text) {
            Some(decimal) => Ok(decimal),
            None => Err(Refusal::at(
                pointer,
                "not a decimal: write at most 21 digits and at most 9 places, no sign, no exponent, such as \"27.50\"",
            )),
        },
        Json::Whole(_) | Json::Number => Err(Refusal::at(pointer, "a bare number: write decimals as strings")),
        other => Err(Refusal::at(pointer, format!("{} where a decimal string is wanted", other.name()))),
    }
}

/// A whole number.
pub fn whole(json: &Json, pointer: String) -> Result<u64, Refusal> {
    match json {
        Json::Whole(number) => Ok(*number),
        other => Err(Refusal::at(pointer, format!("{} where a whole number, 0 or above, is wanted", other.name()))),
    }
}

/// The elements of an array with their pointers, between `least` and `most` of them; `usize::MAX` is no bound.
pub fn list<'a>(json: &'a Json, pointer: &str, least: usize, most: usize) -> Result<Vec<(&'a Json, String)>, Refusal> {
    let Json::List(list) = json else {
        return Err(Refusal::at(pointer, format!("{} where an array is wanted", json.name())));
    };
    if list.len() < least || list.len() > most {
        let wanted = if most == usize::MAX { format!("at least {least}") } else { format!("{least} to {most}") };
        return Err(Refusal::at(pointer, format!("{} elements: write {wanted}", list.len())));
    }
    Ok(list.iter().enumerate().map(|(index, element)| (element, format!("{pointer}/{index}"))).collect())
}
