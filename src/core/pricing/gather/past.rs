//! What has to be known of arrays beyond the hours that are metered.

use std::collections::BTreeMap;

use super::super::usage::HandOver;
use crate::core::metering::tag::Tags;
use crate::core::word::{Instant, Kind};

/// The hand-overs of a provider's arrays among the events measured before an instant, by provider and that instant.
pub type HandOvers = BTreeMap<(String, Instant), Vec<HandOver>>;

/// What came before, of all arrays of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// By array.
    pub arrays: Vec<ArrayPast>,
    /// To whom they went, for each end of what lines read.
    pub handed_over: HandOvers,
}

/// What the ledger below the cut says of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayPast {
    /// Who runs it.
    pub provider: String,
    /// The array.
    pub array: String,
    /// When its first accepted event was measured.
    pub first_reading: Instant,
    /// What its readings have borne, ever.
    pub borne: Vec<Borne>,
}

/// A meter under tags, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borne {
    /// What is measured.
    pub kind: Kind,
    /// The meter.
    pub meter: String,
    /// The tags.
    pub tags: Tags,
    /// When the first of these readings that counts was measured.
    pub since: Instant,
}

impl Past {
    /// The hand-overs before an instant.
    #[must_use]
    pub fn handed_over(&self, provider: &str, until: Instant) -> &[HandOver] {
        self.handed_over.get(&(provider.to_owned(), until)).map_or(&[], Vec::as_slice)
    }
}
