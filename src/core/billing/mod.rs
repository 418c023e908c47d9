//! Billing: documents about rated periods, pure. `INVOICE.md` holds their form.

pub mod adjustment;
pub mod allocation;
pub mod close;
pub mod credit_note;
pub mod detail;
pub mod digest;
pub mod document;
pub mod effect;
pub mod error;
pub mod figure;
pub mod gap;
pub mod issue;
pub mod margin;
pub mod party;
pub mod proof;
pub mod references;
pub mod render;
pub mod row;
pub mod statement;
pub mod version;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
