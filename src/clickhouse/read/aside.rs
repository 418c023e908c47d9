//! Records that were put aside, whole: what is needed to judge one or to send it again.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use super::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, Offset, Partition, StreamId};

/// Which records. Nothing set means all.
#[derive(Clone, Debug, Default)]
pub struct AsideQuery {
    /// Late ones; else quarantined ones.
    pub late: bool,
    /// Of this provider.
    pub provider: Option<String>,
    /// Whose key names this array.
    pub array: Option<String>,
    /// Quarantined for this reason.
    pub reason: Option<String>,
    /// Appended at this instant or later.
    pub from: Option<Instant>,
    /// Appended before this instant.
    pub to: Option<Instant>,
    /// In this stream.
    pub stream: Option<String>,
    /// At one of these positions only.
    pub positions: Option<Vec<(StreamId, Partition, Offset)>>,
    /// Only what this provider may see: what is attributed to it, and what nobody can be named for in streams that are bound to it.
    pub seen_by: Option<SeenBy>,
    /// Behind this position.
    pub after: Option<(String, u32, u64)>,
    /// So many at most.
    pub limit: Option<usize>,
    /// With key, headers and value; without them they are empty.
    pub whole: bool,
}

/// A provider, and the streams that are bound to it.
#[derive(Clone, Debug, Default)]
pub struct SeenBy {
    /// Who looks.
    pub provider: String,
    /// Its own streams.
    pub streams: Vec<String>,
}

/// One record.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct AsideRow {
    /// The stream.
    pub stream: String,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
    /// When Kafka took it, in milliseconds since 1970.
    pub appended: i64,
    /// The reason code; empty for a late one.
    pub reason: String,
    /// What a person should know, if its row says something.
    pub detail: String,
    /// Whose it is; empty where nobody can tell.
    pub provider: String,
    /// The array that its key names; empty if none.
    pub array: String,
    /// How long its value is.
    pub bytes: u64,
    /// The identity of its event; 0 where there is none to know.
    pub identity: u128,
    /// The provider and the array that the event itself names; empty where that cannot be known.
    pub claimed: String,
    /// See [`AsideRow::claimed`].
    pub of_array: String,
    /// When it says that it was measured, in milliseconds since 1970.
    pub measured: Option<i64>,
    /// [`raw_hash`](crate::core::ledger::digest::raw_hash) of it.
    pub raw_hash: u128,
    /// The key's bytes.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Names of the headers.
    pub header_names: Vec<String>,
    /// Their values.
    pub header_values: Vec<serde_bytes::ByteBuf>,
    /// The value's bytes.
    #[serde(with = "serde_bytes")]
    pub raw: Vec<u8>,
}

impl AsideRow {
    /// Where it lies.
    #[must_use]
    pub fn position(&self) -> (StreamId, Partition, Offset) {
        (StreamId(self.stream.clone()), Partition(self.partition), Offset(self.offset))
    }

    /// `usage-1/3/8812`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}/{}", self.stream, self.partition, self.offset)
    }
}

