//! Records that were put aside, whole: what is needed to judge one or to send it again.

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
    /// At this position only.
    pub position: Option<(StreamId, Partition, Offset)>,
    /// With key, headers and value; without them they are empty.
    pub whole: bool,
}

/// One record.
#[derive(Clone, Debug, Row, Deserialize)]
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
    /// What a person should know.
    pub detail: String,
    /// Whose it is; empty where nobody can tell.
    pub provider: String,
    /// The array that its key names; empty if none.
    pub array: String,
    /// How long its value is.
    pub bytes: u64,
    /// The identity of its event; 0 where there is none to know.
    pub identity: u128,
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
        (
            query.position.is_some(),
            "q.stream = {stream:String} AND q.partition = {partition:UInt32} AND q.offset = {offset:UInt64}",
        ),
    ];
    let more: String = conditions.iter().filter(|(set, _)| *set).map(|(_, text)| format!(" AND {text}")).collect();
    let (key, names, values, raw) = match query.whole {
        true => ("key", "header_name", "header_value", "raw"),
        false => ("''", "emptyArrayString()", "emptyArrayString()", "''"),
    };
    let sql = format!(
        "SELECT toString(q.stream) AS stream, q.partition AS partition, q.offset AS offset, \
         toUnixTimestamp64Milli(q.append_time) AS appended, toString(q.reason) AS reason, q.detail AS detail, \
         toString(q.provider) AS provider, q.array AS array, length(q.raw) AS bytes, e.identity AS identity, q.raw_hash AS raw_hash, \
         {key} AS key, {names} AS header_names, {values} AS header_values, {raw} AS raw \
         FROM quarantine AS q FINAL \
         LEFT JOIN (SELECT stream, partition, offset, identity FROM usage_event FINAL WHERE disposition = {{disposition:String}}) AS e \
         ON e.stream = q.stream AND e.partition = q.partition AND e.offset = q.offset \
         WHERE q.disposition = {{disposition:String}} AND {}{more} ORDER BY q.stream, q.partition, q.offset",
        counted("q.")
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let ms = |instant: Option<Instant>| instant.map_or(0, |instant| instant.0.max(0));
    let (stream, partition, offset) =
        query.position.clone().unwrap_or((StreamId(String::new()), Partition(0), Offset(0)));
    let select = client.select(&sql).param("disposition", if query.late { "late" } else { "quarantined" });
    let select = select.param("provider", text(&query.provider)).param("array", text(&query.array));
    let select = select.param("reason", text(&query.reason)).param("from", ms(query.from)).param("to", ms(query.to));
    let select = select.param("stream", stream.0).param("partition", partition.0).param("offset", offset.0);
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

/// All records that were let through by a decision, by decision and position.
///
/// # Errors
/// The server's.
pub async fn outcomes(client: &Client) -> Result<Vec<OutcomeRow>, Error> {
    let sql = format!(
        "SELECT decision, toString(disposition) AS disposition, toString(stream) AS stream, partition, offset \
         FROM usage_event FINAL WHERE decision >= 0 AND {} ORDER BY decision, stream, partition, offset",
        counted("")
    );
    client.fetch_all(void::read(client).await?.bind(client.select(&sql))).await
}

#[derive(Debug, Row, Deserialize)]
struct Accepted {
    times: u64,
}

/// Whether an event of this identity was ever accepted.
///
/// # Errors
/// The server's.
pub async fn is_accepted(client: &Client, identity: u128) -> Result<bool, Error> {
    let sql = format!(
        "SELECT count() AS times FROM usage_event WHERE disposition = 'accepted' AND identity = {{identity:UInt128}} AND {}",
        counted("")
    );
    let select = client.select(&sql).param("identity", identity.to_string());
    let row: Option<Accepted> = client.fetch_optional(void::read(client).await?.bind(select)).await?;
    Ok(row.is_some_and(|row| row.times > 0))
}
