//! The integration tests, in one binary: one link instead of many. Tests that need the real parts fetch them by the
//! project's script; none is ever skipped.

mod dev;
mod engine;
