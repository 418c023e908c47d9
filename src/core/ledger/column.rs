//! Columns of text on their way to the store: one buffer each, no allocation per value.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Texts one after another.
#[derive(Clone, Debug, Default)]
pub struct TextColumn {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl TextColumn {
    /// Adds a text.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The text at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> &[u8] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] as usize };
        &self.bytes[start..self.ends[place] as usize]
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|place| self.get(place))
    }

    /// How many texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Texts of which few differ: each distinct one once, and a number a row. It is what a `LowCardinality` column takes on the
/// wire, so neither side hashes a text a second time.
#[derive(Clone, Debug, Default)]
pub struct DictionaryColumn {
    distinct: TextColumn,
    by_text: HashTable<u32>,
    hashes: Vec<u64>,
    /// What followed each text the last time: polls list the same resources in the same order, so this is mostly right, and a
    /// comparison costs a fraction of a hash and a look-up.
    followers: Vec<u32>,
    rows: Vec<u32>,
}

impl DictionaryColumn {
    /// Adds a row.
    pub fn push(&mut self, text: &[u8]) {
        let last = self.rows.last().copied();
        let guess = last.map_or(0, |last| self.followers[last as usize]);
        let number = match self.distinct.len() > guess as usize && self.distinct.get(guess as usize) == text {
            true => guess,
            false => self.look_up(text),
        };
        if let Some(last) = last {
            self.followers[last as usize] = number;
        }
        self.rows.push(number);
    }

    fn look_up(&mut self, text: &[u8]) -> u32 {
        let hash = xxh3_64(text);
        let found = self.by_text.find(hash, |&number| self.distinct.get(number as usize) == text).copied();
        found.unwrap_or_else(|| {
            let number = self.distinct.len() as u32;
            self.distinct.push(text);
            self.hashes.push(hash);
            self.followers.push(number);
            self.by_text.insert_unique(hash, number, |&other| self.hashes[other as usize]);
            number
        })
    }

    /// The distinct texts, in the order of their numbers.
    #[must_use]
    pub fn distinct(&self) -> &TextColumn {
        &self.distinct
    }

    /// The number of each row's text.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        self.distinct.get(self.rows[row] as usize)
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.distinct.clear();
        self.by_text.clear();
        self.hashes.clear();
        self.followers.clear();
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_gives_back_what_was_pushed() {
        let mut column = DictionaryColumn::default();
        let texts: Vec<String> = (0..1000).map(|i| format!("t{}", i * i % 97)).collect();
        texts.iter().for_each(|text| column.push(text.as_bytes()));
        assert!(texts.iter().enumerate().all(|(row, text)| column.get(row) == text.as_bytes()));
        assert!(column.distinct().len() <= 97);
    }
}
