//! JSON that is written by chance: a tree whose parts may be anything, and a writer that never writes the same thing the same way.

use crate::quote::random::Random;

/// A part of a document.
#[derive(Clone, Debug)]
pub enum Json {
    /// Written as it stands: numbers, literals, and what is no JSON.
    Raw(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; keys may stand twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Json::Text(text.into())
    }

    /// How many parts it has, itself included.
    pub fn size(&self) -> u64 {
        1 + match self {
            Json::Raw(_) | Json::Text(_) => 0,
            Json::List(parts) => parts.iter().map(Json::size).sum(),
            Json::Object(parts) => parts.iter().map(|(_, part)| part.size()).sum(),
        }
    }

    /// The part with this number.
    pub fn part(&mut self, number: u64) -> Option<&mut Json> {
        if number == 0 {
            return Some(self);
        }
        let mut number = number - 1;
        let parts: Vec<&mut Json> = match self {
            Json::Raw(_) | Json::Text(_) => Vec::new(),
            Json::List(parts) => parts.iter_mut().collect(),
            Json::Object(parts) => parts.iter_mut().map(|(_, part)| part).collect(),
        };
        for part in parts {
            let size = part.size();
            if number < size {
                return part.part(number);
            }
            number -= size;
        }
        None
    }

    /// Writes it, with white space and escapes by chance.
    pub fn write(&self, random: &mut Random, loose: bool, out: &mut String) {
        match self {
            Json::Raw(text) => out.push_str(text),
            Json::Text(text) => write_text(text, random, loose, out),
            Json::List(parts) => {
                out.push('[');
                for (place, part) in parts.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    space(random, loose, out);
                    part.write(random, loose, out);
                }
                out.push(']');
            }
            Json::Object(parts) => {
                out.push('{');
                for (place, (key, part)) in parts.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    space(random, loose, out);
                    write_text(key, random, loose, out);
                    space(random, loose, out);
                    out.push(':');
                    part.write(random, loose, out);
                }
                space(random, loose, out);
                out.push('}');
            }
        }
    }
}

fn space(random: &mut Random, loose: bool, out: &mut String) {
    if loose && random.chance(4) {
        out.push_str(random.pick(&[" ", "\n", "\t", "\r\n  "]));
    }
}

fn write_text(text: &str, random: &mut Random, loose: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 || (loose && random.chance(20)) => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
