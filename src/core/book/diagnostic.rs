//! What is wrong with a price book, where, and what to write instead: plain data, which a shell renders.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::source::Source;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file; empty if the fault is in none.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is meant, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub mend: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}; {}", self.file, self.line, self.column, self.message, self.mend)
    }
}

/// Faults found so far, and the places of all keys read so far.
#[derive(Debug, Default)]
pub(super) struct Diagnostics<'a> {
    found: RefCell<Vec<Diagnostic>>,
    places: RefCell<BTreeMap<String, (&'a Source<'a>, Range<usize>)>>,
}

impl<'a> Diagnostics<'a> {
    /// Adds a fault at a span of a file.
    pub(super) fn add(&self, source: &Source<'_>, span: Range<usize>, message: String, mend: String) {
        let before = source.text.get(..span.start).unwrap_or(source.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = source.text[start..].find('\n').map_or(source.text.len(), |at| start + at);
        self.found.borrow_mut().push(Diagnostic {
            file: source.name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            // what is meant is shown on its first line
            span: span.start..span.end.clamp(span.start, end.max(span.start)),
            message,
            mend,
        });
    }

    /// How many faults there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// Whether `path` stands somewhere, be it flawless or not.
    pub(super) fn knows(&self, path: &str) -> bool {
        self.places.borrow().contains_key(path)
    }

    /// Remembers where `path` (such as `contract.acme.line.0.rate`) stands.
    pub(super) fn remember(&self, path: String, source: &'a Source<'a>, span: Range<usize>) {
        self.places.borrow_mut().insert(path, (source, span));
    }

    /// Adds a fault at a path; if that was defaulted, at the nearest section around it.
    pub(super) fn at(&self, path: &str, message: impl Into<String>, mend: impl Into<String>) {
        let mut around = path;
        let places = self.places.borrow();
        let (source, span) = loop {
            match (places.get(around), around.rsplit_once('.')) {
                (Some(place), _) => break place.clone(),
                (None, Some((outer, _))) => around = outer,
                (None, None) => break (&Source::NONE, 0..0),
            }
        };
        self.add(source, span, message.into(), mend.into());
    }

    /// Takes all faults, in the order of files and lines.
    pub(super) fn take(&self) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut *self.found.borrow_mut());
        let place = |fault: &Diagnostic| (fault.file.clone(), fault.span.start, fault.message.clone());
        found.sort_by_cached_key(place);
        found.dedup();
        found
    }
}
