//! What a row charges for, in a word.

use serde::{Deserialize, Serialize};

/// What a row charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A commitment in full.
    Commitment,
    /// What lies above a commitment.
    Overage,
    /// Pay as you go.
    Usage,
    /// The price of entering a band.
    Flat,
    /// A recurring fee.
    Fee,
    /// A percentage of other lines.
    Share,
    /// Topped up to the contract's minimum.
    Minimum,
    /// Cut down to the contract's maximum.
    Maximum,
    /// Invoiced before (quotes only).
    Billed,
}

impl RowKind {
    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Commitment => "commitment",
            RowKind::Overage => "overage",
            RowKind::Usage => "usage",
            RowKind::Flat => "flat",
            RowKind::Fee => "fee",
            RowKind::Share => "share",
            RowKind::Minimum => "minimum",
            RowKind::Maximum => "maximum",
            RowKind::Billed => "billed",
        }
    }
}
