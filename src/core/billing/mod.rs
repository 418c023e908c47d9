//! Billing: documents about rated periods, pure. `INVOICE.md` holds their form.

pub mod digest;
pub mod document;
pub mod effect;
pub mod error;
pub mod party;
pub mod proof;
pub mod row;
pub mod statement;
pub mod version;

#[cfg(test)]
mod tests;
