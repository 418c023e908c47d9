//! Usage in exact rationals: quantities, bands, commitments.

use std::collections::BTreeMap;

use num_rational::BigRational as Q;
use serde_json::Value;

use super::mistake::Mistake;
use super::oracle::{Frame, Row, dec, round, ten, whole};

/// The price after the line's discounts.
pub fn net(line: &Value, list: &Q, mistake: Mistake) -> Q {
    let percents: Vec<Q> =
        line["discounts"].as_array().into_iter().flatten().map(|discount| dec(discount, "percent").unwrap()).collect();
    let left = if mistake == Mistake::DiscountsAdded {
        whole(1) - percents.into_iter().fold(whole(0), |sum, percent| sum + percent) / whole(100)
    } else {
        percents.into_iter().fold(whole(1), |left, percent| left * (whole(100) - percent) / whole(100))
    };
    round(&(list * left), 9, false, Mistake::None)
}

struct Band {
    upper: Option<Q>,
    percent: bool,
    list: Q,
    net: Q,
    per: Option<Q>,
    flat: Option<(Q, Q)>,
}

fn bands(line: &Value, of: &Value, mistake: Mistake) -> Vec<Band> {
    let single = [of.clone()];
    let list = of["bands"].as_array().map_or(&single[..], |bands| &bands[..]);
    let band = |band: &Value| {
        let edge = band["up_to"].as_str();
        let price = dec(band, "price").unwrap_or(whole(0));
        Band {
            upper: edge.map(|edge| super::rational(edge.trim_end_matches('%'))),
            percent: edge.is_some_and(|edge| edge.ends_with('%')) && mistake != Mistake::PercentEdgeIgnored,
            net: net(line, &price, mistake),
            list: price,
            per: dec(band, "per"),
            flat: dec(band, "flat").map(|flat| (flat.clone(), net(line, &flat, mistake))),
        }
    };
    list.iter().map(band).collect()
}

/// What was used: of windows (seconds, quantity) if it was measured, and the quantity.
struct Part {
    windows: Option<Vec<(i64, Q)>>,
    exact: Q,
    quantity: Q,
}

fn given(quantity: Q) -> Part {
    Part { windows: None, exact: quantity.clone(), quantity }
}

fn size(unit: &str) -> Q {
    if unit.starts_with("TiB") { whole(1 << 40) } else { ten(if unit.starts_with("TB") { 12 } else { 0 }) }
}

/// Level × seconds between two instants, and the seconds that are known of it; both of them summed second by change.
fn area(levels: &[Value], from: i64, until: i64) -> (Q, i64) {
    let (mut area, mut known) = (whole(0), 0);
    for (index, step) in levels.iter().enumerate() {
        let start = step[0].as_i64().unwrap().max(from);
        let end = levels.get(index + 1).map_or(until, |next| next[0].as_i64().unwrap().min(until));
        if let (Some(level), true) = (step[1].as_str(), start < end) {
            area += super::rational(level) * whole(end - start);
            known += end - start;
        }
    }
    (area, known)
}

