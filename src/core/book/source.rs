//! One file of a price book.

/// Its name and its text.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// What stands for the file of a fault that is in none.
    pub(super) const NONE: Source<'static> = Source { name: "", text: "" };
}
