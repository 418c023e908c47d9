//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod correction;
mod kill;
mod month;
mod refusal;
pub(crate) mod setting;
mod trace;
mod version;
