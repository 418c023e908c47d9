//! Who is rated under a contract, and in which part of a period (PRICING §1, PRICEBOOK "buyer").

use super::error::RateError;
use super::period::{Period, Span};
use crate::core::book::claim;
use crate::core::book::model::{Book, Buyer, Contract, Seller};
use crate::core::word::Instant;

/// The contract with this id.
pub fn contract<'book>(book: &'book Book, id: &str) -> Result<&'book Contract, RateError> {
    book.contracts.get(id).ok_or_else(|| RateError::UnknownContract(id.to_owned()))
}

/// The customer rated under a contract: none in wholesale, the buyer in retail, under a `"*"` contract the one asked for.
pub fn rated_customer<'a>(
    id: &str,
    contract: &'a Contract,
    asked: Option<&'a str>,
) -> Result<Option<&'a str>, RateError> {
    let own = match &contract.buyer {
        Buyer::Provider(_) => None,
        Buyer::Customer(customer) => Some(customer.as_str()),
        Buyer::EachCustomer => {
            return asked.map(Some).ok_or_else(|| RateError::CustomerNeeded(id.to_owned()));
        }
    };
    match asked {
        Some(asked) if own != Some(asked) => {
            Err(RateError::OtherCustomer { contract: id.to_owned(), customer: asked.to_owned() })
        }
        _ => Ok(own),
    }
}

/// The contract's part of the period: one span, but under a `"*"` contract less those in which the customer has its own.
#[must_use]
pub fn part(book: &Book, contract: &Contract, customer: Option<&str>, period: &Period) -> Vec<Span> {
    let mut part: Vec<Span> = in_force(contract).meet(period.span()).into_iter().collect();
    if contract.buyer == Buyer::EachCustomer
        && let Some(customer) = customer
    {
        for own in book.contracts.values().filter(|other| names(other, &contract.seller, customer)) {
            part = part.into_iter().flat_map(|span| without(span, in_force(own))).collect();
        }
    }
    part
}

fn names(contract: &Contract, seller: &Seller, customer: &str) -> bool {
    contract.seller == *seller && matches!(&contract.buyer, Buyer::Customer(named) if named == customer)
}

fn in_force(contract: &Contract) -> Span {
    Span { from: contract.from, until: contract.until.unwrap_or(Instant(i64::MAX)) }
}

fn without(span: Span, taken: Span) -> impl Iterator<Item = Span> {
    let before = span.meet(Span { from: Instant(i64::MIN), until: taken.from });
    let after = span.meet(Span { from: taken.until, until: Instant(i64::MAX) });
    before.into_iter().chain(after)
}

/// The values of `customer` in a provider's readings that mean this customer; an unknown customer is its own tag (PRICING §1).
#[must_use]
pub fn tags(book: &Book, provider: &str, customer: &str) -> Vec<String> {
    match claim::customer(book, provider, customer) {
        Some(known) => claim::tags(customer, known),
        None => vec![customer.to_owned()],
    }
}

/// The provider whose arrays are read: the buyer in wholesale, the seller in retail (PRICING §1).
#[must_use]
pub fn provider(contract: &Contract) -> &str {
    match (&contract.buyer, &contract.seller) {
        (Buyer::Provider(provider), _) | (_, Seller::Provider(provider) | Seller::Vendor(provider)) => provider,
    }
}
