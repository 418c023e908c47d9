//! Names that nobody has: what is said of them, and what was most likely meant.

use crate::core::book::Book;
use crate::core::nearest::nearest;

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
