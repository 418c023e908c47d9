//! What an export holds, held against what is stored: a file is whole if its rows and amounts are.

use std::collections::BTreeMap;

use super::ExportError;
use crate::clickhouse::read::documents::TotalRow;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;

/// Places of the totals of the table `invoice_header`.
const STORED_PLACES: u32 = 9;

/// What was written of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its rows.
    pub rows: u64,
    /// Σ of their amounts.
    pub amount: Figure,
    /// What the document says that they come to.
    pub wanted: Figure,
}

/// What was written of the documents of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Documents.
    pub documents: u64,
    /// Rows.
    pub rows: u64,
    /// Σ of the rows' amounts: without taxes and credits, but for FOCUS.
    pub amount: Figure,
    /// Σ of the documents' totals.
    pub total: Figure,
    wanted: Figure,
}

/// What was written, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(pub BTreeMap<String, Sum>);

impl Sums {
    /// Counts a document.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn add(&mut self, document: &Document, written: Written) -> Result<(), DocumentError> {
        let sum = self.0.entry(document.currency.clone()).or_default();
        sum.documents += 1;
        sum.rows += written.rows;
        sum.amount = sum.amount.plus(written.amount)?;
        sum.wanted = sum.wanted.plus(written.wanted)?;
        sum.total = sum.total.plus(Figure::parse(&document.total)?)?;
        Ok(())
    }

    /// All documents so far.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.0.values().map(|sum| sum.documents).sum()
    }

    /// All rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.values().map(|sum| sum.rows).sum()
    }

    /// Whether all that is stored was written, and nothing else.
    ///
    /// # Errors
    /// What differs, by currency.
    pub fn check(&self, stored: &[TotalRow]) -> Result<(), ExportError> {
        let none = Sum::default();
        let foreign = self.0.keys().find(|currency| stored.iter().all(|row| row.currency != **currency));
        if let Some(currency) = foreign {
            let found = self.0.get(currency).unwrap_or(&none).documents.to_string();
            return Err(differ("documents", currency, found, "0".to_owned()));
        }
        for row in stored {
            let sum = self.0.get(&row.currency).unwrap_or(&none);
            let total = Figure::of_minor(row.total, STORED_PLACES)?;
            let pairs = [
                ("documents", sum.documents.to_string(), row.documents.to_string()),
                ("totals of documents", sum.total.to_string(), total.to_string()),
                ("amounts of rows", sum.amount.to_string(), sum.wanted.to_string()),
            ];
            if let Some((what, found, wanted)) = pairs.into_iter().find(|(_, found, wanted)| found != wanted) {
                return Err(differ(what, &row.currency, found, wanted));
            }
        }
        Ok(())
    }
}

fn differ(what: &'static str, currency: &str, found: String, wanted: String) -> ExportError {
    ExportError::Sum { what, currency: currency.to_owned(), found, wanted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::sample::{figure, northwind_invoice};

    fn written(amount: &str) -> Written {
        Written { rows: 5, amount: figure(amount), wanted: figure("3260.87") }
    }

    fn stored(documents: u64, total: i128) -> Vec<TotalRow> {
        vec![TotalRow { currency: "EUR".to_owned(), documents, total, last: 7 }]
    }

    #[test]
    fn a_file_is_whole_or_says_what_it_lacks() {
        const TOTAL: i128 = 3_260_870_000_000;
        let mut sums = Sums::default();
        sums.check(&[]).unwrap();
        sums.add(&northwind_invoice(), written("3260.87")).unwrap();
        assert_eq!((sums.documents(), sums.rows()), (1, 5));
        sums.check(&stored(1, TOTAL)).unwrap();
        let wrong = |sums: &Sums, stored: &[TotalRow]| sums.check(stored).unwrap_err().to_string();
        assert!(wrong(&sums, &stored(2, TOTAL)).starts_with("documents in EUR come to 1, not 2"));
        assert!(wrong(&sums, &stored(1, TOTAL + 10_000_000)).contains("totals of documents in EUR"));
        assert!(wrong(&sums, &[]).starts_with("documents in EUR come to 1, not 0"));
        sums.add(&northwind_invoice(), written("3260.86")).unwrap();
        assert!(wrong(&sums, &stored(2, 2 * TOTAL)).contains("amounts of rows in EUR come to 6521.73, not 6521.74"));
        assert!(wrong(&Sums::default(), &stored(1, TOTAL)).contains("come to 0, not 1"));
    }
}
