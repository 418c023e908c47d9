//! PRICING in exact rationals.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone};
use num_rational::BigRational as Q;
use serde_json::Value;

use super::mistake::Mistake;
use super::rational;
use super::usage;

/// A whole number as a rational.
pub fn whole(number: i64) -> Q {
    Q::from_integer(number.into())
}

/// 10^places.
pub fn ten(places: u32) -> Q {
    (0..places).fold(whole(1), |power, _| power * whole(10))
}

/// The decimal of a key.
pub fn dec(of: &Value, key: &str) -> Option<Q> {
    of[key].as_str().map(rational)
}

/// How amounts and quantities are rounded to so many places.
pub fn round(exact: &Q, places: u32, half_up: bool, mistake: Mistake) -> Q {
    let scaled = exact * ten(places);
    let size = if scaled < whole(0) { -scaled.clone() } else { scaled.clone() };
    let (floor, half) = (size.floor(), Q::new(1.into(), 2.into()));
    let off = &size - &floor;
    let odd = (&floor / whole(2)).floor() * whole(2) != floor;
    let tie_up = if half_up { mistake != Mistake::HalfUpTowardsInfinity || scaled > whole(0) } else { odd };
    let up = off > half || (off == half && tie_up);
    let size = if up { floor + whole(1) } else { floor };
    (if scaled < whole(0) { -size } else { size }) / ten(places)
}

