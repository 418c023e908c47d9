//! The bare words of an SQL statement: what stands outside quotes, comments and brackets.

/// One bare word, or a semicolon, with its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word as written, a dotted name whole.
    pub text: &'a str,
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Word<'_> {
    /// Whether this is the keyword, in any case.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }
}

/// The bare words of a statement in their order.
#[must_use]
pub fn words(sql: &str) -> Words<'_> {
    Words { sql, at: 0, depth: 0 }
}

/// See [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    sql: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let bytes = self.sql.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let start = self.at;
            match byte {
                b'\'' | b'"' | b'`' => self.at = after_quote(bytes, start),
                b'-' if bytes[start..].starts_with(b"--") => self.at = after(bytes, start, b"\n"),
                b'#' => self.at = after(bytes, start, b"\n"),
                b'/' if bytes[start..].starts_with(b"/*") => self.at = after(bytes, start + 2, b"*/"),
                b'(' | b'[' | b'{' => (self.at, self.depth) = (start + 1, self.depth + 1),
                b')' | b']' | b'}' => (self.at, self.depth) = (start + 1, self.depth.saturating_sub(1)),
                b';' if self.depth == 0 => {
                    self.at = start + 1;
                    return Some(Word { text: &self.sql[start..self.at], start, end: self.at });
                }
                _ if part_of_word(byte) => {
                    self.at = start + bytes[start..].iter().take_while(|byte| part_of_word(**byte)).count();
                    if self.depth == 0 {
                        return Some(Word { text: &self.sql[start..self.at], start, end: self.at });
                    }
                }
                _ => self.at += 1,
            }
        }
        None
    }
}

fn part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || !byte.is_ascii()
}

fn after(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(end.len()).position(|window| window == end).map_or(bytes.len(), |at| from + at + end.len())
}

/// A quote ends at the same mark, unless it is doubled or behind a backslash.
fn after_quote(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        words(sql).map(|word| word.text).collect()
    }

    #[test]
    fn quotes_comments_and_brackets_hide_words() {
        assert_eq!(texts("SELECT 'it''s \\' FORMAT', \"FORMAT\", `FORMAT` FROM a.b"), ["SELECT", "FROM", "a.b"]);
        assert_eq!(texts("SELECT -- FORMAT\n1 /* FORMAT */ # FORMAT\n, f(FORMAT x, [y])"), ["SELECT", "1", "f"]);
        assert_eq!(texts("SELECT 1; (SELECT ';')"), ["SELECT", "1", ";"]);
        assert_eq!(texts("SELECT 'open"), ["SELECT"]);
    }
}
