//! The sample book and documents for tests.

use chrono::NaiveDate;

use super::month::Month;
use super::revenue::Booked;
use crate::core::billing::figure::Figure;
use crate::core::book::model::{Book, Programme};

/// The sample price book.
pub fn book() -> Book {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        file("northwind.toml", include_str!("../../../examples/pricebook/northwind.toml")),
        file("fjordcloud.toml", include_str!("../../../examples/pricebook/fjordcloud.toml")),
    ];
    crate::core::book::parse(&files).unwrap()
}

pub fn programme() -> Programme {
    book().programmes["service-provider"].clone()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An invoice of the sample's wholesale contract.
pub fn booked(label: &str, issued: &str, amount: &str) -> Booked {
    Booked {
        contract: "northwind-wholesale".to_owned(),
        seller: "evergrove".to_owned(),
        label: Month::parse(label).unwrap(),
        issued: day(issued),
        is_invoice: true,
        currency: "EUR".to_owned(),
        amount: Figure::parse(amount).unwrap(),
    }
}
