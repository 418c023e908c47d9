//! Which tags of a provider's readings mean a customer of the book (PRICING §1).

use super::model::Book;

/// The tags that a provider's customers claim; a customer that names none claims its own id.
#[must_use]
pub fn claimed(book: &Book, provider: &str) -> Vec<String> {
    let own = book.customers.iter().filter(|(_, customer)| customer.provider == provider);
    own.flat_map(|(id, customer)| if customer.tags.is_empty() { vec![id.clone()] } else { customer.tags.clone() })
        .collect()
}

/// The section of the book that would claim a tag, to paste: name and address have to be filled in.
#[must_use]
pub fn section(provider: &str, tag: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let id = if !tag.is_empty() && tag.chars().all(bare) { tag.to_owned() } else { toml_text(tag) };
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
            let text = format!("{sample}\n{}", section("northwind", tag));
            let book = crate::core::book::parse(&[("book.toml".to_owned(), text)]).unwrap();
            assert!(claimed(&book, "northwind").contains(&tag.to_owned()), "{tag}");
            assert!(claimed(&book, "northwind").contains(&"ACME".to_owned()));
            assert!(claimed(&book, "fjordcloud").is_empty());
        }
    }
}
