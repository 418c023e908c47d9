//! Price books of one contract.

use plimsoll::core::book::{self, Book};

/// The book of a text, or its faults.
pub fn parse(text: &str) -> Result<Book, String> {
    let faults =
        |faults: Vec<_>| format!("{}\n{text}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    book::parse(&[("book.toml".to_owned(), text.to_owned())]).map_err(faults)
}

/// A contract `c` with a line for each of these rates, of a card with more rates, and with more keys.
pub struct Terms {
    /// Rates of the card, as TOML tables.
    pub rates: Vec<String>,
    /// Lines of the contract, as TOML tables.
    pub lines: Vec<String>,
    /// Keys of the contract.
    pub contract: String,
}

impl Terms {
    /// The book as TOML.
    pub fn text(&self) -> String {
        let (rates, lines) = (self.rates.join(",\n  "), self.lines.join(",\n  "));
        let contract = &self.contract;
        format!(
            r#"format = 1
[meter.effective_used]
kind = "gauge"
base = "byte"
[meter.read_bytes]
kind = "counter"
base = "byte"
[provider.p]
name = "P"
address = ["Street 1", "DE"]
invoice_number = "P-{{year}}-{{seq:5}}"
[customer.acme]
provider = "p"
name = "Acme"
address = ["Street 2", "DE"]
tags = ["acme"]
[card.k]
currency = "EUR"
rate = [
  {rates}
]
[contract.c]
seller = "p"
buyer = "acme"
card = "k"
payment_days = 30
line = [
  {lines}
]
{contract}
"#
        )
    }
}
