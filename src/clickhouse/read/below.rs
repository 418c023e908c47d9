//! Ledger rows below a cut, as a condition of a statement.

use clickhouse::query::Query;

use crate::core::cut::CutPoint;

/// The condition that a row of `usage_event` (under the alias `e`) lies below a cut. The places of the cut are written out, so that
/// the primary key keeps what lies above it from being read; what they hold is bound.
pub(super) fn condition(cut: &[CutPoint]) -> String {
    let point = |place: usize| {
        format!(
            "(e.stream = {{cut_stream:Array(String)}}[{place}] AND e.partition = {{cut_partition:Array(UInt32)}}[{place}] \
             AND e.offset < {{cut_offset:Array(UInt64)}}[{place}])"
        )
    };
    let points: Vec<String> = (1..=cut.len()).map(point).collect();
    if points.is_empty() { "false".to_owned() } else { format!("({})", points.join(" OR ")) }
}

/// Binds what [`condition`] names.
pub(super) fn bind(query: Query, cut: &[CutPoint]) -> Query {
    query
        .param("cut_stream", cut.iter().map(|point| point.stream.0.as_str()).collect::<Vec<_>>())
        .param("cut_partition", cut.iter().map(|point| point.partition.0).collect::<Vec<_>>())
        .param("cut_offset", cut.iter().map(|point| point.offset.0).collect::<Vec<_>>())
}
