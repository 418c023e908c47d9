//! Closing: what the decisions of the control log make of periods, drafts and numbers, and what a close has to hold against. Pure.

pub mod agenda;
pub mod basis;
pub mod blocked;
pub mod concern;
pub mod credit;
pub mod draft;
pub mod hole;
pub mod invoice;
pub mod number;
pub mod outlook;
pub mod period;
pub mod record;
pub mod register;
pub mod stand;

#[cfg(test)]
mod tests;
