//! The forms of an export.

use std::io::Write;

use super::ExportError;
use super::parquet::ParquetFile;
use super::sum::Written;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::render::{csv, focus};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// FOCUS 1.3 as CSV: charges, with taxes and credits.
    Focus,
    /// Rows of documents as CSV.
    Csv,
    /// The columns of the CSV, with types.
    Parquet,
}

/// A file that is being written.
pub(super) enum Writer {
    /// Lines of text.
    Text(Form, Box<dyn Write + Send>),
    /// Columns.
    Parquet(Box<ParquetFile>),
}

impl Writer {
    /// Begins a file.
    pub(super) fn new(form: Form, mut to: Box<dyn Write + Send>) -> Result<Self, ExportError> {
        let header = match form {
            Form::Parquet => return Ok(Writer::Parquet(Box::new(ParquetFile::new(to)?))),
            Form::Focus => focus::header(),
            Form::Csv => csv::header(),
        };
        to.write_all(header.as_bytes())?;
        Ok(Writer::Text(form, to))
    }

    /// Writes the rows of a document.
    pub(super) fn write(&mut self, document: &Document) -> Result<Written, ExportError> {
        match self {
            Writer::Text(Form::Focus, to) => {
                let lines = focus::lines(document)?;
                to.write_all(lines.text.as_bytes())?;
                let wanted = Figure::parse(&document.total)?;
                Ok(Written { rows: lines.count as u64, amount: lines.billed, wanted })
            }
            Writer::Text(_, to) => {
                to.write_all(csv::rows(document).as_bytes())?;
                Ok(rows(document)?)
            }
            Writer::Parquet(file) => {
                file.write(document)?;
                Ok(rows(document)?)
            }
        }
    }

    /// Writes what is still held back.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        match self {
            Writer::Text(_, mut to) => Ok(to.flush()?),
            Writer::Parquet(file) => file.finish(),
        }
    }
}

fn rows(document: &Document) -> Result<Written, DocumentError> {
    let amount = Figure::sum(document.rows.iter().map(|row| &*row.amount))?;
    Ok(Written { rows: document.rows.len() as u64, amount, wanted: Figure::parse(&document.subtotal)? })
}
