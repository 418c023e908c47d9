//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod bounds;
mod correction;
mod grant;
mod kill;
mod month;
mod note;
mod refusal;
mod setting;
mod version;
