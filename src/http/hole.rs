//! Why a period cannot be closed, as the API says it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::billing::gap::ArrayGap;
use crate::core::closing::hole::Hole;

/// Why a period cannot be closed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PeriodHole {
    /// A word for programs.
    pub(super) kind: &'static str,
    /// In words.
    pub(super) text: String,
    /// Whether `override` accepts it.
    can_be_accepted: bool,
    /// Of too little coverage: the arrays of which most is missing.
    arrays: Vec<HoleArray>,
}

/// An array of which something is missing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HoleArray {
    /// The array.
    array: String,
    /// What of it was measured, of 1.
    coverage: String,
    /// The local day since which it is silent; null if it only has gaps.
    silent_since: Option<String>,
}

impl PeriodHole {
    /// A hole in other words than its own.
    pub(super) fn with_text(hole: &Hole, text: &str) -> Self {
        let (kind, can_be_accepted) = (hole.kind(), hole.is_waivable());
        Self { kind, text: text.to_owned(), can_be_accepted, arrays: Vec::new() }
    }
}

impl From<&Hole> for PeriodHole {
    fn from(hole: &Hole) -> Self {
        let array = |gap: &ArrayGap| {
            let ArrayGap { array, coverage, silent_since } = gap.clone();
            HoleArray { array, coverage, silent_since }
        };
        let arrays = hole.arrays().iter().map(array).collect();
        Self { arrays, ..Self::with_text(hole, &hole.to_string()) }
    }
}
