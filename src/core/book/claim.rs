//! Which tags of a provider's readings mean a customer of the book (PRICING §1).

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Book, Customer};

/// A provider's customer. An id that another provider's customer has is nobody of this one: a tag may be spelled like it, and neither its
/// name nor its address are this provider's to write on an invoice.
#[must_use]
pub fn customer<'book>(book: &'book Book, provider: &str, id: &str) -> Option<&'book Customer> {
    book.customers.get(id).filter(|customer| customer.provider == provider)
}

/// The tags that mean a customer, each once; a customer that names none claims its own id.
#[must_use]
pub fn tags(id: &str, customer: &Customer) -> Vec<String> {
    if customer.tags.is_empty() {
        return vec![id.to_owned()];
    }
    let mut seen = BTreeSet::new();
    customer.tags.iter().filter(|tag| seen.insert(*tag)).cloned().collect()
}

/// The customers of a provider by the tags that mean them: made once where many tags are looked up.
#[must_use]
pub fn owners<'book>(book: &'book Book, provider: &str) -> BTreeMap<String, &'book str> {
    let own = book.customers.iter().filter(|(_, customer)| customer.provider == provider);
    own.flat_map(|(id, customer)| tags(id, customer).into_iter().map(move |tag| (tag, id.as_str()))).collect()
}

/// The tags that a provider's customers claim.
#[must_use]
pub fn claimed(book: &Book, provider: &str) -> Vec<String> {
    owners(book, provider).into_keys().collect()
}

/// A file of the book with the sections that would claim tags: to put beside the others once names and addresses are filled in.
#[must_use]
pub fn file<'a>(book: &Book, provider: &str, tags: impl IntoIterator<Item = &'a str>) -> String {
    let sections = tags.into_iter().map(|tag| format!("\n{}", section(book, provider, tag)));
    std::iter::once("format = 1\n".to_owned()).chain(sections).collect()
}

/// The section of the book that would claim a tag, to paste into a file that has its `format`: name and address have to be filled in. A tag
/// that is spelled like the id of somebody else gets an id of its own: an id stands once in a book.
#[must_use]
pub fn section(book: &Book, provider: &str, tag: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut id = tag.to_owned();
    while book.customers.contains_key(&id) {
        id = format!("{provider}-{id}");
    }
    let id = if !id.is_empty() && id.chars().all(bare) { id } else { toml_text(&id) };
    format!(
        "[customer.{id}]\nprovider = {}\nname = \"...\"\naddress = [\"...\"]\ntags = [{}]\n",
        toml_text(provider),
        toml_text(tag)
    )
}

/// A text as TOML writes it.
fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_section_claims_the_tag() {
        let sample = include_str!("../../../examples/pricebook/northwind.toml");
        for tag in ["umbrella", "Über \"uns\"", "a.b", "x\\y"] {
            let text = format!("{sample}\n{}", section(&Book::default(), "northwind", tag));
            let book = crate::core::book::parse(&[("book.toml".to_owned(), text)]).unwrap();
            assert!(claimed(&book, "northwind").contains(&tag.to_owned()), "{tag}");
            assert!(claimed(&book, "northwind").contains(&"ACME".to_owned()));
            assert!(claimed(&book, "fjordcloud").is_empty());
        }
    }

    #[test]
    fn a_file_of_sections_is_one_of_the_book() {
        let sample = include_str!("../../../examples/pricebook/northwind.toml").to_owned();
        let more = file(&Book::default(), "northwind", ["umbrella", "a.b"]);
        let book = crate::core::book::parse(&[("book.toml".to_owned(), sample), ("more.toml".to_owned(), more)]);
        let book = book.unwrap();
        for tag in ["umbrella", "a.b", "ACME"] {
            assert!(claimed(&book, "northwind").contains(&tag.to_owned()), "{tag}");
        }
    }

    #[test]
    fn a_tag_that_is_spelled_like_another_providers_customer_is_nobody_and_can_be_claimed() {
        let texts = [
            include_str!("../../../examples/pricebook/northwind.toml"),
            include_str!("../../../examples/pricebook/fjordcloud.toml"),
        ];
        let files = texts.map(|text| (format!("{}.toml", text.len()), text.to_owned()));
        let book = crate::core::book::parse(&files).unwrap();
        assert!(
            customer(&book, "fjordcloud", "initech").is_some() && customer(&book, "northwind", "initech").is_none()
        );
        let more = ("more.toml".to_owned(), file(&book, "northwind", ["initech"]));
        let book = crate::core::book::parse(&[files.as_slice(), &[more]].concat()).unwrap();
        assert_eq!(owners(&book, "northwind")["initech"], "northwind-initech");
        assert_eq!(owners(&book, "fjordcloud")["initech"], "initech");
    }
}
