//! Versions of rating: code that could alter an amount is a version of its own beside the old ones, so that every document ever issued
//! can be computed again (DESIGN §7).

use super::document::Document;
use super::error::DocumentError;
use super::proof::Proof;
use super::statement::document;
use crate::core::book::model::Book;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::Period;
use crate::core::pricing::rating::{Rating, rate};
use crate::core::pricing::selection::{LineSelection, selections};
use crate::core::pricing::usage::LineUsage;

/// What a contract (of a `"*"` contract: for a customer) asks of usage in a period.
pub type Selections = fn(&Book, &str, Option<&str>, &Period) -> Result<Vec<LineSelection>, RateError>;
/// What its usages cost.
pub type Rate = fn(&Book, &str, Option<&str>, &Period, &[LineUsage]) -> Result<Rating, RateError>;
/// The document of a rating.
pub type Render = fn(&Book, &str, &str, Option<&str>, &Period, &Rating, &Proof) -> Result<Document, DocumentError>;

/// One version: three functions that no later change touches.
#[derive(Clone, Copy, Debug)]
pub struct RateVersion {
    /// Its number, as `versions.rate` of a document names it.
    pub number: u32,
    /// What lines ask of usage.
    pub selections: Selections,
    /// What usage costs.
    pub rate: Rate,
    /// The document, and with it the encoding that digests cover.
    pub document: Render,
}

/// All versions that this build can compute, the newest last: that one rates what is not closed yet.
pub const VERSIONS: &[RateVersion] = &[RateVersion { number: 1, selections, rate, document }];

/// The version with a number; none if this build lacks it.
#[must_use]
pub fn version(table: &[RateVersion], number: u32) -> Option<RateVersion> {
    table.iter().copied().find(|version| version.number == number)
}
