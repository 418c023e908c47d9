//! Price books of one contract.

use plimsoll::core::book::{self, Book};

use crate::stage::book::{self as pieces, customer, meter, provider};

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
        let card = format!("[card.k]\ncurrency = \"EUR\"\nrate = [\n  {rates}\n]\n");
        let sold = format!(
            "[contract.c]\nseller = \"p\"\nbuyer = \"acme\"\ncard = \"k\"\npayment_days = 30\nline = [\n  {lines}\n]\n{contract}\n"
        );
        pieces::book([
            meter("effective_used", "gauge"),
            meter("read_bytes", "counter"),
            provider("p"),
            customer("p", "acme"),
            card,
            sold,
        ])
    }
}
