//! Text that is no TOML: the parser says what it met, this says what to write instead.

/// What to write instead of what the parser calls `message` at byte `at` of the text.
pub(super) fn mend(message: &str, text: &str, at: usize) -> String {
    let line = line(text, at);
    let known: &[(&[&str], &str)] = &[
        (
            &["duplicate key"],
            "a key and a section stand once in a file: take one of the two away, or give it another id",
        ),
        (
            &["string values must be quoted", "invalid value", "missing value"],
            "write texts and decimals in quotes, dates and whole numbers without: name = \"Acme\", from = 2026-01-01",
        ),
        (&["key with no value", "missing assignment"], "write KEY = VALUE"),
        (
            &["missing comma", "extra assignment", "unexpected content", "unexpected key or value"],
            "write one KEY = VALUE a line, and commas between those inside of [ ] and { }",
        ),
        (&["extra comma"], "take one comma away"),
        (&["unclosed array table"], "close the section's name: [[card.ID.rate]]"),
        (&["unclosed table"], "close the section's name: [contract.ID]"),
        (&["unclosed array"], "close the list with ]"),
        (&["unclosed inline table"], "close the table with }"),
        (&["dotted key", "cannot extend"], "give the section another id: this one is a list or a value already"),
        (
            &["unquoted key", "opening quote", "cannot be multi-line"],
            "write ids of other letters than A-Z a-z 0-9 _ - in quotes",
        ),
        (&["quote", "string"], "close the text with the quote that opens it, on the same line"),
        (&["escape", "unicode"], "write a backslash as \\\\"),
        (&["leading zero", "numeric sign", "integer", "radix", "`_` may"], "write decimals in quotes: \"24.00\""),
        (&["date", "time"], "write a date as 2026-01-31, an instant as 2026-01-31T12:00:00+01:00"),
        (&["boolean"], "write true or false, and texts in quotes"),
        (&["carriage return"], "end lines with a line feed alone"),
        (&["recurs"], "nest tables less deeply"),
    ];
    let found = known.iter().find(|(words, _)| words.iter().any(|word| message.contains(word)));
    match found {
        _ if has_decimal_comma(line) => "write decimals with a point and in quotes: price = \"24.00\"".to_owned(),
        Some((_, mend)) => (*mend).to_owned(),
        None => "write it as TOML 1.0: KEY = VALUE, [SECTION.ID], texts in quotes".to_owned(),
    }
}

/// The line that holds a byte.
fn line(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    text[start..].lines().next().unwrap_or_default()
}

/// `price = 24,00`: what follows `=` is digits, a comma, digits.
fn has_decimal_comma(line: &str) -> bool {
    line.split('=').skip(1).any(|value| {
        let value = value.trim_start();
        let rest = value.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < value.len()
            && rest.strip_prefix(',').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}
