//! What stands against issuing a draft (INVOICE §1), as it was closed and as the newest price book sees it.

use std::collections::BTreeMap;

use crate::core::billing::document::Document;
use crate::core::billing::party as shown;
use crate::core::book::Book;
use crate::core::book::claim;
use crate::core::book::model::{Contract, Seller};
use crate::core::pricing::party;

/// What is to be done about whatever stands against it.
const MEND: &str = ": name it in the price book, discard this draft and re-price the period";
/// Where a reason looked.
const PLACE: &str = " in the price book";

/// Why a draft cannot be issued; none if it can. It never keeps a period from closing.
#[must_use]
pub fn blocked(book: &Book, contract: &Contract, draft: &Document, customer: Option<&str>) -> Option<String> {
    let is_unknown = |customer: &&str| claim::customer(book, party::provider(contract), customer).is_none();
    if let Some(customer) = customer.filter(is_unknown) {
        return Some(format!("customer {customer} is not{PLACE}{MEND}"));
    }
    if draft.buyer.address.is_empty() {
        return Some(format!("buyer {} has no address{MEND}", draft.buyer.id));
    }
    if draft.seller.address.is_empty() {
        return Some(format!("seller {} has no address{MEND}", draft.seller.id));
    }
    let format = match &contract.seller {
        Seller::Vendor(id) => book.vendors.get(id).and_then(|party| party.invoice_number.as_ref()),
        Seller::Provider(id) => book.providers.get(id).and_then(|provider| provider.party.invoice_number.as_ref()),
    };
    match format {
        None => Some(format!("seller {} has no invoice_number{MEND}", draft.seller.id)),
        Some(_) => None,
    }
}

/// The newest price book, in which somebody may have mended what drafts lacked.
pub struct Newest<'book> {
    book: Option<&'book Book>,
    /// Customers of a provider by their tags: made once, however many drafts are blocked.
    owners: BTreeMap<String, BTreeMap<String, &'book str>>,
}

impl<'book> Newest<'book> {
    /// A book in which drafts are looked for; without one nothing is mended.
    #[must_use]
    pub fn new(book: Option<&'book Book>) -> Self {
        Self { book, owners: BTreeMap::new() }
    }

    /// The stored reason of a draft, and once this book would not give it any more: what is left to do. A draft stays blocked, since it is what
    /// its close made of the book of that time.
    pub fn told(&mut self, why: &str, draft: &Document, customer: Option<&str>) -> String {
        match why.strip_suffix(MEND) {
            Some(cause) if self.is_mended(draft, customer) => {
                let cause = cause.strip_suffix(PLACE).unwrap_or(cause);
                format!(
                    "{cause}{PLACE} that closed it, and the newest one is mended: discard this draft and re-price the period"
                )
            }
            _ => why.to_owned(),
        }
    }

    fn is_mended(&mut self, draft: &Document, customer: Option<&str>) -> bool {
        let Some(book) = self.book else { return false };
        let Some(contract) = book.contracts.get(&draft.contract) else { return false };
        let provider = party::provider(contract);
        let owners = self.owners.entry(provider.to_owned()).or_insert_with(|| claim::owners(book, provider));
        let owner = customer.and_then(|tag| owners.get(tag).copied()).or(customer);
        let buyer = shown::buyer(book, contract, owner, provider);
        let Ok(seller) = shown::seller(book, &draft.contract, contract) else { return false };
        blocked(book, contract, &Document { buyer, seller, ..draft.clone() }, owner).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::sample::northwind_statement;
    use crate::core::pricing::sample::northwind;

    #[test]
    fn once_the_book_is_mended_a_blocked_draft_says_what_is_left_to_do() {
        let (mut newest, draft) = (northwind(), northwind_statement());
        newest.vendors.get_mut("evergrove").unwrap().invoice_number = Some("EG-{seq:6}".to_owned());
        let told = |why: &str, book: &Book, draft: &Document| Newest::new(Some(book)).told(why, draft, None);
        let mut before = newest.clone();
        before.vendors.get_mut("evergrove").unwrap().address.clear();
        let mut closed = draft.clone();
        closed.seller.address.clear();
        let why = blocked(&before, &before.contracts[&draft.contract], &closed, None).unwrap();
        assert_eq!(
            why,
            "seller evergrove has no address: name it in the price book, discard this draft and re-price the period"
        );
        assert_eq!(told(&why, &before, &closed), why, "nothing is mended yet");
        assert_eq!(
            told(&why, &newest, &closed),
            "seller evergrove has no address in the price book that closed it, and the newest one is mended: discard this draft and \
             re-price the period"
        );
        let unknown = format!("customer umbrella is not{PLACE}{MEND}");
        assert_eq!(told("some older words", &newest, &draft), "some older words");
        assert!(
            told(&unknown, &newest, &draft)
                .starts_with("customer umbrella is not in the price book that closed it, and")
        );
    }

    #[test]
    fn a_tag_that_a_customer_claims_now_is_mended() {
        let text = include_str!("../../../examples/pricebook/northwind.toml");
        let parsed =
            |more: &str| crate::core::book::parse(&[("book.toml".to_owned(), format!("{text}\n{more}"))]).unwrap();
        let draft = Document { contract: "northwind-customers".to_owned(), ..northwind_statement() };
        let book = parsed("");
        let why = blocked(&book, &book.contracts[&draft.contract], &draft, Some("umbrella")).unwrap();
        assert!(why.starts_with("customer umbrella is not in the price book: name it"), "{why}");
        let told = |book: &Book| Newest::new(Some(book)).told(&why, &draft, Some("umbrella"));
        assert_eq!(told(&book), why);
        let claimed = "[customer.umb]\nprovider = \"northwind\"\nname = \"Umbrella\"\naddress = [\"Weg 1\"]\ntags = [\"umbrella\"]\n";
        assert!(told(&parsed(claimed)).contains("the newest one is mended"));
        // it has no address, so a draft of it would be blocked again
        let half = claimed.replace("[\"Weg 1\"]", "[]");
        assert_eq!(told(&parsed(&half)), why);
    }
}
