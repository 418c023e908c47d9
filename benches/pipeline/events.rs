//! Usage events as collectors send them, for measurements: in order, 5 minutes apart.

use std::fmt::Write;

/// When the first event was measured: 2026-10-01T00:00:00Z.
pub const START_MS: i64 = 1_790_812_800_000;

/// Event number `number` of `arrays` arrays in turn, with `readings` readings.
pub fn event(number: u64, arrays: u64, readings: u64) -> (String, Vec<u8>) {
    let (array, poll) = (number % arrays, number / arrays);
    let time = chrono::DateTime::from_timestamp_millis(START_MS + poll as i64 * 300_000).unwrap();
    let time = time.format("%Y-%m-%dT%H:%M:%SZ");
    let key = format!("{array:08x}-5d84-4e0b-9a6c-0b7d41e2c9f8");
    let mut text = String::with_capacity(300 + readings as usize * 150);
    write!(
        text,
        r#"{{"specversion":"1.0","id":"{key}/{time}","source":"urn:plimsoll:array:{key}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"northwind","array":{{"id":"{key}","name":"nw-{array}","site":"HAM1"}},"readings":["#
    )
    .unwrap();
    for reading in 0..readings {
        let comma = if reading == 0 { "" } else { "," };
        let value = 1_000_000_000_000 + number * 4096 + reading * 7919;
        write!(
            text,
            r#"{comma}{{"resource":"vol-{reading:08x}","kind":"volume","name":"data-{reading}","customer":"c{}","tier":"//Block - Premium","meter":"effective_used","value":{value}}}"#,
            reading % 7
        )
        .unwrap();
    }
    text.push_str("]}}");
    (key, text.into_bytes())
}