fn measured(frame: &Frame, line: &Value, (from, until): (i64, i64)) -> Part {
    let (levels, unit) = (line["levels"].as_array().unwrap(), line["unit"].as_str().unwrap());
    let days =
        frame.days.windows(2).map(|day| (day[0].max(from), day[1].min(until))).filter(|(from, until)| from < until);
    let level = |exact: Q| Part { windows: None, quantity: round(&exact, 6, false, Mistake::None), exact };
    match line["statistic"].as_str().unwrap() {
        "peak" => {
            let means = days.map(|(from, until)| area(levels, from, until).0 / whole(until - from));
            level(means.max().unwrap_or(whole(0)) / size(unit))
        }
        "p95" => {
            let slots = (from / 300..).map(|slot| ((slot * 300).max(from), (slot * 300 + 300).min(until)));
            let slots = slots.take_while(|(from, until)| from < until);
            let mut means: Vec<Q> = slots
                .map(|(from, until)| (area(levels, from, until), until - from))
                .filter(|((_, known), _)| *known > 0 || frame.mistake != Mistake::GapsLeftOut)
                .map(|((area, _), seconds)| area / whole(seconds))
                .collect();
            means.sort();
            let rank = (means.len() * 95).div_ceil(100);
            level(if rank == 0 { whole(0) } else { means[rank - 1].clone() } / size(unit))
        }
        _ => {
            let time = match unit.split_once('-').map(|(_, time)| time) {
                Some("hour") => 3_600,
                Some("month@730h") => 730 * 3_600,
                _ => frame.period,
            };
            let one = size(unit) * whole(time);
            let windows: Vec<(i64, Q)> =
                days.map(|(from, until)| (until - from, area(levels, from, until).0 / &one)).collect();
            let exact = windows.iter().fold(whole(0), |sum, (_, used)| sum + used);
            Part { windows: Some(windows), quantity: round(&exact, 6, false, Mistake::None), exact }
        }
    }
}

/// A quantity as a multiple.
fn multiple(line: &Value, quantity: &Q) -> Q {
    let to = dec(&line["round_quantity"], "to").unwrap();
    let count = quantity / &to;
    to * match line["round_quantity"]["mode"].as_str().unwrap() {
        "up" => count.ceil(),
        "down" => count.floor(),
        "half_up" => round(&count, 0, true, Mistake::None),
        _ => round(&count, 0, false, Mistake::None),
    }
}

/// The part rounded and cut down as the line says; by day the mean of each window is rounded.
fn adjusted(frame: &Frame, line: &Value, mut part: Part, by_day: bool) -> Part {
    if line["round_quantity"].is_object() {
        part = match part.windows {
            Some(windows) if by_day => {
                let means = windows.into_iter().map(|(seconds, used)| {
                    let share = Q::new(seconds.into(), frame.period.into());
                    let mean = round(&(used / &share), 6, false, Mistake::None);
                    (seconds, multiple(line, &mean) * share)
                });
                let windows: Vec<(i64, Q)> = means.collect();
                let exact = windows.iter().fold(whole(0), |sum, (_, used)| sum + used);
                Part { windows: Some(windows), quantity: round(&exact, 6, false, Mistake::None), exact }
            }
            _ => given(multiple(line, &part.quantity)),
        };
    }
    match dec(line, "ceiling") {
        Some(ceiling) if part.quantity > ceiling => given(ceiling),
        _ => part,
    }
}

/// Quantities of so many places that follow the exact ones and sum to their rounded sum.
fn apportioned(exact: &[Q], places: u32, mistake: Mistake) -> Vec<Q> {
    if mistake == Mistake::BandsRoundedAlone {
        return exact.iter().map(|exact| round(exact, places, false, Mistake::None)).collect();
    }
    let whole_sum = round(&exact.iter().fold(whole(0), |sum, one| sum + one), places, false, Mistake::None);
    let mut shares: Vec<Q> = exact.iter().map(|exact| (exact * ten(places)).floor() / ten(places)).collect();
    let mut taken = vec![false; exact.len()];
    while shares.iter().fold(whole(0), |sum, share| sum + share) < whole_sum {
        let rest = |index: usize| &exact[index] * ten(places) - (&exact[index] * ten(places)).floor();
        let free = (0..exact.len()).filter(|index| !taken[*index]);
        let next = free.reduce(|best, index| if rest(index) > rest(best) { index } else { best }).unwrap();
        taken[next] = true;
        shares[next] += whole(1) / ten(places);
    }
    shares
}

/// What of `over` lies in each band, edges being `edge_of` them.
fn split(over: &Q, bands: &[Band], edge_of: impl Fn(&Band) -> Option<Q>) -> Vec<Q> {
    let below = |edge: Option<Q>| edge.map_or(over.clone(), |edge| edge.min(over.clone()));
    let uppers: Vec<Q> = bands.iter().map(|band| below(edge_of(band))).collect();
    (0..bands.len())
        .map(|index| &uppers[index] - if index == 0 { whole(0) } else { uppers[index - 1].clone() })
        .collect()
}

