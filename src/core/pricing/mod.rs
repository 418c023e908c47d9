//! Pricing: from what metering found to rows of money, pure and exact. `PRICING.md` holds the definitions.

pub mod breakdown;
pub mod calendar;
pub mod charge;
pub mod coverage;
pub mod credit;
pub mod currency;
pub mod daily;
pub mod decimal;
pub mod digest;
pub mod discount;
pub mod error;
pub mod exact;
pub mod fee;
pub mod gather;
pub mod hold;
pub mod layout;
pub mod line;
pub mod minimum;
pub mod money;
pub mod number;
pub mod orphan;
pub mod party;
pub mod period;
pub mod quantity;
pub mod question;
pub mod rating;
pub mod rounding;
pub mod row;
pub mod row_kind;
pub mod selection;
pub mod series;
pub mod terms;
pub mod usage;
pub mod weight;
pub mod wide;
pub mod window;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
