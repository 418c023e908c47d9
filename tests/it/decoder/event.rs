//! Lawful events, written in either mode and any order.

use plimsoll::core::event::{Event, USAGE_TYPE};
use plimsoll::core::word::{Instant, Kind};

use super::Input;
use super::json::Json;
use crate::quote::random::Random;

/// Texts as people and machines choose them.
const TEXTS: [&str; 12] = [
    "a",
    "vol-7b1f0c52",
    "//Block - Premium",
    "acme",
    "ACME",
    "größe ✓",
    "\u{1F4BE} disk",
    "tab\tand \"quote\" \\",
    "0",
    "null",
    "\u{feff}x",
    "data",
];

/// One reading as it is meant.
#[derive(Clone, Debug)]
pub struct MeantReading {
    kind: Kind,
    resource: String,
    name: Option<String>,
    customer: Option<String>,
    tier: Option<String>,
    meter: String,
    value: u64,
}

/// An event as it is meant.
#[derive(Clone, Debug)]
pub struct Meant {
    id: String,
    source: String,
    time_s: i64,
    recorded_s: Option<i64>,
    provider: String,
    array: String,
    array_name: Option<String>,
    site: Option<String>,
    readings: Vec<MeantReading>,
}

/// An event with this many readings, as short as it can be.
pub fn plain(readings: usize) -> String {
    let readings: Vec<String> = (0..readings)
        .map(|number| format!(r#"{{"kind":"pod","resource":"r{number}","meter":"m","value":{number}}}"#))
        .collect();
    format!(
        r#"{{"specversion":"1.0","id":"i","source":"s","type":"{USAGE_TYPE}","time":"2026-01-01T00:00:00Z","data":{{"provider":"p","array":{{"id":"a"}},"readings":[{}]}}}}"#,
        readings.join(",")
    )
}

fn rfc3339(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Meant {
    /// Draws an event.
    pub fn draw(random: &mut Random) -> Self {
        let text = |random: &mut Random| random.pick(&TEXTS).to_owned();
        let maybe = |random: &mut Random| random.chance(2).then(|| random.pick(&TEXTS).to_owned());
        let readings = match random.below(8) {
            0 => 0,
            1 => 60 + random.below(10),
            _ => random.below(5),
        };
        let reading = |number: u64, random: &mut Random| MeantReading {
            kind: random.pick(&Kind::ALL),
            resource: format!("{}{number}", random.pick(&TEXTS)),
            name: maybe(random),
            customer: maybe(random),
            tier: maybe(random),
            meter: text(random),
            value: random.pick(&[0, 1, 9_007_199_254_740_993, u64::MAX]),
        };
        Self {
            id: text(random),
            source: text(random),
            time_s: random.below(4_000_000_000) as i64,
            recorded_s: random.chance(2).then(|| random.below(4_000_000_000) as i64),
            provider: text(random),
            array: text(random),
            array_name: maybe(random),
            site: maybe(random),
            readings: (0..readings).map(|number| reading(number, random)).collect(),
        }
    }

    /// Says one of its readings twice.
    pub fn repeat(&mut self, random: &mut Random) {
        if !self.readings.is_empty() {
            let place = random.below(self.readings.len() as u64) as usize;
            self.readings.push(self.readings[place].clone());
        }
    }

    /// The attributes, in their order; `data` is not among them.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("specversion".to_owned(), "1.0".to_owned()),
            ("id".to_owned(), self.id.clone()),
            ("source".to_owned(), self.source.clone()),
            ("type".to_owned(), USAGE_TYPE.to_owned()),
            ("time".to_owned(), rfc3339(self.time_s)),
        ];
        all.extend(self.recorded_s.map(|seconds| ("recordedtime".to_owned(), rfc3339(seconds))));
        all
    }

    /// `data` as JSON, its keys in any order, with some that are ignored.
    pub fn data(&self, random: &mut Random) -> Json {
        let mut array = vec![("id".to_owned(), Json::text(&*self.array))];
        array.extend(self.array_name.iter().map(|name| ("name".to_owned(), Json::text(&**name))));
        array.extend(self.site.iter().map(|site| ("site".to_owned(), Json::text(&**site))));
        let readings = self.readings.iter().map(|reading| reading.json(random)).collect();
        let mut data = vec![
            ("provider".to_owned(), Json::text(&*self.provider)),
            ("array".to_owned(), object(array, random)),
            ("readings".to_owned(), Json::List(readings)),
        ];
        data.extend(ignored(random));
        object(data, random)
    }

    /// The event in one of the two modes.
    pub fn input(&self, random: &mut Random) -> Input {
        let (data, mut value) = (self.data(random), String::new());
        let loose = random.chance(2);
        if random.chance(3) {
            data.write(random, loose, &mut value);
            let named = |(name, text): (String, String)| {
                (if random.chance(2) { format!("ce_{name}") } else { format!("CE_{name}") }, text.into_bytes())
            };
            return Input { headers: self.attributes().into_iter().map(named).collect(), value: value.into_bytes() };
        }
        let mut whole: Vec<(String, Json)> =
            self.attributes().into_iter().map(|(name, text)| (name, Json::Text(text))).collect();
        whole.push(("data".to_owned(), data));
        whole.extend(ignored(random));
        object(whole, random).write(random, loose, &mut value);
        let media = random.pick(&["", "application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"]);
        let headers = (!media.is_empty()).then(|| ("content-type".to_owned(), media.as_bytes().to_vec()));
        Input { headers: headers.into_iter().collect(), value: value.into_bytes() }
    }

    /// Asserts that an event says what is meant.
    pub fn compare(&self, event: &Event<'_>) {
        let head = (&*event.id, &*event.source, &*event.provider, &*event.array);
        assert_eq!(head, (&*self.id, &*self.source, &*self.provider, &*self.array));
        assert_eq!(
            (event.array_name.as_deref(), event.site.as_deref()),
            (self.array_name.as_deref(), self.site.as_deref())
        );
        let instant = |seconds: i64| Instant(seconds * 1000);
        assert_eq!((event.time, event.recorded), (instant(self.time_s), self.recorded_s.map(instant)));
        assert_eq!(event.readings.len(), self.readings.len());
        for (read, meant) in event.readings.iter().zip(&self.readings) {
            assert_eq!((read.kind, &*read.resource, &*read.meter), (meant.kind, &*meant.resource, &*meant.meter));
            let tags = (read.name.as_deref(), read.customer.as_deref(), read.tier.as_deref());
            assert_eq!(tags, (meant.name.as_deref(), meant.customer.as_deref(), meant.tier.as_deref()));
            assert_eq!(read.value, meant.value);
        }
    }
}

impl MeantReading {
    fn json(&self, random: &mut Random) -> Json {
        let value =
            if random.chance(2) { Json::Raw(self.value.to_string()) } else { Json::text(self.value.to_string()) };
        let mut keys = vec![
            ("kind".to_owned(), Json::text(self.kind.as_str())),
            ("resource".to_owned(), Json::text(&*self.resource)),
            ("meter".to_owned(), Json::text(&*self.meter)),
            ("value".to_owned(), value),
        ];
        for (key, text) in [("name", &self.name), ("customer", &self.customer), ("tier", &self.tier)] {
            keys.extend(text.iter().map(|text| (key.to_owned(), Json::text(&**text))));
        }
        keys.extend(ignored(random));
        object(keys, random)
    }
}

/// Keys that nobody reads, now and then.
fn ignored(random: &mut Random) -> Option<(String, Json)> {
    let value = random.pick(&["null", "1e999", "-0.0", "[[[]]]", "{\"id\":{}}", "true", "\"\\ud83d\\ude00\""]);
    random
        .chance(6)
        .then(|| (random.pick(&["extension", "Data", "ID", "", "ë"]).to_owned(), Json::Raw(value.to_owned())))
}

/// The keys in an order of chance.
fn object(mut keys: Vec<(String, Json)>, random: &mut Random) -> Json {
    for place in (1..keys.len()).rev() {
        keys.swap(place, random.below(place as u64 + 1) as usize);
    }
    Json::Object(keys)
}
