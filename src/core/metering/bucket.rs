//! Buckets: what metering puts out. One row a series and UTC hour, whole; never an input (DESIGN §4).

use std::sync::Arc;

use super::cell::Cell;
use super::definition::Definition;
use super::tag::{TagTable, Tags};
use crate::core::word::{Hour, Kind};

/// The name of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Who runs the array.
    pub provider: Arc<str>,
    /// The array.
    pub array: Arc<str>,
    /// What is measured on it.
    pub kind: Kind,
    /// Which one of that kind.
    pub resource: Box<str>,
    /// The quantity.
    pub meter: Arc<str>,
}

/// One cell of a bucket, its tags resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketCell {
    /// Which cell of the hour, from 0.
    pub index: u8,
    /// Whose it is.
    pub tags: Arc<Tags>,
    /// Integral (base unit × milliseconds), sum or increase, by the meter's kind.
    pub amount: i128,
    /// Milliseconds that are known (gauge), else 0.
    pub observed_ms: u32,
    /// Readings at instants inside the cell.
    pub count: u32,
    /// Least level (gauge), else 0.
    pub min: u64,
    /// Greatest level (gauge), else 0.
    pub max: u64,
    /// Level at the end of what is known (gauge), else 0.
    pub last: u64,
}

/// One series in one UTC hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The series.
    pub series: Arc<SeriesKey>,
    /// The definition under which it was metered.
    pub definition: Definition,
    /// The hour.
    pub hour: Hour,
    /// Where its cells lie in [`BucketBatch::cells`].
    first_cell: u32,
    cell_count: u32,
}

/// Buckets on their way to the store, their cells in one vector.
#[derive(Clone, Debug, Default)]
pub struct BucketBatch {
    rows: Vec<Bucket>,
    cells: Vec<BucketCell>,
}

impl BucketBatch {
    /// Adds the bucket of a series and hour; without cells there is nothing to write. The cells are put into the one order
    /// (index, customer, tier, site) that does not depend on how the readings arrived.
    pub fn push(
        &mut self,
        series: &Arc<SeriesKey>,
        definition: &Definition,
        hour: Hour,
        cells: &[Cell],
        tags: &TagTable,
    ) {
        if cells.is_empty() {
            return;
        }
        let first = self.cells.len();
        self.cells.extend(cells.iter().map(|cell| BucketCell {
            index: cell.index,
            tags: Arc::clone(tags.get(cell.tags)),
            amount: cell.amount,
            observed_ms: cell.observed_ms,
            count: cell.count,
            min: cell.min,
            max: cell.max,
            last: cell.last,
        }));
        self.cells[first..].sort_unstable_by(|a, b| (a.index, &a.tags).cmp(&(b.index, &b.tags)));
        self.rows.push(Bucket {
            series: Arc::clone(series),
            definition: *definition,
            hour,
            first_cell: first as u32,
            cell_count: cells.len() as u32,
        });
    }

    /// Adds a bucket without cells: what was written of that hour before is void, and nothing is left of it.
    pub fn push_empty(&mut self, series: &Arc<SeriesKey>, definition: &Definition, hour: Hour) {
        let (series, first_cell) = (Arc::clone(series), self.cells.len() as u32);
        self.rows.push(Bucket { series, definition: *definition, hour, first_cell, cell_count: 0 });
    }

    /// The buckets with their cells.
    pub fn iter(&self) -> impl Iterator<Item = (&Bucket, &[BucketCell])> {
        self.rows.iter().map(|row| {
            let first = row.first_cell as usize;
            (row, &self.cells[first..first + row.cell_count as usize])
        })
    }

    /// Moves the buckets of `other` for which `keep` holds to the end of this batch.
    pub fn append_if(&mut self, other: &BucketBatch, keep: impl Fn(&Bucket) -> bool) {
        for (row, cells) in other.iter().filter(|(row, _)| keep(row)) {
            let first_cell = self.cells.len() as u32;
            self.cells.extend_from_slice(cells);
            self.rows.push(Bucket { first_cell, ..row.clone() });
        }
    }

    /// Forgets all buckets and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.cells.clear();
    }

    /// Bytes of memory that it keeps.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Bucket>() + self.cells.capacity() * size_of::<BucketCell>()
    }

    /// How many buckets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
