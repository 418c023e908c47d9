//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod correction;
mod kill;
mod month;
mod refusal;
mod setting;
mod version;
