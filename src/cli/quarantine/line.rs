//! Lines of a listing.

use serde::Serialize;

/// One line of a listing.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) position: String,
    pub(super) appended: String,
    pub(super) reason: Option<&'a str>,
    pub(super) detail: String,
    pub(super) provider: Option<&'a str>,
    pub(super) array: Option<&'a str>,
    pub(super) bytes: u64,
    pub(super) state: &'a str,
    pub(super) because: Option<&'a str>,
    pub(super) at: Option<&'a str>,
}

/// A line of the counts.
#[derive(Serialize)]
pub(super) struct Count<'a> {
    pub(super) reason: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) state: &'a str,
    pub(super) records: u64,
}
