//! What the decisions below a close's `after` say: everything that its ratings are functions of, but for usage.

use thiserror::Error;

use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::credit::Grants;
use crate::core::decision::stream::StreamRegister;
use crate::core::metering::definition::Meters;
use crate::core::word::Offset;

/// Why decisions give no basis.
#[derive(Debug, Error)]
pub enum BasisError {
    /// The book is not among them.
    #[error("no price book {0} is published before the close; run `plimsoll run` until decisions are mirrored")]
    NoBook(String),
    /// A book of another version.
    #[error("the price book at offset {offset} of the control log is not understood ({error}); upgrade this process")]
    Book {
        /// Where it lies.
        offset: u64,
        /// Why.
        error: serde_json::Error,
    },
}

/// What decisions say.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The price book.
    pub book: Book,
    /// Its hash.
    pub hash: String,
    /// The meters that all books so far define.
    pub meters: Meters,
    /// The credits that were granted.
    pub grants: Grants,
    /// The streams.
    pub streams: StreamRegister,
}

impl Basis {
    /// What decisions in the order of the log say below `after`, with the book of this hash.
    ///
    /// # Errors
    /// A book that is not there or not understood.
    pub fn below<'d>(
        decisions: impl IntoIterator<Item = (Offset, &'d Decision)>,
        after: Offset,
        hash: &str,
    ) -> Result<Self, BasisError> {
        let (mut named, mut meters) = (None, Meters::default());
        let (mut grants, mut streams) = (Vec::new(), StreamRegister::default());
        for (offset, decision) in decisions.into_iter().take_while(|(offset, _)| *offset < after) {
            streams.apply(decision);
            match decision {
                Decision::PriceBookPublished { hash: own, book, .. } => {
                    let wrong = |error| BasisError::Book { offset: offset.0, error };
                    let book = Book::from_canonical(book).map_err(wrong)?;
                    book.meters().for_each(|(name, definition)| meters.define(name, definition));
                    if own == hash {
                        named = Some(book);
                    }
                }
                Decision::CreditGranted { grant, actor } => grants.push((offset, grant.clone(), actor.clone())),
                _ => {}
            }
        }
        let book = named.ok_or_else(|| BasisError::NoBook(hash.to_owned()))?;
        Ok(Self { book, hash: hash.to_owned(), meters, grants: Grants::new(grants), streams })
    }
}