/// The records in the order of their positions, one at a time. Void ones are none of them: their senders have to send them again to where
/// they count, and `plimsoll stream void` lists them.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, query: &AsideQuery) -> Result<Rows<AsideRow>, Error> {
    let conditions = [
        (query.provider.is_some(), "q.provider = {provider:String}"),
        (query.array.is_some(), "q.array = {array:String}"),
        (query.reason.is_some(), "q.reason = {reason:String}"),
        (query.from.is_some(), "q.append_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')"),
        (query.to.is_some(), "q.append_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')"),
        (query.stream.is_some(), "q.stream = {stream:String}"),
        (
            query.positions.is_some(),
            "q.offset IN {offsets:Array(UInt64)} \
             AND concat(q.stream, '/', toString(q.partition), '/', toString(q.offset)) IN {labels:Array(String)}",
        ),
        (
            query.seen_by.is_some(),
            "(q.provider = {seen_by:String} OR (q.provider = '' AND q.stream IN {own:Array(String)}))",
        ),
        (
            query.after.is_some(),
            "(q.stream, q.partition, q.offset) > ({after_stream:String}, {after_partition:UInt32}, {after_offset:UInt64})",
        ),
    ];
    let limit = if query.limit.is_some() { " LIMIT {limit:UInt64}" } else { "" };
    let more: String = conditions.iter().filter(|(set, _)| *set).map(|(_, text)| format!(" AND {text}")).collect();
    let (key, names, values, raw) = match query.whole {
        true => ("key", "header_name", "header_value", "raw"),
        false => ("''", "emptyArrayString()", "emptyArrayString()", "''"),
    };
    let sql = format!(
        "SELECT toString(q.stream) AS stream, q.partition AS partition, q.offset AS offset, \
         toUnixTimestamp64Milli(q.append_time) AS appended, toString(q.reason) AS reason, q.detail AS detail, \
         toString(q.provider) AS provider, q.array AS array, length(q.raw) AS bytes, e.identity AS identity, \
         toString(e.provider) AS claimed, toString(e.array) AS of_array, \
         if(isNull(e.time), NULL, toUnixTimestamp64Milli(assumeNotNull(e.time))) AS measured, q.raw_hash AS raw_hash, \
         {key} AS key, {names} AS header_names, {values} AS header_values, {raw} AS raw \
         FROM quarantine AS q FINAL \
         LEFT JOIN (SELECT stream, partition, offset, identity, provider, array, time FROM usage_event FINAL WHERE disposition = {{disposition:String}}) AS e \
         ON e.stream = q.stream AND e.partition = q.partition AND e.offset = q.offset \
         WHERE q.disposition = {{disposition:String}} AND {}{more} ORDER BY q.stream, q.partition, q.offset{limit}",
        counted("q.")
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ms = |instant: Option<Instant>| instant.map_or(0, |instant| instant.0.max(0));
    let positions = query.positions.as_deref().unwrap_or_default();
    let offsets: Vec<u64> = positions.iter().map(|(_, _, offset)| offset.0).collect();
    let labels: Vec<String> =
        positions.iter().map(|(stream, partition, offset)| format!("{stream}/{}/{}", partition.0, offset.0)).collect();
    let SeenBy { provider: seen_by, streams: own } = query.seen_by.clone().unwrap_or_default();
    let (after_stream, after_partition, after_offset) = query.after.clone().unwrap_or_default();
    let select = client.select(&sql).param("disposition", if query.late { "late" } else { "quarantined" });
    let select = select.param("provider", text(&query.provider)).param("array", text(&query.array));
    let select = select.param("reason", text(&query.reason)).param("from", ms(query.from)).param("to", ms(query.to));
    let select = select.param("stream", text(&query.stream)).param("offsets", offsets).param("labels", labels);
    let select = select.param("seen_by", seen_by).param("own", own).param("limit", query.limit.unwrap_or_default());
    let select = select.param("after_stream", after_stream).param("after_partition", after_partition);
    let select = select.param("after_offset", after_offset);
    Rows::of(client, void::read(client).await?.bind(select))
}

/// What became of a record that was sent again.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct OutcomeRow {
    /// The decision that its header names.
    pub decision: i64,
    /// Its disposition.
    pub disposition: String,
    /// The stream.
    pub stream: String,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
}

/// The records that were let through by one of these decisions, by decision and position: of each decision the first ten.
///
/// # Errors
/// The server's.
pub async fn outcomes(client: &Client, decisions: &[i64]) -> Result<Vec<OutcomeRow>, Error> {
    if decisions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT decision, toString(disposition) AS disposition, toString(stream) AS stream, partition, offset \
         FROM usage_event FINAL WHERE decision IN {{decisions:Array(Int64)}} AND {} \
         ORDER BY decision, stream, partition, offset LIMIT 10 BY decision",
        counted("")
    );
    client.fetch_all(void::read(client).await?.bind(client.select(&sql).param("decisions", decisions))).await
}

/// Where the first event of an identity was accepted, `stream/partition/offset`; none if none is known.
///
/// # Errors
/// The server's.
pub async fn accepted_at(client: &Client, identity: u128) -> Result<Option<String>, Error> {
    let sql = format!(
        "SELECT concat(toString(stream), '/', toString(partition), '/', toString(offset)) AS at FROM usage_event \
         WHERE disposition = 'accepted' AND identity = toUInt128({{identity:String}}) AND {} ORDER BY append_time, offset LIMIT 1",
        counted("")
    );
    let select = client.select(&sql).param("identity", identity.to_string());
    client.fetch_optional(void::read(client).await?.bind(select)).await
}

#[derive(Debug, Row, Deserialize)]
struct Accepted {
    identity: u128,
}

/// Those of these identities of which an event was ever accepted.
///
/// # Errors
/// The server's.
pub async fn accepted(client: &Client, identities: &BTreeSet<u128>) -> Result<BTreeSet<u128>, Error> {
    if identities.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "SELECT DISTINCT identity FROM usage_event WHERE disposition = 'accepted' \
         AND has(arrayMap(text -> toUInt128(text), {{identities:Array(String)}}), identity) AND {}",
        counted("")
    );
    let texts: Vec<String> = identities.iter().map(u128::to_string).collect();
    let select = client.select(&sql).param("identities", texts);
    let rows: Vec<Accepted> = client.fetch_all(void::read(client).await?.bind(select)).await?;
    Ok(rows.into_iter().map(|row| row.identity).collect())
}
