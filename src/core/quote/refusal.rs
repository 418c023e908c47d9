//! Why a request is not quoted, and where.

use std::fmt::{self, Write};

use crate::core::pricing::error::Overflow;

/// A refusal: a JSON pointer to the culprit and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// RFC 6901; empty for the whole request.
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Refusal {
    /// A refusal of what lies at a pointer.
    #[must_use]
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// One line, `POINTER: MESSAGE`. The pointer stands as it is where that is plain to read; the root, which is empty, and a key that
/// could break the line stand in their JSON form (RFC 6901 §5), quotes and all, as in the error of a batch.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() || self.pointer.contains(breaks) {
            f.write_char('"')?;
            escaped(f, &self.pointer, |char| matches!(char, '"' | '\\'))?;
            f.write_char('"')?;
        } else {
            f.write_str(&self.pointer)?;
        }
        f.write_str(": ")?;
        escaped(f, &self.message, |_| false)
    }
}

/// Whether a character could end a line, or move the cursor.
fn breaks(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

/// The text with JSON's escapes of what could break the line, and of what else has to be.
fn escaped(f: &mut fmt::Formatter<'_>, text: &str, also: impl Fn(char) -> bool) -> fmt::Result {
    text.chars().try_for_each(|char| match char {
        '\n' => f.write_str("\\n"),
        char if breaks(char) => write!(f, "\\u{:04x}", u32::from(char)),
        char if also(char) => write!(f, "\\{char}"),
        char => f.write_char(char),
    })
}

impl std::error::Error for Refusal {}

/// The pointer to a member of what lies at `pointer`.
#[must_use]
pub fn member(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// An overflow as a refusal that names the row.
pub fn refuse<'a>(pointer: &'a str, row: &'a str) -> impl Fn(Overflow) -> Refusal + 'a {
    move |overflow| Refusal::at(pointer, format!("{row}: {overflow}: write smaller ones"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_and_its_pointer_is_unambiguous() {
        let shown = |pointer: &str, message: &str| Refusal::at(pointer, message).to_string();
        assert_eq!(shown("", "not JSON"), r#""": not JSON"#);
        assert_eq!(shown("/", "the key of no letters"), "/: the key of no letters");
        assert_eq!(shown(r#"/a"b"#, "why"), r#"/a"b: why"#);
        assert_eq!(shown("/a\nb\"c\\d", "why"), r#""/a\nb\"c\\d": why"#);
        assert_eq!(shown("/a\u{2028}\u{1b}b", "x\r\ny is none"), r#""/a\u2028\u001bb": x\u000d\ny is none"#);
    }

    #[test]
    fn the_pointer_that_is_shown_reads_back_as_it_is() {
        for pointer in ["", "/a\nb", "/\u{85}\"\\"] {
            let shown = Refusal::at(pointer, "why").to_string();
            let read: String = serde_json::from_str(shown.strip_suffix(": why").unwrap()).unwrap();
            assert_eq!(read, pointer);
        }
    }
}
