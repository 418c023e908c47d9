//! The tenant tags that buckets bear: for whom a `"*"` contract has a document.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::period::Span;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::tag::Tags;

/// Tags of customers that have a cell in a span.
#[derive(Debug)]
pub struct Customers {
    span: Span,
    seen: BTreeSet<Box<str>>,
    /// Tags that were looked at last: most cells bear the tags of the one before.
    last: Option<Arc<Tags>>,
}

impl Customers {
    /// Nobody seen yet.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self { span, seen: BTreeSet::new(), last: None }
    }

    /// Takes in buckets, of any array and meter.
    pub fn take(&mut self, buckets: &BucketBatch) {
        for (bucket, cells) in buckets.iter() {
            for cell in cells {
                if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &cell.tags)) {
                    continue;
                }
                let start = bucket.hour.start().plus_ms(i64::from(cell.index) * bucket.definition.cell_ms);
                if self.span.holds(start) {
                    if let Some(customer) =
                        cell.tags.customer.as_ref().filter(|customer| !self.seen.contains(*customer))
                    {
                        self.seen.insert(customer.clone());
                    }
                    self.last = Some(Arc::clone(&cell.tags));
                }
            }
        }
    }

    /// Who was seen.
    #[must_use]
    pub fn into_tags(self) -> BTreeSet<Box<str>> {
        self.seen
    }
}
