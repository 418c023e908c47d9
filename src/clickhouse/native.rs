//! ClickHouse's Native format: blocks of columns. Measured to be the cheapest way in for both sides; the types in a block's
//! header are the tables' own, so the server converts nothing and refuses what does not fit.

use crate::core::ledger::batch::MaybeInstants;
use crate::core::ledger::column::DictionaryColumn;
use crate::core::word::Instant;

/// The type of an instant in milliseconds.
pub const DATE_TIME_MS: &str = "DateTime64(3, 'UTC')";
/// The type of a resource's kind.
pub const KIND: &str =
    "Enum8('array' = 1, 'volume' = 2, 'pod' = 3, 'realm' = 4, 'file_system' = 5, 'object_bucket' = 6)";
const DICTIONARY: &str = "LowCardinality(String)";

/// Of a `LowCardinality` column on the wire: the version of its form.
const DICTIONARY_VERSION: u64 = 1;
/// ... and that its keys come along and are all that the rows use.
const DICTIONARY_FLAGS: u64 = (1 << 9) | (1 << 10);

/// One block under construction.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    columns: Vec<&'static str>,
    rows: usize,
}

impl Block {
    /// A block of so many rows.
    #[must_use]
    pub fn new(rows: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), columns: Vec::new(), rows }
    }

    /// The columns' names, for the INSERT statement.
    #[must_use]
    pub fn columns(&self) -> String {
        self.columns.join(", ")
    }

    /// The finished block.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut block = Vec::with_capacity(self.bytes.len() + 16);
        varint(&mut block, self.columns.len() as u64);
        varint(&mut block, self.rows as u64);
        block.extend_from_slice(&self.bytes);
        block
    }

    fn head(&mut self, name: &'static str, kind: &str) -> &mut Vec<u8> {
        self.columns.push(name);
        text(&mut self.bytes, name.as_bytes());
        text(&mut self.bytes, kind.as_bytes());
        &mut self.bytes
    }

    /// A column of numbers of a fixed width.
    pub fn numbers<const N: usize>(&mut self, name: &'static str, kind: &str, values: impl Iterator<Item = [u8; N]>) {
        let bytes = self.head(name, kind);
        values.for_each(|value| bytes.extend_from_slice(&value));
    }

    /// A column of bytes.
    pub fn bytes(&mut self, name: &'static str, kind: &str, values: &[u8]) {
        self.head(name, kind).extend_from_slice(values);
    }

    /// A column of texts.
    pub fn texts<'t>(&mut self, name: &'static str, values: impl Iterator<Item = &'t [u8]>) {
        let bytes = self.head(name, "String");
        values.for_each(|value| text(bytes, value));
    }

    /// A `LowCardinality(String)` column.
    pub fn dictionary(&mut self, name: &'static str, column: &DictionaryColumn) {
        let bytes = self.head(name, DICTIONARY);
        bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes());
        dictionary_rows(bytes, column);
    }

    /// A `LowCardinality(String)` column whose rows are all the same.
    pub fn constant(&mut self, name: &'static str, value: &str) {
        let mut column = DictionaryColumn::default();
        (0..self.rows).for_each(|_| column.push(value.as_bytes()));
        self.dictionary(name, &column);
    }

    /// A nullable instant column.
    pub fn maybe_instants(&mut self, name: &'static str, column: &MaybeInstants) {
        let bytes = self.head(name, "Nullable(DateTime64(3, 'UTC'))");
        bytes.extend_from_slice(&column.absent);
        column.ms.iter().for_each(|ms| bytes.extend_from_slice(&ms.to_le_bytes()));
    }

    /// An array column of numbers.
    pub fn number_arrays<const N: usize>(
        &mut self,
        name: &'static str,
        element: &str,
        ends: &[u64],
        values: impl Iterator<Item = [u8; N]>,
    ) {
        let bytes = self.head(name, &format!("Array({element})"));
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        values.for_each(|value| bytes.extend_from_slice(&value));
    }

    /// An array column of texts.
    pub fn text_arrays<'t>(&mut self, name: &'static str, ends: &[u64], values: impl Iterator<Item = &'t [u8]>) {
        let bytes = self.head(name, "Array(String)");
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        values.for_each(|value| text(bytes, value));
    }

    /// An array column of `LowCardinality(String)`. Its dictionary's version stands before the ends.
    pub fn dictionary_arrays(&mut self, name: &'static str, ends: &[u64], column: &DictionaryColumn) {
        let bytes = self.head(name, "Array(LowCardinality(String))");
        bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes());
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        dictionary_rows(bytes, column);
    }
}

fn dictionary_rows(bytes: &mut Vec<u8>, column: &DictionaryColumn) {
    if column.rows().is_empty() {
        return;
    }
    let distinct = column.distinct().len();
    let width = match distinct {
        0..=0x100 => 0u64,
        0x101..=0x1_0000 => 1,
        _ => 2,
    };
    bytes.extend_from_slice(&(width | DICTIONARY_FLAGS).to_le_bytes());
    bytes.extend_from_slice(&(distinct as u64).to_le_bytes());
    column.distinct().iter().for_each(|value| text(bytes, value));
    bytes.extend_from_slice(&(column.rows().len() as u64).to_le_bytes());
    match width {
        0 => bytes.extend(column.rows().iter().map(|row| *row as u8)),
        1 => column.rows().iter().for_each(|row| bytes.extend_from_slice(&(*row as u16).to_le_bytes())),
        _ => column.rows().iter().for_each(|row| bytes.extend_from_slice(&row.to_le_bytes())),
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn text(bytes: &mut Vec<u8>, value: &[u8]) {
    varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// An instant inside the range of a DateTime64: a partition without records has a log time before all time.
#[must_use]
pub fn table_ms(instant: Instant) -> i64 {
    instant.0.clamp(0, 4_000_000_000_000)
}
