//! Who may read a document and who may decide about it (PRICING §15): by its seller, its buyer and whose period it is of.

use super::caller::Caller;
use crate::clickhouse::read::invoices::SeenBy;
use crate::config::Principal;

/// The parties of a document. Its seller is a vendor, or the provider whose period it is of: ids of the two never meet (the price book
/// refuses them).
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Who sells.
    pub seller: &'a str,
    /// Who buys.
    pub buyer: &'a str,
    /// Whose period it is of.
    pub provider: &'a str,
}

impl Sides<'_> {
    fn is_wholesale(&self) -> bool {
        self.seller != self.provider
    }
}

impl Caller {
    /// Whose issued documents the caller may read.
    #[must_use]
    pub fn seen_by(&self) -> SeenBy {
        match self.principal.clone() {
            Principal::Operator => SeenBy::All,
            Principal::Vendor(vendor) => SeenBy::Vendor(vendor),
            Principal::Provider(provider) => SeenBy::Provider(provider),
            Principal::Customer { provider, customer } => SeenBy::Customer { provider, customer },
        }
    }

    /// Whether the caller may read an issued document.
    #[must_use]
    pub fn may_read(&self, sides: Sides<'_>) -> bool {
        match &self.principal {
            Principal::Operator => true,
            Principal::Vendor(vendor) => sides.is_wholesale() && sides.seller == vendor,
            Principal::Provider(provider) => sides.provider == provider,
            Principal::Customer { provider, customer } => {
                !sides.is_wholesale() && sides.provider == provider && sides.buyer == customer
            }
        }
    }

    /// Whether the caller may issue, discard, credit: the operator, and who sells.
    #[must_use]
    pub fn may_decide(&self, sides: Sides<'_>) -> bool {
        let sells = match &self.principal {
            Principal::Operator => true,
            Principal::Vendor(own) | Principal::Provider(own) => sides.seller == own,
            Principal::Customer { .. } => false,
        };
        sells && self.may_read(sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLESALE: Sides<'_> = Sides { seller: "v", buyer: "p", provider: "p" };
    const RETAIL: Sides<'_> = Sides { seller: "p", buyer: "c", provider: "p" };
    /// A customer that is called like its provider.
    const NAMESAKE: Sides<'_> = Sides { seller: "p", buyer: "p", provider: "p" };

    #[test]
    fn each_principal_reads_its_own_and_decides_about_what_it_sells() {
        for (principal, reads, decides) in [
            ("operator", [true, true, true], [true, true, true]),
            ("vendor:v", [true, false, false], [true, false, false]),
            ("vendor:p", [false, false, false], [false, false, false]),
            ("vendor:w", [false, false, false], [false, false, false]),
            ("provider:p", [true, true, true], [false, true, true]),
            ("provider:v", [false, false, false], [false, false, false]),
            ("customer:p/c", [false, true, false], [false, false, false]),
            ("customer:p/p", [false, false, true], [false, false, false]),
            ("customer:p/d", [false, false, false], [false, false, false]),
            ("customer:v/p", [false, false, false], [false, false, false]),
        ] {
            let caller = Caller { credential: "test".to_owned(), principal: Principal::parse(principal).unwrap() };
            let all = [WHOLESALE, RETAIL, NAMESAKE];
            assert_eq!(all.map(|sides| caller.may_read(sides)), reads, "{principal} reads");
            assert_eq!(all.map(|sides| caller.may_decide(sides)), decides, "{principal} decides");
        }
    }
}
