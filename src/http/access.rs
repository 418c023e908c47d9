//! What a principal may read (DESIGN §8, PRICING §15), from the newest price book. Another's id looks like one that does not exist.

use std::collections::BTreeSet;

use super::caller::Caller;
use super::error::ApiError;
use crate::config::Principal;
use crate::core::book::Book;
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Seller};
use crate::core::pricing::party;

/// Who trades with whom, as far as it decides who reads what: a view of the newest published book.
#[derive(Clone, Debug, Default)]
pub struct Parties {
    book: Book,
}

impl Parties {
    /// The parties of a book.
    #[must_use]
    pub fn of(book: Book) -> Self {
        Self { book }
    }

    /// The book.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The providers that buy from a vendor.
    #[must_use]
    pub fn providers_of(&self, vendor: &str) -> BTreeSet<String> {
        let sold = self.book.contracts.values().filter(|contract| contract.seller == Seller::Vendor(vendor.to_owned()));
        let buyer = |buyer: &Buyer| match buyer {
            Buyer::Provider(provider) => Some(provider.clone()),
            Buyer::Customer(_) | Buyer::EachCustomer => None,
        };
        sold.filter_map(|contract| buyer(&contract.buyer)).collect()
    }

    /// The tenant tags of a provider's customer; none if it has no such customer.
    #[must_use]
    pub fn tags_of(&self, provider: &str, customer: &str) -> Option<Vec<String>> {
        claim::customer(&self.book, provider, customer)?;
        Some(party::tags(&self.book, provider, customer))
    }
}

/// The providers whose rows a request may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Providers {
    /// All of them.
    All,
    /// These.
    These(BTreeSet<String>),
}

impl Caller {
    /// The providers that the caller may read about at all.
    #[must_use]
    pub fn providers(&self, parties: &Parties) -> Providers {
        match &self.principal {
            Principal::Operator => Providers::All,
            Principal::Vendor(vendor) => Providers::These(parties.providers_of(vendor)),
            Principal::Provider(provider) | Principal::Customer { provider, .. } => {
                Providers::These(BTreeSet::from([provider.clone()]))
            }
        }
    }

    /// Those of them that the request asks for.
    ///
    /// # Errors
    /// Not found, for one that the caller may not read.
    pub fn providers_asked(&self, parties: &Parties, asked: Option<&str>) -> Result<Providers, ApiError> {
        let mine = self.providers(parties);
        match (asked, mine) {
            (None, mine) => Ok(mine),
            (Some(id), Providers::All) => Ok(Providers::These(BTreeSet::from([id.to_owned()]))),
            (Some(id), Providers::These(mine)) if mine.contains(id) => {
                Ok(Providers::These(BTreeSet::from([id.to_owned()])))
            }
            (Some(_), Providers::These(_)) => Err(ApiError::NotFound),
        }
    }

    /// The one provider that a request is about: the one it names, or the caller's own.
    ///
    /// # Errors
    /// Not found, for one that the caller may not read; a bad request where it must be named.
    pub fn provider(&self, parties: &Parties, asked: Option<&str>) -> Result<String, ApiError> {
        let mut these = match self.providers_asked(parties, asked)? {
            Providers::These(these) => these,
            Providers::All => BTreeSet::new(),
        };
        match (these.pop_first(), these.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => Err(ApiError::BadRequest("name a `provider`".to_owned())),
        }
    }

    /// The tenant tags that the caller is bound to; `None` for those who read all tags.
    ///
    /// # Errors
    /// Not found, for a customer that the newest price book does not know.
    pub fn tags(&self, parties: &Parties) -> Result<Option<Vec<String>>, ApiError> {
        match &self.principal {
            Principal::Customer { provider, customer } => {
                parties.tags_of(provider, customer).map(Some).ok_or(ApiError::NotFound)
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the newest book comes out of the table of decisions: through its canonical form.
    fn parties() -> Parties {
        let text = include_str!("../../examples/pricebook/northwind.toml")
            .replace("\ntags = [\"acme\", \"ACME\"]", "\ntags = []");
        let bare = "[customer.beta]\nprovider = \"northwind\"\nname = \"Beta\"\naddress = [\"Weg 1\"]\ntags = [\"b1\", \"b2\"]\n";
        let book = crate::core::book::parse(&[("book.toml".to_owned(), format!("{text}\n{bare}"))]).unwrap();
        Parties::of(Book::from_canonical(&book.canonical().unwrap()).unwrap())
    }

    fn caller(principal: &str) -> Caller {
        Caller { credential: "test".to_owned(), principal: Principal::parse(principal).unwrap() }
    }

    #[test]
    fn a_foreign_provider_is_not_found() {
        let provider = |principal: &str, asked: Option<&str>| caller(principal).provider(&parties(), asked);
        assert_eq!(provider("operator", Some("any")).unwrap(), "any");
        assert!(matches!(provider("operator", None), Err(ApiError::BadRequest(_))));
        assert_eq!(provider("provider:northwind", None).unwrap(), "northwind");
        assert!(matches!(provider("provider:northwind", Some("fjordcloud")), Err(ApiError::NotFound)));
        assert_eq!(provider("vendor:evergrove", Some("northwind")).unwrap(), "northwind");
        assert!(matches!(provider("vendor:evergrove", Some("fjordcloud")), Err(ApiError::NotFound)));
        assert!(matches!(provider("vendor:other", None), Err(ApiError::BadRequest(_))));
    }

    #[test]
    fn a_customer_is_bound_to_its_tags() {
        let tags = |principal: &str| caller(principal).tags(&parties());
        assert_eq!(tags("provider:northwind").unwrap(), None);
        assert_eq!(tags("customer:northwind/acme").unwrap(), Some(vec!["acme".to_owned()]));
        assert_eq!(tags("customer:northwind/beta").unwrap(), Some(vec!["b1".to_owned(), "b2".to_owned()]));
        assert!(matches!(tags("customer:fjordcloud/acme"), Err(ApiError::NotFound)));
    }
}
