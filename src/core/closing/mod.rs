//! Closing: what the decisions of the control log make of periods, drafts and numbers. Pure.

pub mod concern;
pub mod number;
pub mod register;

#[cfg(test)]
mod tests;
