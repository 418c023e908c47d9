//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod month;
mod setting;
mod version;
