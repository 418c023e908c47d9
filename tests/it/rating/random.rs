//! Random books and random usage, sensible or not.

use plimsoll::core::book::model::{Per, Statistic};
use plimsoll::core::pricing::selection::{Grain, LineSelection};
use plimsoll::core::pricing::usage::{ArrayCoverage, Known, LineUsage, PartUsage, Slot};
use plimsoll::core::word::Instant;

use super::book::Terms;
use crate::quote::random::Random;

/// A decimal as a book writes it: mostly an ordinary one, sometimes the least, the greatest, or nothing.
fn decimal(random: &mut Random, end: u64, places: u64) -> String {
    match random.below(12) {
        0 => "0".to_owned(),
        1 => "0.000001".to_owned(),
        2 => random.pick(&["79228162514264337593543950335", "999999999999999999.999999", "1000000000000"]).to_owned(),
        _ => random.decimal(end, places),
    }
}

/// The text of a book with a contract `c` of one to three lines; the book may be refused.
pub fn book(random: &mut Random) -> String {
    let mut terms = Terms { rates: Vec::new(), lines: Vec::new(), contract: String::new() };
    for index in 0..1 + random.below(3) {
        line(random, index, &mut terms);
    }
    let zone = random.pick(&["Europe/Berlin", "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]);
    let mut contract =
        format!("time_zone = \"{zone}\"\nfrom = {}\n", random.pick(&["2026-01-01", "2026-03-17T12:00:00+01:00"]));
    let mut more = |one_in: u64, key: &str| {
        if random.chance(one_in) {
            let value = decimal(random, 5_000, 2);
            contract.push_str(&key.replace("{}", &value));
        }
    };
    more(4, "minimum = \"{}\"\n");
    more(4, "maximum = \"{}\"\n");
    if random.chance(3) {
        contract.push_str(&format!("deal = {{ reference = \"D\", percent = \"{}\" }}\n", random.decimal(100, 6)));
    }
    if random.chance(3) {
        contract.push_str(&format!("anchor_day = {}\n", 1 + random.below(28)));
    }
    if random.chance(4) {
        contract.push_str("until = 2026-10-25\n");
    }
    contract.push_str(random.pick(&["", "rounding = \"half_up\"\n"]));
    Terms { contract, ..terms }.text()
}

/// Adds a line and its rate, sometimes with a later one.
fn line(random: &mut Random, index: u64, terms: &mut Terms) {
    let id = format!("r{index}");
    match random.below(8) {
        0 => {
            terms.rates.push(format!("{{ id = \"{id}\", fee = \"{}\" }}", decimal(random, 500, 4)));
            terms.lines.push(format!("{{ rate = \"{id}\" }}"));
        }
        1 if index > 0 => {
            let percent = random.decimal(100, 4);
            terms.rates.push(format!("{{ id = \"{id}\", share = {{ percent = \"{percent}\", of = [\"r0\"] }} }}"));
            terms.lines.push(format!("{{ rate = \"{id}\" }}"));
        }
        _ => usage_line(random, index, &id, terms),
    }
}

fn usage_line(random: &mut Random, index: u64, id: &str, terms: &mut Terms) {
    let (statistic, unit) = random.pick(&[
        ("mean", "TiB-month"),
        ("mean", "TB-hour"),
        ("mean", "byte-month"),
        ("mean", "GiB-month@730h"),
        ("peak", "TiB"),
        ("p95", "PB"),
        ("sum", "GiB"),
        ("sum", "each"),
    ]);
    let meter = if statistic == "sum" { "read_bytes" } else { "effective_used" };
    let round = match random.chance(4) {
        true => format!(
            ", round_quantity = {{ to = \"{}\", mode = \"{}\" }}",
            random.pick(&["1", "0.1", "0.000001", "1000000"]),
            random.pick(&["up", "down", "half_up", "half_even"])
        ),
        false => String::new(),
    };
    let committed = random.chance(2);
    let form = if committed { random.below(2) } else { random.below(3) };
    let last = if random.chance(3) { 2 } else { 1 };
    for from in ["", "from = 2026-03-11, "].into_iter().take(last) {
        let price = price(random, committed, form, last == 1);
        terms.rates.push(format!(
            "{{ id = \"{id}\", {from}meter = \"{meter}\", of = \"volume\", tier = \"t{index}\", unit = \"{unit}\", statistic = \"{statistic}\"{round}, {price} }}"
        ));
    }
    let mut line = format!("rate = \"{id}\"");
    line.push_str(random.pick(&["", "", ", per = \"array\"", ", per = \"resource\""]));
    line.push_str(random.pick(&["", "", ", gap = \"hold\""]));
    if committed {
        let (one, other) = (decimal(random, 300, 6), decimal(random, 300, 6));
        line.push_str(&match random.chance(3) {
            true => format!(", commitment = [{{ from = 2026-01-01, quantity = \"{one}\" }}, {{ from = 2026-03-20, quantity = \"{other}\" }}]"),
            false => format!(", commitment = \"{one}\""),
        });
    }
    terms.lines.push(format!("{{ {line} }}"));
}

/// One form of price; the later of two rates has the same form.
fn price(random: &mut Random, committed: bool, form: u64, steps: bool) -> String {
    let list = |random: &mut Random, percent: bool, steps: bool| {
        let count = 1 + random.below(4);
        let mut edge = 0;
        let bands = (0..count).map(|index| {
            edge += 1 + random.below(80);
            let up_to = match index + 1 < count {
                true => format!("up_to = \"{edge}{}\", ", if percent { "%" } else { "" }),
                false => String::new(),
            };
            let kind = if steps { random.below(4) } else { 0 };
            let price = decimal(random, 50, 6);
            let keys = match kind {
                1 => format!("flat = \"{price}\""),
                2 => format!("price = \"{price}\", flat = \"12.5\""),
                3 => format!("price = \"{price}\", per = \"{}\"", random.pick(&["0.5", "10", "1000000000"])),
                _ => format!("price = \"{price}\""),
            };
            format!("{{ {up_to}{keys} }}")
        });
        format!("bands = [{}]", bands.collect::<Vec<_>>().join(", "))
    };
    let evaluate = ["day", "period"][usize::from(form > 0)];
    if committed {
        let percent = random.chance(2);
        let bands = list(random, percent, steps);
        return format!(
            "committed = \"{}\", overage = {{ evaluate = \"{evaluate}\", {bands} }}",
            decimal(random, 50, 6)
        );
    }
    match form {
        0 => format!("evaluate = \"day\", {}", list(random, false, false)),
        1 => format!("mode = \"volume\", {}", list(random, false, steps)),
        _ => list(random, false, steps),
    }
}

/// What was metered for a selection: none to four parts, with gaps.
pub fn usage(random: &mut Random, selection: &LineSelection) -> LineUsage {
    let most = if selection.per.is_some() || random.chance(2) { 4 } else { 1 };
    let mut usage = LineUsage::default();
    for number in 0..random.below(5).min(most) {
        let name = match selection.per {
            None => String::new(),
            Some(Per::Array) => format!("a{number}"),
            Some(Per::Resource) => format!("a{}/v{number}", number % 2),
        };
        let slots = slots(random, selection);
        let mut known = |slot: &Slot| Known {
            measured_ms: random.below(slot.length_ms as u64 + 1) as i64,
            last: random.below(u64::MAX),
        };
        let known = slots.iter().map(&mut known).collect();
        usage.parts.push(PartUsage { name, slots, known });
    }
    for number in 0..random.below(3) {
        let first_reading = (!random.chance(4)).then(|| selection.from.plus_ms(random.below(3_000_000_000) as i64));
        let mut observed = Vec::new();
        for slot in slots(random, selection) {
            observed.push((slot.start, slot.length_ms.min(1 + random.below(900_000) as i64)));
        }
        let handed_over = random.chance(6).then(|| selection.from.plus_ms(random.below(3_000_000_000) as i64));
        usage.arrays.push(ArrayCoverage { array: format!("a{number}"), first_reading, handed_over, observed });
    }
    usage
}

fn slots(random: &mut Random, selection: &LineSelection) -> Vec<Slot> {
    let greatest = random.pick(&[0, 1 << 20, 900_000 << 40, 900_000 << 40, 900_000 << 47, i128::MAX >> 40, i128::MAX]);
    let amount =
        |random: &mut Random| if greatest == 0 { 0 } else { (i128::from(random.below(u64::MAX)) << 63) % greatest };
    if let Grain::Window(edges) = &selection.grain {
        let ends = edges.iter().skip(1).copied().chain([selection.until]);
        let windows: Vec<(Instant, Instant)> = edges.iter().copied().zip(ends).collect();
        let kept = windows.into_iter().filter(|_| !random.chance(6)).collect::<Vec<_>>();
        return kept
            .into_iter()
            .map(|(start, end)| Slot { start, length_ms: end.0 - start.0, amount: amount(random) })
            .collect();
    }
    let length_ms = if selection.statistic == Statistic::P95 { 300_000 } else { random.pick(&[900_000, 300_000]) };
    let mut start = selection.from;
    let mut slots = Vec::new();
    while start < selection.until && slots.len() < 40 {
        slots.push(Slot { start, length_ms, amount: amount(random) });
        let gap = if random.chance(4) { random.below(400) } else { 0 };
        start = start.plus_ms(length_ms * (1 + gap as i64));
    }
    slots
}
