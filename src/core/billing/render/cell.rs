//! Cells of CSV (RFC 4180), safe to open in a spreadsheet.

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Somebody's words.
    Text(&'a str),
    /// A decimal that we have written ourselves.
    Number(&'a str),
}

impl<'a> Cell<'a> {
    /// A text that may be none.
    #[must_use]
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Cell::Empty, Cell::Text)
    }

    /// A number that may be none.
    #[must_use]
    pub fn number(number: Option<&'a str>) -> Self {
        number.map_or(Cell::Empty, Cell::Number)
    }

    /// Writes the cell. A text that a spreadsheet would take for a formula gets a `'` in front (INVOICE §5); tab and carriage return
    /// count too, since some skip them before they look.
    fn write(self, to: &mut String) {
        let (guard, text) = match self {
            Cell::Empty => return,
            Cell::Number(number) => (false, number),
            Cell::Text(text) => (text.starts_with(['=', '+', '-', '@', '\t', '\r']), text),
        };
        let quoted = text.contains([',', '"', '\n', '\r']);
        if quoted {
            to.push('"');
        }
        if guard {
            to.push('\'');
        }
        if quoted {
            to.push_str(&text.replace('"', "\"\""));
            to.push('"');
        } else {
            to.push_str(text);
        }
    }
}

/// Writes one line with its end.
pub fn line<'a>(cells: impl IntoIterator<Item = Cell<'a>>, to: &mut String) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            to.push(',');
        }
        cell.write(to);
    }
    to.push_str("\r\n");
}

/// The line that names the columns.
#[must_use]
pub fn header(columns: &[&str]) -> String {
    let mut header = String::new();
    line(columns.iter().map(|name| Cell::Text(name)), &mut header);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_guarded() {
        for (cell, expected) in [
            (Cell::Empty, ""),
            (Cell::Text("plain words"), "plain words"),
            (Cell::Text("a, b"), "\"a, b\""),
            (Cell::Text("say \"x\""), "\"say \"\"x\"\"\""),
            (Cell::Text("two\nlines"), "\"two\nlines\""),
            (Cell::Text("=1+1"), "'=1+1"),
            (Cell::Text("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\""),
            (Cell::Text("+1"), "'+1"),
            (Cell::Text("-1"), "'-1"),
            (Cell::Text("@x"), "'@x"),
            (Cell::Text("\t=1"), "'\t=1"),
            (Cell::Text("\r=1"), "\"'\r=1\""),
            (Cell::Text("'=1"), "'=1"),
            (Cell::Number("-34.38"), "-34.38"),
        ] {
            let mut written = String::new();
            line([cell, Cell::Empty], &mut written);
            assert_eq!(written, format!("{expected},\r\n"));
        }
    }
}
