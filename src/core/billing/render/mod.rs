//! Documents as others read them (INVOICE §5): tables, FOCUS, and a page to print. Pure: a text is a function of its document.

pub mod cell;
pub mod csv;
pub mod focus;
pub mod html;

#[cfg(test)]
mod tests;