type Sums = BTreeMap<(usize, usize, bool), Row>;

fn add(sums: &mut Sums, place: (usize, usize, bool), row: Row) {
    let Some(sum) = sums.get_mut(&place) else {
        sums.insert(place, row);
        return;
    };
    let plus = |a: &mut Option<Q>, b: Option<Q>| *a = a.clone().zip(b).map(|(a, b)| a + b);
    plus(&mut sum.quantity, row.quantity);
    plus(&mut sum.packages, row.packages);
    sum.exact += row.exact;
    sum.list += row.list;
    sum.used = sum.used.clone().zip(row.used).map(|((a, b), (c, d))| (a + c, b + d));
}

fn add_band(sums: &mut Sums, kind: &'static str, index: usize, band: &Band, portion: Q) {
    let packages = band.per.as_ref().map(|per| (&portion / per).ceil());
    let count = packages.clone().unwrap_or(portion.clone());
    let row = Row::plain(kind, &count * &band.net, &count * &band.list, whole(0));
    let row = Row { quantity: Some(portion), packages, price: Some(band.net.clone()), ..row };
    add(sums, (1, index, false), row);
    if let Some((list, net)) = &band.flat {
        let row = Row::plain("flat", net.clone(), list.clone(), whole(0));
        add(sums, (1, index, true), Row { quantity: Some(whole(1)), price: Some(net.clone()), ..row });
    }
}

fn plain(frame: &Frame, line: &Value, part: &Part, sums: &mut Sums) {
    let (bands, quantity) = (bands(line, line, frame.mistake), &part.quantity);
    let places = if (quantity * ten(6)).is_integer() { 6 } else { 9 };
    if let (Some(windows), true) = (&part.windows, line["evaluate"] == "day") {
        let mut exact = vec![whole(0); bands.len()];
        for (seconds, used) in windows {
            let share = Q::new((*seconds).into(), frame.period.into());
            for (sum, portion) in exact.iter_mut().zip(split(used, &bands, |band| Some(band.upper.clone()? * &share))) {
                *sum += portion;
            }
        }
        for (index, portion) in apportioned(&exact, 6, frame.mistake).into_iter().enumerate() {
            if index == 0 || portion > whole(0) {
                add_band(sums, "usage", index, &bands[index], portion);
            }
        }
        return;
    }
    let all = dec(line, "band_quantity").unwrap_or(quantity.clone());
    let exclusive = frame.mistake == Mistake::EdgeExclusive;
    let reaches = |edge: &Q| if exclusive { all >= *edge } else { all > *edge };
    let entered: Vec<(usize, Q)> = if line["mode"] == "volume" {
        let lies = bands.iter().position(|band| band.upper.as_ref().is_none_or(|edge| !reaches(edge))).unwrap();
        vec![(lies, all.clone())]
    } else {
        let portions = split(&all, &bands, |band| band.upper.clone());
        let entered = |index: &usize| *index == 0 || reaches(bands[*index - 1].upper.as_ref().unwrap());
        portions.into_iter().enumerate().filter(|(index, _)| entered(index)).collect()
    };
    let shared: Vec<Q> = if all == *quantity {
        entered.iter().map(|(_, portion)| portion.clone()).collect()
    } else {
        let exact: Vec<Q> = entered.iter().map(|(_, portion)| portion * quantity / &all).collect();
        apportioned(&exact, places, frame.mistake)
    };
    for (place, ((index, _), portion)) in entered.into_iter().zip(shared).enumerate() {
        if place == 0 || portion > whole(0) {
            add_band(sums, "usage", index, &bands[index], portion);
        }
    }
}

