//! Seller and buyer as a document shows them (INVOICE §3).

use super::document::{DocumentBuyer, DocumentSeller};
use crate::core::book::claim;
use crate::core::book::model::{Book, Contract, Party, Seller};
use crate::core::pricing::error::RateError;

/// The seller's name, address and tax id.
pub fn seller(book: &Book, contract_id: &str, contract: &Contract) -> Result<DocumentSeller, RateError> {
    let (id, party) = match &contract.seller {
        Seller::Vendor(id) => (id, book.vendors.get(id)),
        Seller::Provider(id) => (id, book.providers.get(id).map(|provider| &provider.party)),
    };
    let missing = || RateError::Dangling { contract: contract_id.to_owned(), what: format!("seller {id}") };
    let Party { name, address, tax_id, .. } = party.ok_or_else(missing)?.clone();
    Ok(DocumentSeller { id: id.clone(), name, address, tax_id })
}

/// The buyer: a provider, a customer, or an unknown customer with nothing but its tag (PRICING §1).
#[must_use]
pub fn buyer(book: &Book, contract: &Contract, customer: Option<&str>, provider: &str) -> DocumentBuyer {
    let id = customer.unwrap_or(provider);
    let party = match customer {
        Some(customer) => claim::customer(book, provider, customer).map(|known| &known.party),
        None => book.providers.get(provider).map(|known| &known.party),
    };
    let Party { name, address, tax_id, .. } =
        party.cloned().unwrap_or_else(|| Party { name: id.to_owned(), ..Party::default() });
    DocumentBuyer { id: id.to_owned(), name, address, tax_id, purchase_order: contract.purchase_order.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::party::tags;

    /// Northwind's array bore the tag `initech`, and the invoice went to Fjordcloud's customer of that id, with its address.
    #[test]
    fn a_tag_that_is_spelled_like_another_providers_customer_has_nobodys_name() {
        let texts = [
            include_str!("../../../examples/pricebook/northwind.toml"),
            include_str!("../../../examples/pricebook/fjordcloud.toml"),
        ];
        let files = texts.map(|text| (format!("{}.toml", text.len()), text.to_owned()));
        let mut book = crate::core::book::parse(&files).unwrap();
        book.customers.get_mut("initech").unwrap().tags = vec!["other".to_owned()];
        let bought = |contract: &str, provider: &str| {
            let buyer = buyer(&book, &book.contracts[contract], Some("initech"), provider);
            (buyer.name, buyer.address.is_empty(), tags(&book, provider, "initech"))
        };
        let own = ("Initech AS".to_owned(), false, vec!["other".to_owned()]);
        assert_eq!(bought("fjordcloud-customers", "fjordcloud"), own);
        let nobody = ("initech".to_owned(), true, vec!["initech".to_owned()]);
        assert_eq!(bought("northwind-customers", "northwind"), nobody);
    }
}
