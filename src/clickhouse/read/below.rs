//! Ledger rows that count below a cut, as a condition of a statement.

use clickhouse::query::Query;

use crate::clickhouse::void::{Void, counted};
use crate::core::cut::CutPoint;

/// Which part of the ledger counts.
#[derive(Clone, Copy, Debug)]
pub struct Below<'a> {
    /// Below these offsets; all of it without any.
    pub cut: Option<&'a [CutPoint]>,
    /// What is void, wherever it lies.
    pub void: &'a Void,
}

impl Below<'_> {
    /// The condition on a row of `usage_event` (under the alias `e`). The places of the cut are written out, so that the primary key
    /// keeps what lies above it from being read; what they hold is bound.
    pub(super) fn condition(&self) -> String {
        let void = counted("e.");
        let Some(cut) = self.cut else { return void };
        let point = |place: usize| {
            format!(
                "(e.stream = {{cut_stream:Array(String)}}[{place}] AND e.partition = {{cut_partition:Array(UInt32)}}[{place}] \
                 AND e.offset < {{cut_offset:Array(UInt64)}}[{place}])"
            )
        };
        let points: Vec<String> = (1..=cut.len()).map(point).collect();
        if points.is_empty() { "false".to_owned() } else { format!("({}) AND {void}", points.join(" OR ")) }
    }

    /// Binds what [`Self::condition`] names.
    pub(super) fn bind(&self, query: Query) -> Query {
        let cut = self.cut.unwrap_or_default();
        let query = query
            .param("cut_stream", cut.iter().map(|point| point.stream.0.as_str()).collect::<Vec<_>>())
            .param("cut_partition", cut.iter().map(|point| point.partition.0).collect::<Vec<_>>())
            .param("cut_offset", cut.iter().map(|point| point.offset.0).collect::<Vec<_>>());
        self.void.bind(query)
    }
}
