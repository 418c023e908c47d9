//! The tables `stream_array` and `stream_shape`: where arrays were heard of and what their readings look like, put together of the ledger so
//! that nobody has to read it for that.
//!
//! What is put together is least and greatest only, and is written before the mark that says so: a crash in between, a second process and a
//! replay change nothing. A reader takes what lies at or above the marks from the ledger itself ([`Marks::above`]).

use std::fmt::Write as _;

use super::due::Part;
use super::mark::{MarkRow, Marks};
use super::void::counted;
use super::{Client, Error};

const SEEN: &str = "INSERT INTO stream_array SELECT e.stream, has({again:Array(String)}, toString(e.stream)), e.provider, e.array, \
     min(assumeNotNull(e.time)), max(assumeNotNull(e.time)), \
     max((assumeNotNull(e.time), toString(e.array_name), toString(e.site))) FROM usage_event AS e WHERE";
const SHAPE: &str = "INSERT INTO stream_shape SELECT e.stream, has({again:Array(String)}, toString(e.stream)), e.provider, e.array, r_kind, \
     r_meter, r_tier, e.site, toUInt8(notEmpty(r_customer)) AS r_tagged, max(assumeNotNull(e.time)) FROM usage_event AS e \
     ARRAY JOIN e.reading_kind AS r_kind, e.reading_meter AS r_meter, e.reading_tier AS r_tier, e.reading_customer AS r_customer WHERE";

/// The condition that a row of the two counts: of a generation that was put together once more those of before do not.
#[must_use]
pub fn counts(table: &str) -> String {
    format!("{table}.closed = has({{again:Array(String)}}, toString({table}.stream))")
}

/// Puts some parts together, and then writes their marks. [`Marks::begin`] has to have been told of them.
///
/// # Errors
/// The server's.
pub async fn put_together(client: &Client, marks: &Marks, parts: &[Part]) -> Result<(), Error> {
    let forms = [
        (SEEN, "GROUP BY e.stream, e.provider, e.array"),
        (SHAPE, "GROUP BY e.stream, e.provider, e.array, r_kind, r_meter, r_tier, e.site, r_tagged"),
    ];
    let streams: Vec<&str> = parts.iter().map(|part| part.to.stream.as_str()).collect();
    for (insert, group) in forms {
        let sql = format!("{insert} {} AND e.disposition = 'accepted' AND {} {group}", within(parts), counted("e."));
        let query = marks.void.bind(client.raw().query_raw(&sql)).param("again", &marks.again);
        let query = query.param("streams", &streams);
        let query = query.with_setting("max_threads", client.settings().query_max_threads.to_string());
        let query = query.with_setting("max_memory_usage", client.settings().query_max_memory_bytes.to_string());
        client.in_time(client.settings().insert_timeout, query.execute()).await?;
    }
    let written: Vec<MarkRow> = parts.iter().map(|part| part.to.clone()).collect();
    client.insert_rows("stream_mark", &written).await
}

/// The condition that an event lies in one of the parts. It names each, so that the ledger's sorting key is of use.
fn within(parts: &[Part]) -> String {
    let mut text = "(0".to_owned();
    for (place, Part { from, to }) in parts.iter().enumerate() {
        // writing to a text does not fail
        let _ = write!(
            text,
            " OR (e.stream = {{streams:Array(String)}}[{}] AND e.partition = {} AND e.offset >= {from} AND e.offset < {})",
            place + 1,
            to.partition,
            to.next_offset
        );
    }
    text + ")"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_named_with_its_offsets() {
        let part = |partition, from, next_offset| Part {
            from,
            to: MarkRow { stream: "u-1".to_owned(), partition, next_offset, ..MarkRow::default() },
        };
        let first = "(e.stream = {streams:Array(String)}[1] AND e.partition = 0 AND e.offset >= 7 AND e.offset < 9)";
        let second = "(e.stream = {streams:Array(String)}[2] AND e.partition = 1 AND e.offset >= 0 AND e.offset < 4)";
        assert_eq!(within(&[part(0, 7, 9), part(1, 0, 4)]), format!("(0 OR {first} OR {second})"));
    }
}
