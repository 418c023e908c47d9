//! Reading one section of a price book: every value with its place, every key accounted for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;
use super::source::Source;
use crate::core::nearest::nearest;

/// Keys that a reader of PRICING may try, and why no book has them.
const RESERVED: [(&str, &str); 4] = [
    ("ceiling", "a ceiling belongs to a quote: a book cannot limit a quantity"),
    ("true_up", "take it away: settled each period it is the same money as the commitment, which is billed in full"),
    ("ratchet", "take it away: a commitment changes by its own list of dates only"),
    ("multiplier", "write the price above the edge as a band of its own: { price = \"40.50\" }"),
];

/// A table of the file under its path, such as `contract.acme`.
pub(super) struct Section<'a, 'd> {
    pub(super) source: &'a Source<'a>,
    path: String,
    pub(super) table: &'a DeTable<'a>,
    span: Range<usize>,
    found: &'d Diagnostics<'a>,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 'd> Section<'a, 'd> {
    pub(super) fn new(
        source: &'a Source<'a>,
        path: String,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        found: &'d Diagnostics<'a>,
    ) -> Self {
        if !path.is_empty() {
            found.remember(path.clone(), source, span.clone());
        }
        Self { source, path, table, span, found, known: RefCell::default() }
    }

    /// The section's own id: what follows the table's name in its path.
    pub(super) fn id(&self) -> &str {
        self.path.split_once('.').map_or(&*self.path, |(_, id)| id)
    }

    fn sub(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A fault of the section as a whole.
    pub(super) fn refuse_whole(&self, message: &str, mend: &str) {
        self.found.add(self.source, self.span.start..self.span.start + 1, message.to_owned(), mend.to_owned());
    }

    /// A fault at a key.
    pub(super) fn refuse(&self, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        let span = self.table.get(key).map_or(self.span.clone(), Spanned::span);
        self.found.add(self.source, span, message.into(), mend.into());
    }

    /// The value of a key, which counts as known from here on.
    pub(super) fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        self.found.remember(self.sub(key), self.source, value.span());
        Some(value)
    }

    /// Whether the key stands there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.known.borrow_mut().insert(key);
        self.table.contains_key(key)
    }

    /// Counts keys as known that no value is asked of, because another fault is in the way.
    pub(super) fn pass(&self, keys: &[&'static str]) {
        self.known.borrow_mut().extend(keys);
    }

    /// Refuses the section if the key is missing.
    pub(super) fn need(&self, key: &'static str) {
        if !self.has(key) {
            self.refuse_whole(&format!("{key} is missing"), &format!("add {key} = ... to [{}]", self.path));
        }
    }

    /// A table under a key.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a, 'd>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(self.source, self.sub(key), table, value.span(), self.found)),
            None => {
                self.refuse(key, format!("{key} is not a table"), format!("write {key} = {{ ... }}"));
                None
            }
        }
    }

    /// All tables in this one, by their own keys.
    pub(super) fn sections(&self) -> Vec<Section<'a, 'd>> {
        let mut all = Vec::new();
        for (key, value) in self.table {
            let name = key.get_ref();
            match value.get_ref().as_table() {
                Some(_) if name.is_empty() || &**name == "*" => self.found.add(
                    self.source,
                    key.span(),
                    format!("{name:?} is no id"),
                    format!("write [{}.ID] with letters or digits as its id", self.path),
                ),
                Some(table) => all.push(Section::new(self.source, self.sub(name), table, key.span(), self.found)),
                None => self.found.add(
                    self.source,
                    key.span(),
                    format!("{name} is not a section"),
                    format!("write [{}.ID] and its keys below it", self.path),
                ),
            }
        }
        all
    }

    /// A list of tables; empty if it is not there.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a, 'd>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let items = value.get_ref().as_array();
        let tables = items.and_then(|items| {
            let numbered = items.iter().enumerate();
            let tables = numbered.map(|(number, item)| {
                let path = format!("{}.{number}", self.sub(key));
                item.get_ref().as_table().map(|table| Section::new(self.source, path, table, item.span(), self.found))
            });
            tables.collect::<Option<Vec<_>>>()
        });
        tables.unwrap_or_else(|| {
            self.refuse(key, format!("{key} is not a list of tables"), format!("write {key} = [{{ ... }}, {{ ... }}]"));
            Vec::new()
        })
    }

    /// Refuses every key that was not asked for.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|key| !known.contains(&**key.get_ref())) {
            let name = key.get_ref();
            let near = nearest(name, known.iter().copied());
            let mend = match (RESERVED.iter().find(|(reserved, _)| *reserved == &**name), near) {
                (Some((_, mend)), _) => (*mend).to_owned(),
                (None, Some(near)) => format!("did you mean {near}?"),
                (None, None) => format!("possible here: {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            self.found.add(self.source, key.span(), format!("unknown key {name}"), mend);
        }
    }
}
