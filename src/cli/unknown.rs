//! Names that nobody has: what is said of them, and what was most likely meant.

use std::collections::BTreeSet;

use super::refusal::refuse;
use crate::clickhouse::Client;
use crate::clickhouse::read::void;
use crate::core::book::Book;
use crate::core::decision::stream::StreamRegister;
use crate::core::nearest::nearest;
use crate::statement::{Rater, StatementError};

/// What is said of a provider that the price book does not have.
pub(super) fn provider(id: &str, book: &Book) -> String {
    told("provider", id, book.providers.keys().map(String::as_str))
}

/// What is said of a meter that the price book does not define.
pub(super) fn meter(id: &str, book: &Book) -> String {
    told("meter", id, book.meters.keys().map(String::as_str))
}

/// The same of any name, where there is more to be named than the price book has.
pub(super) fn told<'a>(what: &str, id: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(id, known) {
        Some(near) => format!("the price book has no {what} {id}; did you mean {near}?"),
        None => format!("the price book has no {what} {id}; `plimsoll catalog show` lists them"),
    }
}

/// The providers that somebody may mean: those of the price book, and those that have a stream of their own or had one.
pub(super) fn providers<'a>(register: &'a StreamRegister, book: Option<&'a Book>) -> BTreeSet<&'a str> {
    let mut known: BTreeSet<&str> = register.all().filter_map(|stream| stream.rules.provider.as_deref()).collect();
    known.extend(book.into_iter().flat_map(|book| book.providers.keys().map(String::as_str)));
    known
}

/// Refuses a provider that is neither in the newest price book nor has a stream of its own. It is asked once nothing of it is found: of
/// whoever is in neither there may be something all the same, and of a name that is misspelt a check that finds nothing would be taken for green.
pub(super) async fn refuse_provider(client: &Client, id: Option<&str>) -> anyhow::Result<()> {
    let Some(id) = id else { return Ok(()) };
    let register = void::register(client).await?;
    let rater = match Rater::newest(client).await {
        Ok(rater) => Some(rater),
        Err(StatementError::NoBook) => None,
        Err(error) => return Err(error.into()),
    };
    let known = providers(&register, rater.as_ref().map(Rater::book));
    match known.contains(id) {
        true => Ok(()),
        false => refuse(told("provider", id, known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_offered_and_else_where_to_look() {
        let text = include_str!("../../examples/pricebook/northwind.toml");
        let book = crate::core::book::parse(&[("book.toml".to_owned(), text.to_owned())]).unwrap();
        assert_eq!(provider("nortwind", &book), "the price book has no provider nortwind; did you mean northwind?");
        assert_eq!(
            meter("efective_used", &book),
            "the price book has no meter efective_used; did you mean effective_used?"
        );
        assert!(provider("nobody", &book).ends_with("nobody; `plimsoll catalog show` lists them"));
    }
}
