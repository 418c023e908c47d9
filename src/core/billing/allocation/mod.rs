//! What of a wholesale document falls on which customer (DESIGN §6 "Both sides", PRICING §11).
//!
//! Every row is split, so Σ allocation of a row = its amount (I18) and Σ allocated + unallocated = Σ rows (I19):
//!
//! - rows of a metered line (commitment, overage, usage, flat) by the line's weights: what is tagged with each customer on the arrays of
//!   the line; what the arrays hold above that is unallocated, what is tagged above it is `over_attributed`;
//! - a share by what its base rows gave to each; fee, minimum and maximum by what all metered rows of the document gave to each.
//!
//! Ties go to customers by id, to what is unallocated last. Where there is nothing to split by, all of a row is unallocated.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::document::Document;
use super::error::DocumentError;
use super::figure::Figure;
use super::row::DocumentRow;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::{Overflow, RateError};
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// Billionths in a millionth: the last place of most quantities.
const MICRO: i128 = 1_000;

/// By what the rows of a metered line are split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineWeights {
    /// What the line itself measured: an integral (base unit × milliseconds), a sum or an increase.
    pub wholesale: i128,
    /// The same of what bears a customer's tags, by id or by a tag that no customer claims.
    pub tagged: BTreeMap<String, i128>,
    /// How much of it is a quantity of 1 in the line's unit.
    pub one: i128,
}

/// One customer's part of a row, or what of it is unallocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The document's row.
    pub no: usize,
    /// Its line; none of minimum and maximum.
    pub line: Option<String>,
    /// What the row charges for.
    pub kind: String,
    /// Whose part; none is unallocated.
    pub customer: Option<String>,
    /// Its part of the row's quantity in billionths; none if the row has none.
    pub quantity: Option<i128>,
    /// The quantity's unit.
    pub unit: Option<String>,
    /// By what the row was split.
    pub weight: i128,
    /// Its part of the amount in minor units.
    pub amount: i128,
    /// Tagged usage above the line's own, in billionths of the line's unit; on the unallocated part of a line's first row only.
    pub over_attributed: i128,
}

/// Why a document could not be allocated.
#[derive(Debug, thiserror::Error)]
pub enum AllocationError {
    /// A weight is below 0, which no reading can cause.
    #[error("a weight of line {0} is negative: look for a wrong value with `plimsoll usage`")]
    Negative(String),
    /// A number does not fit.
    #[error("row {0}: {1}; look for a wrong value with `plimsoll usage`")]
    Overflow(usize, Overflow),
    /// A document that is none of ours.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A currency that is none.
    #[error(transparent)]
    Rate(#[from] RateError),
}

/// Splits an amount by weights: on the absolute value, floors first, then one each by greatest remainder, ties to the lower place, sign
/// put back; all to the last one where the weights are nothing (PRICING §11). The weights are not negative.
///
/// # Errors
/// What does not fit, and no weights at all.
pub fn split(amount: i128, weights: &[i128]) -> Result<Vec<i128>, Overflow> {
    let mut shares = wide::proportion(amount.checked_abs().ok_or(Overflow)?, weights)?;
    if amount < 0 {
        shares.iter_mut().for_each(|share| *share = -*share);
    }
    Ok(shares)
}

/// Weights by holder: customers by rising id, then what is unallocated.
type Holders = Vec<(Option<String>, i128)>;

impl LineWeights {
    fn holders(&self, line: &str) -> Result<(Holders, i128), AllocationError> {
        let negative = || AllocationError::Negative(line.to_owned());
        if self.wholesale < 0 || self.tagged.values().any(|weight| *weight < 0) {
            return Err(negative());
        }
        let sum = self.tagged.values().try_fold(0i128, |sum, weight| sum.checked_add(*weight)).ok_or_else(negative)?;
        let left = self.wholesale - sum;
        let mut holders: Holders = self.tagged.iter().map(|(id, weight)| (Some(id.clone()), *weight)).collect();
        holders.push((None, left.max(0)));
        Ok((holders, (-left).max(0)))
    }

