//! Sales credits put together by what a reader asks for.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::credit::Credit;
use super::error::ProgrammeError;
use super::neutrality::name;
use crate::core::billing::figure::Figure;

/// Groups in memory at once.
const GROUPS_MAX: usize = 100_000;

/// What sales credits are grouped by. They are always apart by currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// How the goods reach the customer.
    Route,
    /// Who is credited.
    Team,
    /// As what.
    Role,
    /// The provider.
    Provider,
    /// The end customer.
    Customer,
    /// The month in which it counts.
    Month,
    /// The registered deal.
    Deal,
    /// The document.
    Number,
    /// The document's row.
    No,
}

/// Keys by their names.
pub const KEYS: [(&str, Key); 9] = [
    ("route", Key::Route),
    ("team", Key::Team),
    ("role", Key::Role),
    ("provider", Key::Provider),
    ("customer", Key::Customer),
    ("month", Key::Month),
    ("deal", Key::Deal),
    ("number", Key::Number),
    ("no", Key::No),
];

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Group {
    /// ISO 4217.
    pub currency: String,
    /// What it has in common, by the keys asked for; null where there is none.
    #[schema(value_type = Object)]
    pub of: BTreeMap<&'static str, Option<String>>,
    /// Σ of what its credits at list prices are percentages of; null where it has none.
    pub at_list: Option<String>,
    /// Σ of what its credits as billed are percentages of; null where it has none. One row may be under both.
    pub billed: Option<String>,
    /// Σ credits.
    pub credit: String,
}

/// Groups in the making.
#[derive(Clone, Debug)]
pub struct Groups {
    keys: Vec<Key>,
    sums: BTreeMap<Of, Sums>,
}

/// Sums of a group. What is at list and what was billed are never added to each other.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    at_list: Option<Figure>,
    billed: Option<Figure>,
    credit: Figure,
}

/// A group's currency and the values of its keys.
type Of = (String, Vec<Option<String>>);

/// The keys of a list such as `route,team`, each once.
///
/// # Errors
/// A name that is none.
pub fn keys(list: &str) -> Result<Vec<Key>, ProgrammeError> {
    let mut keys = Vec::new();
    for name in list.split(',').map(str::trim) {
        let found = KEYS.iter().find(|(own, _)| *own == name);
        let names = || KEYS.map(|(own, _)| own).join(",");
        let (_, key) = found.ok_or_else(|| ProgrammeError::Key(name.to_owned(), names()))?;
        if !keys.contains(key) {
            keys.push(*key);
        }
    }
    Ok(keys)
}

/// A key's name.
#[must_use]
pub fn key_name(key: Key) -> &'static str {
    KEYS.iter().find(|(_, own)| *own == key).map_or("", |(name, _)| name)
}

fn value(credit: &Credit, key: Key) -> Option<String> {
    match key {
        Key::Route => Some(name(credit.route).to_owned()),
        Key::Team => Some(credit.team.clone()),
        Key::Role => Some(credit.role.clone()),
        Key::Provider => Some(credit.provider.clone()),
        Key::Customer => credit.customer.clone(),
        Key::Month => Some(credit.month.to_string()),
        Key::Deal => credit.deal.clone(),
        Key::Number => Some(credit.number.clone()),
        Key::No => Some(format!("{:04}", credit.no)),
    }
}

impl Groups {
    /// No group yet.
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys, sums: BTreeMap::new() }
    }

    /// The keys, in the order in which they were asked for.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Adds a credit to its group.
    ///
    /// # Errors
    /// More groups than memory should hold, a sum that does not fit.
    pub fn add(&mut self, credit: &Credit) -> Result<(), ProgrammeError> {
        let of: Vec<Option<String>> = self.keys.iter().map(|key| value(credit, *key)).collect();
        let sums = self.sums.entry((credit.currency.clone(), of)).or_default();
        let basis = if credit.at_list { &mut sums.at_list } else { &mut sums.billed };
        *basis = Some(basis.unwrap_or_default().plus(credit.basis)?);
        sums.credit = sums.credit.plus(credit.credit)?;
        if self.sums.len() > GROUPS_MAX { Err(ProgrammeError::Groups(GROUPS_MAX)) } else { Ok(()) }
    }

    /// The groups, by currency and keys.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.sums.iter().map(|((currency, of), sums)| Group {
            currency: currency.clone(),
            of: self.keys.iter().map(|key| key_name(*key)).zip(of.iter().cloned()).collect(),
            at_list: sums.at_list.map(|basis| basis.to_string()),
            billed: sums.billed.map(|basis| basis.to_string()),
            credit: sums.credit.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::credit::Sale;
    use super::super::sample::book;
    use super::*;
    use crate::core::billing::sample::northwind_invoice;

    #[test]
    fn whatever_it_is_grouped_by_the_sum_is_the_same() {
        let (book, document, parts) = (book(), northwind_invoice(), BTreeMap::new());
        let credits =
            Sale { book: &book, document: &document, original: None, parts: &parts }.credits().unwrap().credits;
        for (list, count) in [("route,team", 2), ("no", 5), ("month", 1), ("number, no,customer,team,role", 10)] {
            let mut groups = Groups::new(keys(list).unwrap());
            credits.iter().for_each(|credit| groups.add(credit).unwrap());
            let sum = groups.groups().map(|group| Figure::parse(&group.credit).unwrap());
            let sum = sum.fold(Figure::ZERO, |sum, one| sum.plus(one).unwrap());
            // 3,564.17 at list to the account team, 3,260.87 billed to the partner team
            assert_eq!((sum.to_string(), groups.groups().count()), ("6825.04".to_owned(), count), "{list}");
        }
        let bases = |list: &str| {
            let mut groups = Groups::new(keys(list).unwrap());
            credits.iter().for_each(|credit| groups.add(credit).unwrap());
            groups.groups().map(|group| (group.at_list, group.billed)).collect::<Vec<_>>()
        };
        let (list, billed) = (Some("3564.17".to_owned()), Some("3260.87".to_owned()));
        assert_eq!(bases("route"), [(list.clone(), billed.clone())], "two bases are never one sum");
        assert_eq!(bases("team"), [(list, None), (None, billed)]);
        let error = keys("route,teams").unwrap_err().to_string();
        assert!(error.contains("\"teams\"") && error.contains("route,team,role"), "{error}");
    }

    #[test]
    fn groups_are_held_up_to_their_limit() {
        let (book, document, parts) = (book(), northwind_invoice(), BTreeMap::new());
        let credits =
            Sale { book: &book, document: &document, original: None, parts: &parts }.credits().unwrap().credits;
        let mut groups = Groups::new(keys("number").unwrap());
        let mut credit = credits[0].clone();
        for number in 0..GROUPS_MAX {
            credit.number = number.to_string();
            groups.add(&credit).unwrap();
        }
        groups.add(&credit).unwrap();
        credit.number = "one more".to_owned();
        assert!(matches!(groups.add(&credit), Err(ProgrammeError::Groups(GROUPS_MAX))));
    }
}
