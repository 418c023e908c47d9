//! Grants of credits (PRICING §13): the first of an id counts.

use serde::{Deserialize, Serialize};

use crate::core::pricing::credit::Credit;
use crate::core::pricing::decimal::Decimal;
use crate::core::word::{Instant, Offset};

/// One grant, as its decision says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The contract whose documents it comes off.
    pub contract: String,
    /// Of a contract for each customer: whose.
    pub customer: Option<String>,
    /// Its id, once a contract and customer.
    pub id: String,
    /// How much, above 0 and with at most the places of the contract's currency.
    pub amount: String,
    /// From when on it is worth nothing.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub expires: Option<Instant>,
    /// What it is for.
    pub reference: String,
}

impl Grant {
    /// The amount in minor units; none if it is 0 or has more places than the currency.
    #[must_use]
    pub fn minor(&self, places: u32) -> Option<i128> {
        let nano = Decimal::parse(&self.amount)?.nano();
        let scale = 10i128.checked_pow(9u32.checked_sub(places)?)?;
        (nano > 0 && nano % scale == 0).then_some(nano / scale)
    }
}

/// All grants, in the order of the log, with who made them.
#[derive(Clone, Debug, Default)]
pub struct Grants(Vec<(Offset, Grant, String)>);

impl Grants {
    /// Keeps the first grant of each id.
    #[must_use]
    pub fn new(all: Vec<(Offset, Grant, String)>) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let first = |(_, grant, _): &(Offset, Grant, String)| {
            seen.insert((grant.contract.clone(), grant.customer.clone(), grant.id.clone()))
        };
        let mut all = all;
        all.retain(first);
        Self(all)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &(Offset, Grant, String)> {
        self.0.iter()
    }

    /// The credits of a contract (and customer) that were granted below `below`. What a currency of so many places cannot hold is left out: it was refused when it
    /// was granted.
    #[must_use]
    pub fn of(&self, contract: &str, customer: Option<&str>, below: Offset, places: u32) -> Vec<Credit> {
        let known = self.0.iter().filter(|(offset, ..)| *offset < below);
        let own = known.filter(|(_, grant, _)| grant.contract == contract && grant.customer.as_deref() == customer);
        own.filter_map(|(_, grant, _)| {
            Some(Credit { id: grant.id.clone(), amount: grant.minor(places)?, expires: grant.expires })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(id: &str, amount: &str) -> Grant {
        let (contract, reference) = ("c".to_owned(), "sla".to_owned());
        Grant { contract, customer: None, id: id.to_owned(), amount: amount.to_owned(), expires: None, reference }
    }

    #[test]
    fn the_first_grant_of_an_id_counts() {
        let all = [grant("a", "1.50"), grant("b", "2"), grant("a", "9")];
        let grants = all.into_iter().enumerate().map(|(at, grant)| (Offset(at as u64), grant, "me".to_owned()));
        let grants = Grants::new(grants.collect());
        let end = Offset(u64::MAX);
        let credits: Vec<_> =
            grants.of("c", None, end, 2).into_iter().map(|credit| (credit.id, credit.amount)).collect();
        assert_eq!(credits, [("a".to_owned(), 150), ("b".to_owned(), 200)]);
        assert!(grants.of("c", Some("x"), end, 2).is_empty() && grants.of("d", None, end, 2).is_empty());
        let below = |below| grants.of("c", None, Offset(below), 2).len();
        assert_eq!([below(0), below(1), below(2)], [0, 1, 2]);
        for wrong in ["0", "1.505", "-1", "", "1e3"] {
            assert_eq!(grant("a", wrong).minor(2), None, "{wrong}");
        }
        assert_eq!((grant("a", "7").minor(0), grant("a", "0.001").minor(3)), (Some(7), Some(1)));
    }
}
