//! A month of random usage of three providers: several customers, tiers and sites that change, gaps, demonstration arrays, arrays that
//! change hands, meters of all kinds.

use crate::quote::random::Random;

/// 29 September 2026, 0:00 UTC: some days before a month begins.
pub const START_MS: i64 = 1_790_640_000_000;
/// 34 days later.
pub const END_MS: i64 = START_MS + 34 * DAY_MS;
pub const PROVIDERS: [&str; 3] = ["northwind", "fjordcloud", "p"];
pub const TAGS: [&str; 6] = ["", "acme", "ACME", "globex", "initech", "somebody"];
pub const TIERS: [&str; 4] = ["", "//Block - Premium", "//UFFO - Standard", "t2"];
pub const SITES: [&str; 3] = ["HAM1", "BGO1", "BER2"];
/// The first is for demonstration in the sample book; the second and third change hands.
pub const ARRAYS: [&str; 7] = ["66aa2c13-0d81-433f-bb31-5fc33e76fa5f", "b", "c", "d", "e", "f", "g"];

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// One poll of an array.
struct Poll<'a> {
    provider: &'a str,
    array: &'a str,
    at_ms: i64,
    recorded_ms: Option<i64>,
    site: &'a str,
    /// Another number gives other ids.
    copy: u64,
}

/// Who runs an array: two of them change hands, inside a quarter of an hour.
fn provider(array: usize, at_ms: i64) -> &'static str {
    let since_ms = at_ms - START_MS;
    match array {
        1 if since_ms > 12 * DAY_MS + 437_123 => "p",
        2 if since_ms > 20 * DAY_MS + 40 * MINUTE_MS => "fjordcloud",
        4 => "fjordcloud",
        3 | 5 => "p",
        _ => "northwind",
    }
}

fn event(random: &mut Random, poll: &Poll<'_>) -> (String, String) {
    let time = |ms: i64| {
        let time = chrono::DateTime::from_timestamp_millis(ms).unwrap();
        time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    };
    let mut readings = Vec::new();
    let tib = |random: &mut Random| random.below(40 << 40);
    let mut add = |kind: &str, resource: &str, tags: (&str, &str), meter: &str, value: u64| {
        let tag =
            |name: &str, text: &str| if text.is_empty() { String::new() } else { format!(r#","{name}":"{text}""#) };
        let (customer, tier) = (tag("customer", tags.0), tag("tier", tags.1));
        readings.push(format!(
            r#"{{"resource":"{resource}","kind":"{kind}"{customer}{tier},"meter":"{meter}","value":{value}}}"#
        ));
    };
    add("array", poll.array, ("", random.pick(&TIERS[1..3])), "effective_used", tib(random));
    for volume in 0..3u64 {
        if random.chance(9) {
            continue; // gone for now
        }
        // a volume stays with a customer for some days, as a rule
        let epoch = (poll.at_ms - START_MS) as u64 / (4 * DAY_MS as u64) + volume;
        let customer = if random.chance(12) { random.pick(&TAGS) } else { TAGS[(epoch % 6) as usize] };
        let tier = if random.chance(12) { random.pick(&TIERS) } else { TIERS[(volume + 1) as usize % 4] };
        let (kind, name) = if volume == 2 { ("file_system", "fs") } else { ("volume", ["v0", "v1"][volume as usize]) };
        add(kind, name, (customer, tier), "effective_used", tib(random));
        add(kind, name, (customer, tier), "fine", random.below(1 << 44));
        add(kind, name, (customer, tier), "read_bytes", (poll.at_ms - START_MS) as u64 * (1 + volume) % 900_000_007);
        add(kind, name, (customer, tier), "written", random.below(1 << 33));
    }
    let recorded = poll.recorded_ms.map_or(String::new(), |ms| format!(r#""recordedtime":"{}","#, time(ms)));
    let Poll { provider, array, at_ms, site, copy, .. } = poll;
    let text = format!(
        r#"{{"specversion":"1.0","id":"{at_ms}-{copy}","source":"s","type":"dev.plimsoll.usage.v1","time":"{}",{recorded}"data":{{"provider":"{provider}","array":{{"id":"{array}","site":"{site}"}},"readings":[{}]}}}}"#,
        time(*at_ms),
        readings.join(",")
    );
    (array.to_string(), text)
}

fn site(array: usize, at_ms: i64) -> &'static str {
    let moved = usize::from(at_ms - START_MS > 17 * DAY_MS + array as i64 * 3 * MINUTE_MS);
    SITES[(array + moved) % 3]
}

/// Everything that is sent at first, by time with some disorder. Polls come every 40 minutes or so, with gaps of hours and days.
pub fn polls(random: &mut Random) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for (number, array) in ARRAYS.into_iter().enumerate() {
        let mut at_ms = START_MS + random.below(6 * 60) as i64 * MINUTE_MS;
        while at_ms < END_MS {
            // one falls silent for good before the month, and comes back when it is over
            let silent = number == 6 && (DAY_MS..33 * DAY_MS).contains(&(at_ms - START_MS));
            if !silent {
                let (provider, site) = (provider(number, at_ms), site(number, at_ms));
                let poll = Poll { provider, array, at_ms, recorded_ms: None, site, copy: 0 };
                let delay_ms = if random.chance(30) { random.below(9) as i64 * 40 * MINUTE_MS } else { 0 };
                sent.push((at_ms + delay_ms, event(random, &poll)));
                if random.chance(25) {
                    // the same instant again: a correction, or a second poller
                    let recorded_ms = random.chance(2).then_some(at_ms + 60_000);
                    sent.push((at_ms + 3 * MINUTE_MS, event(random, &Poll { recorded_ms, copy: 1, ..poll })));
                }
            }
            let pause = match random.below(300) {
                0 => 4 * 24 * 60,
                1 => 26 * 60,
                2..8 => 190,
                _ => 40,
            };
            at_ms += pause * MINUTE_MS + random.below(200_000) as i64;
        }
    }
    sent.sort_by_key(|(at_ms, _)| *at_ms);
    sent.into_iter().map(|(_, event)| event).collect()
}

/// What comes when all of that has been metered: older events, other tags for the same instants, an array that goes back.
pub fn corrections(random: &mut Random) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for _ in 0..300 {
        let number = random.below(ARRAYS.len() as u64) as usize;
        let at_ms = START_MS + random.below((END_MS - START_MS) as u64) as i64;
        let (provider, site) = (provider(number, at_ms), random.pick(&SITES));
        let poll = Poll { provider, array: ARRAYS[number], at_ms, recorded_ms: None, site, copy: 2 };
        sent.push(event(random, &poll));
    }
    // the first provider has one more poll in the month, after the new one came
    let at_ms = START_MS + 25 * DAY_MS;
    sent.push(event(
        random,
        &Poll { provider: "northwind", array: "b", at_ms, recorded_ms: None, site: "HAM1", copy: 2 },
    ));
    // ... and another array goes back when the month is over
    let at_ms = END_MS + DAY_MS;
    sent.push(event(
        random,
        &Poll { provider: "northwind", array: "c", at_ms, recorded_ms: None, site: "HAM1", copy: 2 },
    ));
    sent
}