fn committed(frame: &Frame, line: &Value, part: &Part, seconds: i64, sums: &mut Sums) {
    let bands = bands(line, &line["overage"], frame.mistake);
    let promised = dec(&line["commitment"], "quantity").unwrap();
    let one = vec![(seconds, part.exact.clone())];
    let by_day = line["overage"]["evaluate"] != "period" && frame.mistake != Mistake::DayOveragePerPeriod;
    let windows = part.windows.as_ref().filter(|_| by_day).unwrap_or(&one);
    let in_full = windows == &one && !(by_day && part.windows.is_some());
    let mut exact = vec![whole(0); bands.len()];
    for (seconds, used) in windows {
        let share = Q::new((*seconds).into(), frame.period.into());
        let over = (used - &promised * &share).max(whole(0));
        let edge = |band: &Band| {
            let upper = band.upper.clone()?;
            Some(match band.percent {
                true => upper / whole(100) * &promised * &share,
                false if in_full => upper,
                false => upper * &share,
            })
        };
        for (sum, portion) in exact.iter_mut().zip(split(&over, &bands, edge)) {
            *sum += portion;
        }
    }
    let places = if (&part.quantity * ten(6)).is_integer() { 6 } else { 9 };
    let portions = apportioned(&exact, places, frame.mistake);
    let over = portions.iter().fold(whole(0), |sum, portion| sum + portion);
    for (index, portion) in portions.into_iter().enumerate().filter(|(_, portion)| *portion > whole(0)) {
        add_band(sums, "overage", index, &bands[index], portion);
    }
    let share = if frame.mistake == Mistake::CommitmentUnprorated {
        whole(1)
    } else {
        Q::new(seconds.into(), frame.period.into())
    };
    let quantity = round(&(&promised * share), 6, false, Mistake::None);
    let used = (&part.quantity - over).max(whole(0)).min(quantity.clone());
    let list = dec(&line["commitment"], "price").unwrap();
    let price = net(line, &list, frame.mistake);
    let row = Row::plain("commitment", &quantity * &price, &quantity * list, whole(0));
    let used = Some((used.clone(), &quantity - used));
    add(sums, (0, 0, false), Row { quantity: Some(quantity), price: Some(price), used, ..row });
}

/// The rows of a line's usage, or of this quantity instead.
pub fn rows(frame: &Frame, line: &Value, active: (i64, i64), instead: Option<Q>) -> Vec<Row> {
    let by_day =
        if line["overage"].is_object() { line["overage"]["evaluate"] != "period" } else { line["evaluate"] == "day" };
    let levels = line["levels"].as_array().filter(|_| instead.is_none());
    let parts: Vec<Part> = match (&instead, &line["quantities"]) {
        (Some(quantity), _) => vec![given(quantity.clone())],
        (None, Value::Array(parts)) => {
            parts.iter().map(|part| given(super::rational(part.as_str().unwrap()))).collect()
        }
        (None, _) if levels.is_some() => vec![measured(frame, line, active)],
        (None, _) => vec![given(dec(line, "quantity").unwrap())],
    };
    let mut sums = Sums::new();
    for part in parts {
        let part = adjusted(frame, line, part, by_day);
        if line["overage"].is_object() {
            committed(frame, line, &part, active.1 - active.0, &mut sums);
        } else {
            plain(frame, line, &part, &mut sums);
        }
    }
    let coverage = levels.and_then(|levels| {
        let from = active.0.max(levels[0][0].as_i64().unwrap());
        let (known, expected) = (area(levels, active.0, active.1).1, active.1 - from);
        let shown = round(&Q::new(known.into(), expected.max(1).into()), 6, false, Mistake::None);
        let most = if known == expected { whole(1) } else { whole(1) - whole(1) / ten(6) };
        (expected > 0).then(|| shown.min(most))
    });
    let finish = |row: Row| {
        let (amount, list) = (frame.amount(&row.exact), frame.amount(&row.list));
        Row { amount, list, coverage: coverage.clone(), ..row }
    };
    sums.into_values().map(finish).collect()
}
