//! The partner programme (DESIGN §6): levels granted, attained and promised, sales credits, scorecards, the health of arrays. Plain
//! functions over the price book and what was issued.
//!
//! **Revenue** is Σ rows of issued wholesale documents, without tax and credits (PRICING §16); rating leaves demonstration arrays out. An
//! invoice counts in the month in which its period begins, everything that corrects one in the month in which it was issued.

pub mod certification;
pub mod credit;
pub mod error;
pub mod fund;
pub mod grant;
pub mod group;
pub mod health;
pub mod level;
pub mod list;
pub mod month;
pub mod neutrality;
pub mod promise;
pub mod revenue;
pub mod roll;
#[cfg(test)]
mod sample;
pub mod scorecard;
pub mod standing;
