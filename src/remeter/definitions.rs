//! Which meters were defined when: as far as a checkpoint's `control`, the buckets below it count them.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::metering::definition::Meters;
use crate::core::word::Offset;

/// The meters of all published price books, each from its decision on.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// After the decision at an offset these are defined.
    after: Vec<(u64, Meters)>,
}

#[derive(Row, Deserialize)]
struct BookRow {
    offset: u64,
    book: String,
}

impl Definitions {
    /// What the mirrored decisions define.
    ///
    /// # Errors
    /// The server's; a book that this build does not understand.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        let sql = "SELECT offset, JSONExtractRaw(body, 'book') AS book FROM decision FINAL WHERE kind = 'PriceBookPublished' ORDER BY offset";
        let mut rows = Rows::<BookRow>::of(client, client.select(sql))?;
        let mut definitions = Self::default();
        while let Some(row) = rows.next().await? {
            let book = serde_json::from_str(&row.book).and_then(|book| Book::from_canonical(&book));
            let book = book.map_err(|error| {
                let text = format!("the price book of decision {} is not understood ({error})", row.offset);
                Error::refusal(text, "upgrade this process, or run `plimsoll repair` if the table was changed by hand")
            })?;
            definitions.add(Offset(row.offset), &book);
        }
        Ok(definitions)
    }

    /// Adds the book of a later decision. A meter is set once: of two definitions of one name the first stays.
    pub fn add(&mut self, decision: Offset, book: &Book) {
        let mut meters = self.newest();
        book.meters().for_each(|(name, definition)| meters.define(name, definition));
        self.after.push((decision.0, meters));
    }

    /// The meters defined by decisions below `control`.
    #[must_use]
    pub fn below(&self, control: Offset) -> Meters {
        let found = self.after.iter().rev().find(|(decision, _)| *decision < control.0);
        found.map(|(_, meters)| meters.clone()).unwrap_or_default()
    }

    /// All meters.
    #[must_use]
    pub fn newest(&self) -> Meters {
        self.below(Offset(u64::MAX))
    }
}
