//! The books that documents were rated with.

use std::collections::VecDeque;
use std::sync::Arc;

use super::ProgrammeError;
use crate::clickhouse::Client;
use crate::clickhouse::read::book;
use crate::core::book::Book;
use crate::statement::StatementError;

/// Books in memory at once: documents that follow each other were mostly rated with the same one.
const BOOKS_MAX: usize = 4;

/// The books that were asked for last.
pub(super) struct Books {
    client: Client,
    kept: VecDeque<(String, Arc<Book>)>,
}

impl Books {
    /// None yet.
    pub(super) fn new(client: &Client) -> Self {
        Self { client: client.clone(), kept: VecDeque::new() }
    }

    /// The book of a document.
    pub(super) async fn of(&mut self, number: &str, hash: &str) -> Result<Arc<Book>, ProgrammeError> {
        if let Some((_, book)) = self.kept.iter().find(|(kept, _)| kept == hash) {
            return Ok(Arc::clone(book));
        }
        let offset = book::offset_of(&self.client, hash).await?;
        let missing = || ProgrammeError::NoBook { number: number.to_owned(), hash: hash.to_owned() };
        let published = book::read(&self.client, offset.ok_or_else(missing)?).await?;
        let book = Arc::new(Book::from_canonical(&published.book).map_err(StatementError::Book)?);
        self.keep(hash, &book);
        Ok(book)
    }

    fn keep(&mut self, hash: &str, book: &Arc<Book>) {
        self.kept.push_front((hash.to_owned(), Arc::clone(book)));
        self.kept.truncate(BOOKS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    #[test]
    fn books_are_kept_up_to_their_limit_the_last_ones() {
        let config = Config::from_parts(Source::Defaults, "", []).unwrap();
        let mut books = Books::new(&Client::new(&config.clickhouse));
        let book = Arc::new(Book::default());
        for (count, number) in (0..=BOOKS_MAX).enumerate() {
            books.keep(&number.to_string(), &book);
            assert_eq!(books.kept.len(), (count + 1).min(BOOKS_MAX));
        }
        assert!(books.kept.iter().all(|(hash, _)| hash != "0"));
    }
}
