//! Closing: what the decisions of the control log make of periods, drafts and numbers. Pure.

pub mod register;
