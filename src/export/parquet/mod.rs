//! Rows as a Parquet file: decimals exact, instants in UTC. Rows are held back until a row group is full, which bounds memory.

mod column;
mod values;

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::ExportError;
use crate::core::billing::document::Document;
use column::{COLUMNS, Column, Kind, fields};
use values::Values;

/// Rows of a row group: what is held back of a file. A file has at most 32,768 groups.
const GROUP_ROWS_MAX: usize = 32_768;

/// A file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<Box<dyn Write + Send>>,
    columns: Vec<Values>,
    rows: usize,
}

impl ParquetFile {
    /// Begins a file.
    pub(super) fn new(to: Box<dyn Write + Send>) -> Result<Self, ExportError> {
        let schema = Arc::new(parse_message_type(&schema())?);
        let properties = WriterProperties::builder()
            .set_created_by(concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .build();
        let writer = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
        Ok(Self { writer, columns: COLUMNS.iter().map(Values::of).collect(), rows: 0 })
    }

    /// Takes the rows of a document.
    pub(super) fn write(&mut self, document: &Document) -> Result<(), ExportError> {
        for row in &document.rows {
            for (column, field) in self.columns.iter_mut().zip(fields(document, row)?) {
                column.push(field);
            }
            self.rows += 1;
            if self.rows == GROUP_ROWS_MAX {
                self.group()?;
            }
        }
        Ok(())
    }

    /// Writes the last rows and the end of the file.
    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        self.group()?;
        Ok(self.writer.into_inner()?.flush()?)
    }

    fn group(&mut self) -> Result<(), ExportError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            // the schema has as many columns as there are
            let Some(mut writer) = group.next_column()? else { break };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

/// The schema in Parquet's own words.
fn schema() -> String {
    let column = |(name, kind, is_required): &Column| {
        let kind = match kind {
            Kind::Text => format!("BYTE_ARRAY {name} (STRING)"),
            Kind::Decimal(places) => format!("FIXED_LEN_BYTE_ARRAY (16) {name} (DECIMAL (38, {places}))"),
            Kind::Instant => format!("INT64 {name} (TIMESTAMP(MILLIS,true))"),
            Kind::Day => format!("INT32 {name} (DATE)"),
            Kind::Whole => format!("INT64 {name}"),
            Kind::Truth => format!("BOOLEAN {name}"),
        };
        format!("{} {kind};", if *is_required { "REQUIRED" } else { "OPTIONAL" })
    };
    format!("message plimsoll {{ {} }}", COLUMNS.iter().map(column).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;

    use super::*;
    use crate::core::billing::sample::northwind_invoice;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn file(documents: &[Document]) -> SerializedFileReader<bytes::Bytes> {
        let memory = Memory::default();
        let mut file = ParquetFile::new(Box::new(memory.clone())).unwrap();
        documents.iter().for_each(|document| file.write(document).unwrap());
        file.finish().unwrap();
        let bytes = std::mem::take(&mut *memory.0.lock().unwrap());
        SerializedFileReader::new(bytes.into()).unwrap()
    }

    #[test]
    fn rows_are_read_back_with_their_types() {
        let invoice = northwind_invoice();
        let reader = file(std::slice::from_ref(&invoice));
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), invoice.rows.len());
        for (row, wanted) in rows.iter().zip(&invoice.rows) {
            let of = |name: &str| row.get_column_iter().find(|(own, _)| *own == name).unwrap().1.clone();
            assert_eq!(of("invoice"), Field::Str("EG-2026-000118".to_owned()));
            assert_eq!(of("period_start"), Field::TimestampMillis(1_788_213_600_000));
            assert_eq!(of("issue_date"), Field::Date(20_730));
            let Field::Decimal(amount) = of("amount") else { panic!("{:?}", of("amount")) };
            let digits = amount.data().iter().fold(0i128, |sum, byte| (sum << 8) | i128::from(*byte));
            let own = wanted.amount.replace('.', "").parse::<i128>().unwrap() * 10_000_000;
            assert_eq!((amount.precision(), amount.scale(), digits), (38, 9, own));
            assert_eq!(of("line") == Field::Null, wanted.line.is_none());
        }
    }

    #[test]
    fn a_group_has_rows_up_to_its_limit() {
        let mut long = northwind_invoice();
        let row = long.rows[0].clone();
        long.rows = vec![row; GROUP_ROWS_MAX];
        let groups = |documents: &[Document]| {
            let metadata = file(documents).metadata().clone();
            metadata.row_groups().iter().map(|group| group.num_rows()).collect::<Vec<_>>()
        };
        assert_eq!(groups(&[]), [0i64; 0], "a file without rows is a file");
        assert_eq!(groups(&[long.clone()]), [32_768]);
        long.rows.push(long.rows[0].clone());
        assert_eq!(groups(&[long]), [32_768, 1]);
    }
}
