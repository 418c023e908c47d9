//! The partner programme, read: what was issued and measured is handed to [`crate::core::programme`], a page of providers, arrays or
//! documents at a time.

mod books;
mod error;
pub mod health;
pub mod keep;
mod levels;
pub mod open;
mod outlook;
mod providers;
pub mod sales;
mod stand;
pub mod table;
pub mod watch;

pub use error::ProgrammeError;
pub use levels::{Asked, OpenAmounts, levels, page};
pub use providers::scorecards;
pub use stand::Stand;
