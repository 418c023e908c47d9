//! Records taken together: so many, or so many bytes.

use crate::clickhouse::Error;
use crate::clickhouse::read::aside::AsideRow;
use crate::clickhouse::read::rows::Rows;

/// Most records that are resolved together.
pub const BATCH_RECORDS: usize = 64;
/// A batch takes no more records once it holds so many bytes; its last record may be one of the greatest.
pub const BATCH_BYTES: usize = 64 << 20;

/// The next records of an answer; none after the last.
///
/// # Errors
/// The server's.
pub async fn next(rows: &mut Rows<AsideRow>) -> Result<Vec<AsideRow>, Error> {
    let mut batch = Vec::new();
    while !is_full(&batch) {
        match rows.next().await? {
            Some(row) => batch.push(row),
            None => break,
        }
    }
    Ok(batch)
}

fn is_full(batch: &[AsideRow]) -> bool {
    batch.len() >= BATCH_RECORDS || batch.iter().map(|row| row.raw.len()).sum::<usize>() >= BATCH_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bytes: usize) -> AsideRow {
        AsideRow { raw: vec![0; bytes], ..AsideRow::default() }
    }

    #[test]
    fn a_batch_is_full_at_its_records_and_at_its_bytes() {
        for (records, full) in [(0, false), (BATCH_RECORDS - 1, false), (BATCH_RECORDS, true)] {
            assert_eq!(is_full(&vec![row(1); records]), full, "{records} records");
        }
        for (bytes, full) in [(BATCH_BYTES / 2 - 1, false), (BATCH_BYTES / 2, true)] {
            assert_eq!(is_full(&[row(BATCH_BYTES / 2), row(bytes)]), full, "{bytes} bytes more than half");
        }
    }
}