    /// An excess in billionths of the line's unit, at 6 places.
    fn quantity(&self, excess: i128) -> Result<i128, Overflow> {
        let micro = wide::product([Wide::from(excess), Wide::from(1_000_000)])?;
        let micro = wide::narrow(wide::divide(micro, Wide::from(self.one), Rounding::HalfEven)?)?;
        micro.checked_mul(MICRO).ok_or(Overflow)
    }
}

/// Allocates every row of a wholesale document: `lines` are the weights of its metered lines, `shares` the lines that each share is of.
///
/// # Errors
/// Weights and amounts that no rating makes.
pub fn allocate(
    document: &Document,
    lines: &BTreeMap<String, LineWeights>,
    shares: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Allocated>, AllocationError> {
    let places = Currency::new(&document.currency)?.places;
    let of = |row: &DocumentRow| row.line.as_ref().and_then(|line| lines.get(line));
    let is_share = |row: &DocumentRow| row.line.as_ref().is_some_and(|line| shares.contains_key(line));
    let mut parts: Vec<Allocated> = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for row in &document.rows {
        let (Some(line), Some(weights)) = (row.line.as_deref(), of(row)) else { continue };
        let (holders, excess) = weights.holders(line)?;
        let mut own = row_parts(row, &holders, places)?;
        if !told.contains(&line) {
            told.push(line);
            let over = weights.quantity(excess).map_err(|error| AllocationError::Overflow(row.no, error))?;
            own.last_mut().into_iter().for_each(|part| part.over_attributed = over);
        }
        parts.append(&mut own);
    }
    let metered = given(parts.iter());
    for row in document.rows.iter().filter(|row| of(row).is_none() && !is_share(row)) {
        parts.append(&mut row_parts(row, &metered, places)?);
    }
    // shares last and in order, as they are rated: of what other lines gave
    for row in document.rows.iter().filter(|row| of(row).is_none() && is_share(row)) {
        let base = row.line.as_ref().and_then(|line| shares.get(line));
        let counts =
            |part: &&Allocated| part.line.as_ref().is_some_and(|line| base.is_some_and(|of| of.contains(line)));
        let holders = given(parts.iter().filter(counts));
        parts.append(&mut row_parts(row, &holders, places)?);
    }
    parts.sort_by_key(|part| part.no);
    Ok(parts)
}

/// What each holder got, as weights. Rows of a correction may have either sign: the sum's counts, and who got the other gets nothing.
fn given<'p>(parts: impl Iterator<Item = &'p Allocated>) -> Holders {
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut unallocated = 0i128;
    for part in parts {
        let sum = part.customer.as_deref().map_or(&mut unallocated, |customer| sums.entry(customer).or_default());
        *sum = sum.saturating_add(part.amount);
    }
    let total = sums.values().fold(unallocated, |sum, amount| sum.saturating_add(*amount));
    let weight = |amount: i128| if total < 0 { amount.saturating_neg().max(0) } else { amount.max(0) };
    let mut holders: Holders = sums.iter().map(|(id, amount)| (Some((*id).to_owned()), weight(*amount))).collect();
    holders.push((None, weight(unallocated)));
    holders
}

/// The parts of a row; those without weight are left out, but the unallocated one is always there, last.
fn row_parts(row: &DocumentRow, holders: &Holders, places: u32) -> Result<Vec<Allocated>, AllocationError> {
    let overflow = |error| AllocationError::Overflow(row.no, error);
    let weights: Vec<i128> = holders.iter().map(|(_, weight)| *weight).collect();
    let amount = Figure::parse(&row.amount)?.minor(places)?;
    let amounts = split(amount, &weights).map_err(overflow)?;
    assert_eq!(amounts.iter().sum::<i128>(), amount, "I18: the parts of row {} are not its amount", row.no);
    let quantities = match &row.quantity {
        None => vec![None; holders.len()],
        Some(text) => {
            let quantity = Figure::parse(text)?.minor(9)?;
            let step = if quantity % MICRO == 0 { MICRO } else { 1 };
            let steps = split(quantity / step, &weights).map_err(overflow)?;
            steps.into_iter().map(|share| Some(share * step)).collect()
        }
    };
    let part = |customer: &Option<String>, weight: i128, amount: i128, quantity: Option<i128>| Allocated {
        no: row.no,
        line: row.line.clone(),
        kind: row.kind.as_str().to_owned(),
        customer: customer.clone(),
        quantity,
        unit: row.unit.clone(),
        weight,
        amount,
        over_attributed: 0,
    };
    let parts = holders.iter().zip(amounts.into_iter().zip(quantities));
    let parts = parts.map(|((customer, weight), (amount, quantity))| part(customer, *weight, amount, quantity));
    Ok(parts.filter(|part| part.weight > 0 || part.customer.is_none()).collect())
}
