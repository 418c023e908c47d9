//! What was put aside: quarantined records and late ones.

use clickhouse::Row;
use serde::Deserialize;

use super::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::word::Instant;

/// Which records.
#[derive(Clone, Debug, Default)]
pub struct QuarantineQuery {
    /// This provider's only, and what belongs to every provider of its streams.
    pub provider: Option<String>,
    /// This array's only.
    pub array: Option<String>,
    /// This reason only; `late` for the late ones.
    pub reason: Option<String>,
    /// This stream only.
    pub stream: Option<String>,
    /// Appended at this instant or later.
    pub from: Option<Instant>,
    /// Appended before this instant.
    pub to: Option<Instant>,
    /// The position before the first row.
    pub after: Option<(String, u32, u64)>,
    /// Rows at most.
    pub limit: usize,
}

/// One record that was put aside.
#[derive(Debug, Row, Deserialize)]
pub struct QuarantineRow {
    /// The stream.
    pub stream: String,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
    /// When Kafka took it, in milliseconds since 1970.
    pub appended: i64,
    /// quarantined or late.
    pub disposition: String,
    /// Why; empty for a late one.
    pub reason: String,
    /// What a person should know.
    pub detail: String,
    /// Whose it is; empty where nobody can tell.
    pub provider: String,
    /// What its key names; empty where there is none.
    pub array: String,
    /// How long it is.
    pub bytes: u64,
    /// Whether a decision names it.
    pub decided: u8,
}

/// The records in the order of their positions.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, query: &QuarantineQuery) -> Result<Vec<QuarantineRow>, Error> {
    // What nobody can be named for belongs to every provider of its stream (DESIGN §3).
    let mine = "(q.provider = {provider:String} OR (q.provider = '' AND q.stream IN \
                (SELECT DISTINCT stream FROM usage_bucket WHERE provider = {provider:String})))";
    let conditions = [
        (query.provider.is_some(), mine),
        (query.array.is_some(), "q.array = {array:String}"),
        (query.reason.is_some(), "if(q.disposition = 'late', 'late', toString(q.reason)) = {reason:String}"),
        (query.stream.is_some(), "q.stream = {stream:String}"),
        (query.from.is_some(), "q.append_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')"),
        (query.to.is_some(), "q.append_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')"),
        (
            query.after.is_some(),
            "(q.stream, q.partition, q.offset) > ({after_stream:String}, {after_partition:UInt32}, {after_offset:UInt64})",
        ),
    ];
    let mut conditions: Vec<&str> =
        conditions.into_iter().filter(|(set, _)| *set).map(|(_, condition)| condition).collect();
    let counted = counted("q.");
    conditions.push(&counted);
    let sql = format!(
        "SELECT toString(stream) AS stream, partition, offset, toUnixTimestamp64Milli(append_time) AS appended, \
         toString(disposition) AS disposition, toString(reason) AS reason, detail, toString(provider) AS provider, array, \
         length(raw) AS bytes, toUInt8((toString(q.stream), q.partition, q.offset) IN (SELECT JSONExtractString(body, 'stream'), \
         toUInt32(JSONExtractUInt(body, 'partition')), JSONExtractUInt(body, 'offset') FROM decision \
         WHERE kind IN ('RecordResent', 'RecordDiscarded'))) AS decided FROM quarantine AS q FINAL WHERE {} ORDER BY q.stream, q.partition, q.offset LIMIT {{limit:UInt64}}",
        conditions.join(" AND ")
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ms = |instant: Option<Instant>| instant.map_or(0, |instant| instant.0.max(0));
    let (stream, partition, offset) = query.after.clone().unwrap_or_default();
    let select = client.select(&sql).param("provider", text(&query.provider)).param("array", text(&query.array));
    let select =
        select.param("reason", text(&query.reason)).param("stream", text(&query.stream)).param("limit", query.limit);
    let select = select.param("from", ms(query.from)).param("to", ms(query.to));
    let select = select.param("after_stream", stream).param("after_partition", partition).param("after_offset", offset);
    client.fetch_all(void::read(client).await?.bind(select)).await
}