/// The shortest form of at most so many places.
pub fn text(exact: &Q, places: u32) -> String {
    let padded = padded(&round(exact, places, false, Mistake::None), places);
    if padded.contains('.') { padded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { padded }
}

/// With exactly so many places.
pub fn padded(exact: &Q, places: u32) -> String {
    let scaled = exact * ten(places);
    assert!(scaled.is_integer());
    let digits = scaled.to_integer().to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", &*digits), |digits| ("-", digits));
    let digits = format!("{digits:0>width$}", width = places as usize + 1);
    let (before, after) = digits.split_at(digits.len() - places as usize);
    if after.is_empty() { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") }
}

/// What all lines share.
pub struct Frame {
    pub period: i64,
    /// Seconds at which days begin, from 0, and the period's end.
    pub days: Vec<i64>,
    pub places: u32,
    pub half_up: bool,
    pub mistake: Mistake,
}

impl Frame {
    fn of(request: &Value, mistake: Mistake) -> Self {
        let places = match request["currency"].as_str().unwrap() {
            "JPY" => 0,
            "KWD" => 3,
            "CLF" => 4,
            _ => 2,
        };
        let half_up = request["rounding"]["mode"] == "half_up";
        let (period, days) = if request["period"].is_object() {
            let at =
                |key: &str| DateTime::parse_from_rfc3339(request["period"][key].as_str().unwrap()).unwrap().timestamp();
            let zone: chrono_tz::Tz = request["period"]["time_zone"].as_str().unwrap().parse().unwrap();
            let date = |second: i64| zone.timestamp_opt(second, 0).unwrap().date_naive();
            let (start, end) = (at("start"), at("end"));
            let quarters = (start + 900..end).step_by(900);
            let changes = quarters.filter(|second| date(*second) != date(*second - 900));
            (end - start, std::iter::once(0).chain(changes.map(|second| second - start)).chain([end - start]).collect())
        } else {
            let period = request["period_seconds"].as_i64().unwrap_or(1);
            (period, (0..period).step_by(86_400).chain([period]).collect())
        };
        Self { period, days, places, half_up, mistake }
    }

    /// An amount as it is billed.
    pub fn amount(&self, exact: &Q) -> Q {
        round(exact, self.places, self.half_up, self.mistake)
    }
}

/// A row.
#[derive(Clone)]
pub struct Row {
    pub kind: &'static str,
    pub quantity: Option<Q>,
    pub packages: Option<Q>,
    pub price: Option<Q>,
    pub exact: Q,
    pub list: Q,
    pub amount: Q,
    pub used: Option<(Q, Q)>,
    pub coverage: Option<Q>,
}

impl Row {
    pub fn plain(kind: &'static str, exact: Q, list: Q, amount: Q) -> Self {
        Self { kind, quantity: None, packages: None, price: None, exact, list, amount, used: None, coverage: None }
    }

    fn words(&self, line: &str, places: u32) -> String {
        let show = |number: &Option<Q>, places| number.as_ref().map_or("-".to_owned(), |number| text(number, places));
        let (used, unused) = self.used.clone().unzip();
        [
            line.to_owned(),
            self.kind.to_owned(),
            show(&self.quantity, 20),
            show(&self.packages, 0),
            show(&self.price, 20),
            text(&self.exact, 15),
            padded(&self.amount, places),
            show(&used, 20),
            show(&unused, 20),
            show(&self.coverage, 6),
        ]
        .join(" ")
    }
}

/// (from, until) of `active_seconds`.
fn active(of: &Value, otherwise: (i64, i64)) -> (i64, i64) {
    let ends = &of["active_seconds"];
    ends.as_array().map_or(otherwise, |ends| (ends[0].as_i64().unwrap(), ends[1].as_i64().unwrap()))
}

fn total(rows: &[Row]) -> Q {
    rows.iter().fold(whole(0), |sum, row| sum + &row.amount)
}

fn limit(frame: &Frame, of: &Value, seconds: i64, rows: &mut Vec<Row>) {
    let part = Q::new(seconds.into(), frame.period.into());
    for (kind, up) in [("minimum", true), ("maximum", false)] {
        let Some(limit) = dec(of, kind) else { continue };
        let (charged, exact) = (total(rows), limit * &part);
        let missing = frame.amount(&exact) - &charged;
        if (up && missing > whole(0)) || (!up && missing < whole(0)) {
            rows.push(Row::plain(kind, exact - charged, missing.clone(), missing));
        }
    }
}

fn billed(frame: &Frame, amount: Q) -> Row {
    let rounded = frame.amount(&-amount.clone());
    Row::plain("billed", -amount, rounded.clone(), rounded)
}

/// The rows of a line.
fn line(frame: &Frame, line: &Value, active: (i64, i64), before: &BTreeMap<String, Vec<Row>>) -> Vec<Row> {
    let seconds = active.1 - active.0;
    let part = Q::new(seconds.into(), frame.period.into());
    let mut rows = if let Some(fee) = dec(line, "fee") {
        let net = usage::net(line, &fee, frame.mistake);
        let (exact, list) = (&net * &part, frame.amount(&(fee * &part)));
        let amount = frame.amount(&exact);
        let quantity = Some(round(&part, 9, false, Mistake::None));
        vec![Row { quantity, price: Some(net), ..Row::plain("fee", exact, list, amount) }]
    } else if line["share"].is_object() {
        let of: std::collections::BTreeSet<&str> =
            line["share"]["of"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let rows = of.iter().flat_map(|id| &before[*id]);
        let base = rows.fold(whole(0), |sum, row| {
            sum + if frame.mistake == Mistake::ShareOfUnrounded { &row.exact } else { &row.amount }
        });
        let percent = dec(&line["share"], "percent").unwrap() / whole(100);
        let exact = &base * &percent;
        let amount = frame.amount(&exact);
        vec![Row { quantity: Some(base), price: Some(percent), ..Row::plain("share", exact, amount.clone(), amount) }]
    } else {
        usage::rows(frame, line, active, None)
    };
    limit(frame, line, seconds, &mut rows);
    if let Some(amount) = dec(&line["billed"], "amount") {
        rows.push(billed(frame, amount));
    }
    if let Some(quantity) = dec(&line["billed"], "quantity") {
        let mut other = usage::rows(frame, line, active, Some(quantity));
        limit(frame, line, seconds, &mut other);
        let sum = |of: fn(&Row) -> &Q| -other.iter().fold(whole(0), |sum, row| sum + of(row));
        rows.push(Row::plain("billed", sum(|row| &row.exact), sum(|row| &row.list), sum(|row| &row.amount)));
    }
    rows
}

/// A request's rows, credits and totals in words.
pub fn price(request: &Value, mistake: Mistake) -> Vec<String> {
    let frame = Frame::of(request, mistake);
    let whole_time = active(request, (0, frame.period));
    let mut by_line: Vec<(String, Vec<Row>)> = Vec::new();
    for of in request["lines"].as_array().unwrap() {
        let before = by_line.iter().cloned().collect();
        let rows = line(&frame, of, active(of, whole_time), &before);
        by_line.push((of["id"].as_str().unwrap().to_owned(), rows));
    }
    if request["combine"] == "greatest" {
        let most = by_line.iter().map(|(_, rows)| total(rows)).max().unwrap();
        by_line = vec![by_line.into_iter().find(|(_, rows)| total(rows) == most).unwrap()];
    }
    let mut words: Vec<String> =
        by_line.iter().flat_map(|(id, rows)| rows.iter().map(|row| row.words(id, frame.places))).collect();
    let mut rows: Vec<Row> = by_line.into_iter().flat_map(|(_, rows)| rows).collect();
    let lines = rows.len();
    limit(&frame, request, whole_time.1 - whole_time.0, &mut rows);
    rows.extend(dec(&request["billed"], "amount").map(|amount| billed(&frame, amount)));
    words.extend(rows[lines..].iter().map(|row| row.words("-", frame.places)));
    let subtotal = total(&rows);
    let mut net = subtotal.clone();
    for (index, credit) in request["credits"].as_array().into_iter().flatten().enumerate() {
        let granted = frame.amount(&dec(credit, "amount").unwrap());
        let applied = granted.clone().min(net.clone()).max(whole(0));
        net -= &applied;
        let (applied, left) = (padded(&applied, frame.places), padded(&(granted - &applied), frame.places));
        words.push(format!("{} {applied} {left}", index + 1));
    }
    let tax = frame.amount(&(&net * dec(request, "tax_percent").unwrap_or(whole(0)) / whole(100)));
    let saving = rows.iter().fold(whole(0), |sum, row| sum + &row.list) - &subtotal;
    let exact = rows.iter().fold(whole(0), |sum, row| sum + &row.exact);
    let amounts = [subtotal, saving, tax.clone(), net + tax].map(|amount| padded(&amount, frame.places));
    words.push(format!("{} {}", amounts.join(" "), text(&exact, 15)));
    words
}
