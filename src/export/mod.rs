//! Issued documents of months as one file: FOCUS, CSV or Parquet. They are read a few at a time in the order of the log and written as
//! they come, so memory does not grow with their number; what was written is then held against what is stored.

mod error;
mod parquet;
mod sum;
mod writer;

use std::io::Write;

pub use error::ExportError;
pub use sum::{Sum, Sums};
pub use writer::Form;

use crate::clickhouse::Client;
use crate::clickhouse::read::documents::{DocumentsQuery, TotalRow, WholeRow, numbers, totals, whole};
use crate::core::billing::document::Document;
use writer::Writer;

/// Documents read together at first.
const FIRST_PART: usize = 64;
/// ... at most: their numbers are a parameter of the statement.
const PART_MAX: usize = 2_048;
/// Bytes of documents read together beyond which the next part is smaller.
const PART_BYTES: usize = 16 << 20;

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Documents written.
    pub documents: u64,
    /// Of so many.
    pub of: u64,
    /// Rows written.
    pub rows: u64,
}

/// Writes all documents of a query that were issued when it begins.
///
/// # Errors
/// The server's, a document that is not what was issued, and a file that is not whole.
pub async fn export(
    client: &Client,
    query: &DocumentsQuery,
    form: Form,
    to: Box<dyn Write + Send>,
    told: &dyn Fn(Progress),
) -> Result<Sums, ExportError> {
    let stored = totals(client, query).await?;
    let of = stored.iter().map(|row| row.documents).sum();
    let (mut writer, mut sums) = (Writer::new(form, to)?, Sums::default());
    let (mut from, mut limit) = (0, FIRST_PART);
    while let Some(last) = last(&stored).filter(|last| from <= *last) {
        let part = numbers(client, query, from, last, limit).await?;
        let Some(end) = part.last().map(|row| row.decision) else { break };
        let part: Vec<String> = part.into_iter().map(|row| row.number).collect();
        let mut rows = whole(client, &part)?;
        let (mut bytes, mut wanted) = (0, part.iter());
        while let Some(row) = rows.next().await? {
            let number = wanted.next().ok_or_else(|| ExportError::Missing(row.number.clone()))?;
            if *number != row.number {
                return Err(ExportError::Missing(number.clone()));
            }
            bytes += row.document.len();
            write(&mut writer, &mut sums, &row)?;
            told(Progress { documents: sums.documents(), of, rows: sums.rows() });
        }
        if let Some(number) = wanted.next() {
            return Err(ExportError::Missing(number.clone()));
        }
        (from, limit) = (end.saturating_add(1), next_part(limit, bytes));
    }
    sums.check(&stored)?;
    writer.finish()?;
    Ok(sums)
}

/// The record that issued the last document.
fn last(stored: &[TotalRow]) -> Option<u64> {
    stored.iter().map(|row| row.last).max()
}

/// How many documents are read together next, after so many of so many bytes.
fn next_part(limit: usize, bytes: usize) -> usize {
    if bytes > PART_BYTES {
        (limit / 2).max(1)
    } else if bytes < PART_BYTES / 2 {
        (limit * 2).min(PART_MAX)
    } else {
        limit
    }
}

fn write(writer: &mut Writer, sums: &mut Sums, row: &WholeRow) -> Result<(), ExportError> {
    let wrong = |error| ExportError::Document { number: row.number.clone(), error };
    let document = Document::from_json(&row.document).map_err(wrong)?;
    let written = writer.write(&document).map_err(|error| match error {
        ExportError::Figure(error) => wrong(error),
        other => other,
    })?;
    sums.add(&document, written).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_documents_up_to_its_limits() {
        assert_eq!(next_part(FIRST_PART, 0), 2 * FIRST_PART);
        assert_eq!([PART_MAX - 1, PART_MAX].map(|limit| next_part(limit, PART_BYTES / 2 - 1)), [PART_MAX; 2]);
        assert_eq!([PART_BYTES / 2, PART_BYTES].map(|bytes| next_part(FIRST_PART, bytes)), [FIRST_PART; 2]);
        assert_eq!(next_part(FIRST_PART, PART_BYTES + 1), FIRST_PART / 2);
        assert_eq!(next_part(1, PART_BYTES + 1), 1, "a document that is greater comes alone");
    }
}
