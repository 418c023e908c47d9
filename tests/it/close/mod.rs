//! Periods closed, issued, corrected and proved by the product's own commands, on real parts.

mod altered;
mod bounds;
mod correction;
mod fee;
mod grant;
mod kill;
mod month;
mod note;
mod refusal;
pub(crate) mod setting;
mod trace;
mod version;
