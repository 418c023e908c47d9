//! The effect of another price book: which statements move, and by how much. Closed periods must not (PRICING §14).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::document::Document;

/// A closed period: it freezes every statement in which the provider buys or sells and whose period has these bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedPeriod {
    /// The provider.
    pub provider: String,
    /// First instant, RFC 3339.
    pub start: String,
    /// The first instant after it.
    pub end: String,
}

/// What a statement comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// ISO 4217.
    pub currency: String,
    /// Its total, tax included.
    pub total: String,
}

/// One statement under two books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The period's year and month.
    pub period: String,
    /// First instant.
    #[serde(skip)]
    pub start: String,
    /// The first instant after it.
    #[serde(skip)]
    pub end: String,
    /// Whose closed period it is in; empty if in none.
    #[serde(skip)]
    pub provider: String,
    /// The contract.
    pub contract: String,
    /// Who buys; of a `"*"` contract each customer has a statement.
    pub buyer: String,
    /// Under the book in force; none if it has no such statement.
    pub now: Option<Sum>,
    /// Under the other book; none if it has no such statement.
    pub then: Option<Sum>,
    /// `then` less `now`; none if there is but one, or in two currencies.
    pub difference: Option<String>,
    /// Whether the total or the amount of any line moves.
    pub moves: bool,
    /// Whether its period is closed: then the other book is refused if it moves.
    pub closed: bool,
}

/// An amount that is none, or is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no amount that can be compared")]
pub struct AmountError(String);

/// The effect on the statements of one contract in one period, by buyer. `old` and `new` are its statements under the two books.
///
/// # Errors
/// Amounts that no document has.
pub fn effect(old: &[Document], new: &[Document], closed: &[ClosedPeriod]) -> Result<Vec<Effect>, AmountError> {
    let mut pairs: BTreeMap<&str, (Option<&Document>, Option<&Document>)> = BTreeMap::new();
    for document in old {
        pairs.entry(&document.buyer.id).or_default().0 = Some(document);
    }
    for document in new {
        pairs.entry(&document.buyer.id).or_default().1 = Some(document);
    }
    pairs.into_values().filter_map(|(old, new)| compare(old, new, closed).transpose()).collect()
}

fn compare(
    old: Option<&Document>,
    new: Option<&Document>,
    closed: &[ClosedPeriod],
) -> Result<Option<Effect>, AmountError> {
    let Some(either) = new.or(old) else { return Ok(None) };
    let sum = |document: &Document| Sum { currency: document.currency.clone(), total: document.total.clone() };
    let (now, then) = (old.map(sum), new.map(sum));
    let difference = match (&now, &then) {
        (Some(now), Some(then)) if now.currency == then.currency => Some(less(&then.total, &now.total)?),
        _ => None,
    };
    Ok(Some(Effect {
        period: either.period.label.clone(),
        start: either.period.start.clone(),
        end: either.period.end.clone(),
        provider: closed
            .iter()
            .find(|closed| old.into_iter().chain(new).any(|document| is_closed(document, std::slice::from_ref(closed))))
            .map(|closed| closed.provider.clone())
            .unwrap_or_default(),
        contract: either.contract.clone(),
        buyer: either.buyer.id.clone(),
        moves: now != then || old.map(amounts) != new.map(amounts),
        closed: old.into_iter().chain(new).any(|document| is_closed(document, closed)),
        now,
        then,
        difference,
    }))
}

/// The amounts of a document by line, as its buyer sees them.
fn amounts(document: &Document) -> Vec<(Option<&str>, &str, &str)> {
    document.rows.iter().map(|row| (row.line.as_deref(), row.kind.as_str(), &*row.amount)).collect()
}

fn is_closed(document: &Document, closed: &[ClosedPeriod]) -> bool {
    let (seller, buyer, period) = (&document.seller.id, &document.buyer.id, &document.period);
    closed.iter().any(|closed| {
        (closed.provider == *seller || closed.provider == *buyer)
            && closed.start == period.start
            && closed.end == period.end
    })
}

fn amount(text: &str) -> Result<Decimal, AmountError> {
    text.parse().map_err(|_| AmountError(text.to_owned()))
}

fn less(one: &str, other: &str) -> Result<String, AmountError> {
    let difference = amount(one)?.checked_sub(amount(other)?).ok_or_else(|| AmountError(one.to_owned()))?;
    Ok(difference.to_string())
}

/// Sums by currency: a statement that one book does not have counts nothing on its side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<String, (Decimal, Decimal)>);

/// The sums of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// ISO 4217.
    pub currency: String,
    /// Under the book in force.
    pub now: String,
    /// Under the other book.
    pub then: String,
    /// `then` less `now`.
    pub difference: String,
}

impl Totals {
    /// Adds one statement.
    ///
    /// # Errors
    /// Amounts that no document has, or a sum that is out of range.
    pub fn add(&mut self, effect: &Effect) -> Result<(), AmountError> {
        for (sum, is_now) in [(&effect.now, true), (&effect.then, false)] {
            let Some(sum) = sum else { continue };
            let total = self.0.entry(sum.currency.clone()).or_default();
            let side = if is_now { &mut total.0 } else { &mut total.1 };
            *side = side.checked_add(amount(&sum.total)?).ok_or_else(|| AmountError(sum.total.clone()))?;
        }
        Ok(())
    }

    /// The sums by currency.
    ///
    /// # Errors
    /// A difference that is out of range.
    pub fn by_currency(&self) -> Result<Vec<Total>, AmountError> {
        let total = |(currency, (now, then)): (&String, &(Decimal, Decimal))| {
            let (now, then) = (now.to_string(), then.to_string());
            Ok(Total { currency: currency.clone(), difference: less(&then, &now)?, now, then })
        };
        self.0.iter().map(total).collect()
    }
}
