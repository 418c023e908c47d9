//! The shell around ClickHouse: one client, the tables and the check that they are the ones this build writes and reads.

pub mod allocation;
mod belonging;
pub mod bucket_block;
pub mod check;
mod checkpoint_block;
pub mod client;
mod ddl;
pub mod due;
mod error;
pub mod invoice;
pub mod invoice_header;
mod ledger_block;
mod ledger_row;
pub mod mark;
pub mod migrate;
pub mod native;
pub mod open_revenue;
pub mod proof;
pub mod provider_activity;
pub mod rated_line;
pub mod rating;
pub mod read;
pub mod sales_credit;
pub mod seen;
pub mod store;
pub mod void;
pub mod void_span;
pub mod wait;

pub use client::Client;
pub use error::{Error, Failure};
