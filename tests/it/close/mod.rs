//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod kill;
mod month;
mod setting;
mod version;
