//! The price book: what is sold, to whom, at what price. Parsed and validated whole, hashed over its canonical JSON.

pub mod model;
