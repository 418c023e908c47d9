//! Events with something wrong: in the tree, so that the wrong thing stands in the right place, in the headers, and in the bytes.

use super::Input;
use super::event::Meant;
use super::json::Json;
use crate::quote::random::Random;

/// Values that numbers, texts and literals are replaced by.
const STRANGE: [&str; 30] = [
    "null",
    "true",
    "-1",
    "-0",
    "1.0",
    "1e3",
    "1e999",
    "-1e-999",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "01",
    "+1",
    "NaN",
    "Infinity",
    "\"\"",
    "\"1\"",
    "\" 1\"",
    "\"0x10\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"\\x\"",
    "\"$observed\"",
    "[]",
    "{}",
    "[[]]",
    "\"2026-13-01T00:00:00Z\"",
    "\"2026-01-01T00:00:00.1234Z\"",
    "\"9999-12-31T23:59:60-23:59\"",
];

/// Keys that events have, for keys that change.
const KEYS: [&str; 12] =
    ["id", "source", "type", "time", "specversion", "data", "readings", "kind", "value", "meter", "array", "other"];

/// A record with something wrong, mostly.
pub fn input(random: &mut Random) -> Input {
    let mut meant = Meant::draw(random);
    if random.chance(12) {
        meant.repeat(random);
    }
    let mut input = if random.chance(3) { meant.input(random) } else { torn(&meant, random) };
    if random.chance(4) {
        (0..=random.below(3)).for_each(|_| change_headers(&mut input, random));
    }
    if random.chance(3) {
        (0..=random.below(4)).for_each(|_| change_bytes(&mut input.value, random));
    }
    input
}

/// An event whose tree was changed before it was written.
fn torn(meant: &Meant, random: &mut Random) -> Input {
    let binary = random.chance(3);
    let mut attributes = meant.attributes();
    let mut tree = meant.data(random);
    if !binary {
        let mut whole: Vec<(String, Json)> =
            attributes.drain(..).map(|(name, text)| (name, Json::Text(text))).collect();
        whole.push(("data".to_owned(), tree));
        tree = Json::Object(whole);
    }
    for _ in 0..=random.below(3) {
        let number = random.below(tree.size());
        if let Some(part) = tree.part(number) {
            change(part, random);
        }
    }
    let headers = attributes.into_iter().map(|(name, text)| (format!("ce_{name}"), text.into_bytes())).collect();
    let (mut value, loose) = (String::new(), random.chance(2));
    tree.write(random, loose, &mut value);
    Input { headers, value: value.into_bytes() }
}

fn change(part: &mut Json, random: &mut Random) {
    match part {
        Json::Object(keys) if !keys.is_empty() && random.chance(2) => {
            let place = random.below(keys.len() as u64) as usize;
            match random.below(4) {
                0 => drop(keys.remove(place)),
                1 => keys[place].0 = random.pick(&KEYS).to_owned(),
                2 => keys.push(keys[place].clone()),
                _ => keys[place].1 = strange(random),
            }
        }
        Json::List(parts) if !parts.is_empty() && random.chance(2) => {
            let place = random.below(parts.len() as u64) as usize;
            match random.below(4) {
                0 => drop(parts.remove(place)),
                1 => parts.push(strange(random)),
                2 => parts.push(parts[place].clone()),
                _ => parts.extend(vec![parts[place].clone(); random.below(30) as usize]),
            }
        }
        part => *part = strange(random),
    }
}

fn strange(random: &mut Random) -> Json {
    let times = 1 + random.below(400) as usize;
    match random.below(12) {
        0 => Json::Raw(format!("{}1{}", "[".repeat(times), "]".repeat(times))),
        1 => Json::Raw(format!("{}1{}", "{\"a\":".repeat(times), "}".repeat(times))),
        2 => Json::Raw("9".repeat(times)),
        3 => Json::Raw(format!("0.{}e-{}", "0".repeat(times), "9".repeat(random.below(9) as usize + 1))),
        4 => Json::text(random.pick(&["x", "é", "\u{7f}", "\u{1F4BE}"]).repeat(times)),
        5 => Json::Raw(format!("[{}]", vec!["{}"; times].join(","))),
        _ => Json::Raw(random.pick(&STRANGE).to_owned()),
    }
}

fn change_headers(input: &mut Input, random: &mut Random) {
    let values: [&[u8]; 12] = [
        b"",
        b"1.0",
        b"\xff\xfe",
        b"application/cloudevents-batch+json",
        b"application/cloudevents",
        b"application/cloudevents+avro",
        b" application/json ; x=y;;",
        b"dev.plimsoll.usage.v1",
        b"7:00ff",
        b"18446744073709551616",
        b"-1",
        "application/cloudevent\u{e9}".as_bytes(),
    ];
    let names =
        ["content-type", "Content-Type", "ce_id", "ce_", "ce_time", "plimsoll-decision", "PLIMSOLL-DECISION", "é"];
    let place = random.below(input.headers.len() as u64 + 1) as usize;
    match random.below(4) {
        0 if place < input.headers.len() => drop(input.headers.remove(place)),
        1 if place < input.headers.len() => input.headers[place].1 = random.pick(&values).to_vec(),
        2 if place < input.headers.len() => change_bytes(&mut input.headers[place].1, random),
        _ => input.headers.insert(place, (random.pick(&names).to_owned(), random.pick(&values).to_vec())),
    }
}

/// A byte flipped, lost or put in, a piece repeated, an end cut off: also in the middle of a character.
fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = random.below(bytes.len() as u64 + 1) as usize;
    let byte = match random.below(3) {
        0 => random.pick(b"\"\\{}[],:0\x00\xff\xc3 "),
        _ => random.below(256) as u8,
    };
    match random.below(5) {
        0 if place < bytes.len() => bytes[place] = byte,
        1 if place < bytes.len() => drop(bytes.remove(place)),
        2 => bytes.truncate(place),
        3 => {
            let end = bytes.len().min(place + random.below(40) as usize);
            let piece = bytes[place..end].to_vec();
            bytes.splice(place..place, piece);
        }
        _ => bytes.insert(place, byte),
    }
}
