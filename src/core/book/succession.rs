//! What a book must not do to the books before it: give numbers that another series gave already (INVOICE §2).

use super::Book;
use super::model::Party;
use super::number::{collide, has_year};

/// Formats of a later book that meet those of an earlier one, in words. A seller that keeps its series may change its format, as long as
/// both begin anew each year or neither does.
#[must_use]
pub fn clashes(earlier: &Book, book: &Book) -> Vec<String> {
    let mut found = Vec::new();
    for (seller, is_note, format) in formats(book) {
        for (other, was_note, theirs) in formats(earlier) {
            let is_own = (seller, is_note) == (other, was_note) && has_year(format) == has_year(theirs);
            if !is_own && collide(format, theirs) {
                found.push(format!(
                    "numbers of {seller} ({format:?}) can be ones that {other} has given ({theirs:?}): begin them with other letters"
                ));
            }
        }
    }
    found
}

/// Each seller's formats: whose, whether of credit notes alone, and the format.
fn formats(book: &Book) -> impl Iterator<Item = (&str, bool, &str)> {
    let vendors = book.vendors.iter();
    let sellers = vendors.chain(book.providers.iter().map(|(id, provider)| (id, &provider.party)));
    sellers.flat_map(|(id, party): (&String, &Party)| {
        let own = [(false, &party.invoice_number), (true, &party.credit_note_number)];
        own.into_iter().filter_map(|(is_note, format)| Some((id.as_str(), is_note, format.as_deref()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::northwind;

    fn with(seller: &str, invoices: &str, notes: Option<&str>) -> Book {
        let mut book = northwind();
        book.providers.values_mut().for_each(|provider| provider.party.invoice_number = None);
        let mut party = book.vendors.pop_first().unwrap().1;
        (party.invoice_number, party.credit_note_number) = (Some(invoices.to_owned()), notes.map(str::to_owned));
        book.vendors.insert(seller.to_owned(), party);
        book
    }

    #[test]
    fn a_number_that_was_given_is_given_to_nobody_else() {
        let first = with("evergrove", "EG-{year}-{seq:6}", None);
        let told = |seller, invoices, notes| clashes(&first, &with(seller, invoices, notes)).len();
        // the same series goes on, also with other letters or digits
        assert_eq!(told("evergrove", "EG-{year}-{seq:6}", None), 0);
        assert_eq!(told("evergrove", "EV-{year}-{seq:4}", None), 0);
        // the seller has another id, so it would begin with 1 again
        assert_eq!(told("evergrove-nl", "EG-{year}-{seq:6}", None), 1);
        // what were its invoices' numbers become its credit notes'
        assert_eq!(told("evergrove", "EV-{year}-{seq:6}", Some("EG-{year}-{seq:6}")), 1);
        assert_eq!(told("evergrove", "EG-2026-{seq:6}", None), 1, "a series without year begins anew");
    }
}
