//! Everything that is read for people: the ledger, usage, arrays, the quarantine. Bound parameters only; the text of a statement
//! holds nothing that came from outside.
//!
//! What is visible: ledger and bucket rows as soon as they are written. A ledger row is a fact from then on; a bucket of an hour
//! that still receives readings is provisional until a checkpoint past it, and closes read checkpoints, never this.

pub mod activity;
pub mod alarm;
pub mod arrays;
pub mod aside;
pub mod below;
pub mod block;
pub mod book;
pub mod borrowed;
pub mod bucket;
pub mod bucket_newest;
pub mod checkpoint;
pub mod closed;
pub mod column;
mod coverage;
pub mod credits;
pub mod documents;
pub mod drafts;
pub mod events;
pub mod handover;
pub mod hole;
pub mod invoices;
pub mod ledger;
pub mod line_usage;
pub mod materialised;
pub mod past;
pub mod pipeline;
pub mod position;
pub mod quarantine;
mod question;
pub mod rating;
pub mod roll;
pub mod rows;
pub mod seen;
pub mod stored;
pub mod stream;
pub mod unclaimed;
pub mod usage;
pub mod usage_key;
pub mod usage_row;
pub mod void;
pub mod weights;
pub mod whole;
pub mod wholesale;
pub mod window;
