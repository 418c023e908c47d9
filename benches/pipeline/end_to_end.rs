//! placeholder
/// Prints the figures.
pub fn measure() {}
