//! What is wrong with a price book, where, and what to write instead.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::reader::Source;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub mend: String,
    /// The line's text.
    pub source: String,
    /// How many characters are meant.
    pub width: usize,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let margin = " ".repeat(self.line.to_string().len());
        writeln!(f, "error: {}", self.message)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{} | {}", self.line, self.source)?;
        writeln!(f, "{margin} | {}{}", " ".repeat(self.column.saturating_sub(1)), "^".repeat(self.width.max(1)))?;
        write!(f, "{margin} = help: {}", self.mend)
    }
}

/// Where a key or section stands, to point at when the whole book is checked.
#[derive(Clone, Debug)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    source: String,
    width: usize,
}

/// Faults found so far, and the places of all keys read so far.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    found: RefCell<Vec<Diagnostic>>,
    places: RefCell<BTreeMap<String, Place>>,
}

impl Diagnostics {
    /// Adds a fault at a span of a file.
    pub(super) fn add(&self, source: &Source<'_>, span: Range<usize>, message: String, mend: String) {
        self.push(place(source, span), message, mend);
    }

    /// Remembers where `path` (such as `contract.acme.line.0.rate`) stands.
    pub(super) fn remember(&self, path: String, source: &Source<'_>, span: Range<usize>) {
        self.places.borrow_mut().insert(path, place(source, span));
    }

    /// Adds a fault at a path; if that was defaulted, at the nearest section around it.
    pub(super) fn at(&self, path: &str, message: impl Into<String>, mend: impl Into<String>) {
        let mut around = path;
        let places = self.places.borrow();
        let found = loop {
            match (places.get(around), around.rsplit_once('.')) {
                (Some(place), _) => break Some(place.clone()),
                (None, Some((outer, _))) => around = outer,
                (None, None) => break None,
            }
        };
        drop(places);
        let nowhere = Place { file: String::new(), line: 0, column: 1, source: String::new(), width: 1 };
        self.push(found.unwrap_or(nowhere), message.into(), mend.into());
    }

    fn push(&self, place: Place, message: String, mend: String) {
        let Place { file, line, column, source, width } = place;
        self.found.borrow_mut().push(Diagnostic { file, line, column, message, mend, source, width });
    }

    /// Takes all faults, in the order of files and lines.
    pub(super) fn take(&self) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut *self.found.borrow_mut());
        found.sort();
        found.dedup();
        found
    }
}

fn place(source: &Source<'_>, span: Range<usize>) -> Place {
    let before = &source.text[..span.start.min(source.text.len())];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = source.text[start..].lines().next().unwrap_or_default();
    let column = before[start..].chars().count() + 1;
    let end = span.end.clamp(span.start, start + line.len().max(span.start - start));
    let width = source.text.get(span.start..end).map_or(1, |meant| meant.chars().count());
    Place {
        file: source.name.to_owned(),
        line: before.matches('\n').count() + 1,
        column,
        source: line.to_owned(),
        width,
    }
}
