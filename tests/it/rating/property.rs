//! What holds of every rating, whatever was metered and however it is priced.

use num_rational::BigRational as Q;
use plimsoll::core::book::Book;
use plimsoll::core::pricing::period::{Period, period};
use plimsoll::core::pricing::rating::{Rating, rate};
use plimsoll::core::pricing::row_kind::RowKind;
use plimsoll::core::pricing::usage::{LineUsage, PartUsage, Slot};

use super::book::{Terms, parse};
use crate::cases::check;
use crate::quote::random::Random;

/// September 2026 in UTC: thirty days of the same length.
const DAYS: u64 = 30;
const DAY_MS: i64 = 86_400_000;
/// Bytes of a millionth of a TB.
const MICRO_TB: i128 = 1_000_000;

/// A contract with a line `u` of TB-months at these prices; the line has more keys.
fn book(prices: &[String], line: &str) -> Book {
    let from = ["", "from = 2026-09-11, "];
    let rate = |(from, price): (&&str, &String)| {
        format!(
            r#"{{ id = "u", {from}meter = "effective_used", of = "volume", unit = "TB-month", statistic = "mean", {price} }}"#
        )
    };
    let terms = Terms {
        rates: from.iter().zip(prices).map(rate).collect(),
        lines: vec![format!("{{ rate = \"u\"{line} }}")],
        contract: "time_zone = \"UTC\"\nfrom = 2026-01-01".to_owned(),
    };
    parse(&terms.text()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn september(book: &Book) -> Period {
    period(&book.contracts["c"], "2026-09").unwrap()
}

fn rated(book: &Book, parts: Vec<PartUsage>) -> Rating {
    let usage = LineUsage { parts, arrays: Vec::new() };
    rate(book, "c", None, &september(book), &[usage]).unwrap_or_else(|error| panic!("{error}"))
}

/// A part with an amount each day.
fn part(book: &Book, name: &str, amounts: impl IntoIterator<Item = i128>) -> PartUsage {
    let start = september(book).start;
    let slot = |(day, amount): (i64, i128)| Slot { start: start.plus_ms(day * DAY_MS), length_ms: DAY_MS, amount };
    PartUsage { name: name.to_owned(), slots: (0..).zip(amounts).map(slot).collect(), known: Vec::new() }
}

/// All month at this level, in millionths of a TB.
fn level(book: &Book, micro: u64) -> Vec<PartUsage> {
    let amount = i128::from(micro) * MICRO_TB * i128::from(DAY_MS);
    vec![part(book, "", std::iter::repeat_n(amount, DAYS as usize))]
}

/// Random amounts of each day, up to 400 TB.
fn days(random: &mut Random) -> Vec<i128> {
    (0..DAYS).map(|_| i128::from(random.below(400 << 40)) * i128::from(DAY_MS)).collect()
}

/// One to four bands: edges in thousandths, prices in ten-thousandths, `times` as great.
fn bands(random: &mut Random, edge_sign: &str, (edges, prices): (u64, u64)) -> (String, Vec<(Option<u64>, u64)>) {
    let (count, mut edge) = (1 + random.below(4), 0);
    let mut list = Vec::new();
    let band = |index: u64| {
        edge += 1 + random.below(90_000);
        let price = random.below(500_000);
        list.push(((index + 1 < count).then_some(edge), price));
        let up_to = if index + 1 < count {
            format!("up_to = \"{}{edge_sign}\", ", decimal(edge * edges, 3))
        } else {
            String::new()
        };
        format!("{{ {up_to}price = \"{}\" }}", decimal(price * prices, 4))
    };
    let text = format!("bands = [{}]", (0..count).map(band).collect::<Vec<_>>().join(", "));
    (text, list)
}

fn decimal(number: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    format!("{}.{:0width$}", number / scale, number % scale, width = places as usize)
}

/// A price of any form that a window or the whole may have, with its line's keys.
fn price(random: &mut Random) -> (String, String) {
    let form = random.below(5);
    let evaluate = random.pick(&["day", "period"]);
    let sign = random.pick(&["", "%"]);
    let committed = form > 2;
    let (bands, _) = bands(random, if committed { sign } else { "" }, (1, 1));
    match form {
        0 => (bands, String::new()),
        1 => (format!("mode = \"volume\", {bands}"), String::new()),
        2 => (format!("evaluate = \"day\", {bands}"), String::new()),
        _ => {
            let commitment = format!(", commitment = \"{}\"", random.decimal(300, 6));
            (format!("committed = \"24\", overage = {{ evaluate = \"{evaluate}\", {bands} }}"), commitment)
        }
    }
}

fn quantity(rating: &Rating, kinds: &[RowKind]) -> i128 {
    rating.rows.iter().filter(|row| kinds.contains(&row.kind)).map(|row| row.quantity.unwrap().mantissa).sum()
}

/// Σ amounts before rounding, in 10^-15.
fn unrounded(rating: &Rating) -> i128 {
    rating.rows.iter().map(|row| row.unrounded.shown().unwrap().mantissa).sum()
}

/// Quantities in billionths of a TB-month, half to even at six places.
fn wanted(amounts: &[i128]) -> i128 {
    let one = 1_000_000 * MICRO_TB * i128::from(DAYS) * i128::from(DAY_MS);
    let exact = Q::new((amounts.iter().sum::<i128>() * 1_000_000).into(), one.into());
    let (floor, half) = (exact.floor(), Q::new(1.into(), 2.into()));
    let off = &exact - &floor;
    let floor: i128 = floor.to_integer().try_into().unwrap();
    (floor + i128::from(off > half || (off == half && floor % 2 == 1))) * 1_000
}

/// Σ quantities of the rows is the quantity; of a commitment what was used of it and the overage are.
#[test]
fn quantities_of_bands_sum_to_the_quantity() {
    check("rating: quantities of bands", 2_000, |seed| {
        let mut random = Random::new(seed);
        let (price, keys) = price(&mut random);
        let (later, _) = bands(&mut random, "", (1, 1));
        let twice = random.chance(2) && price.starts_with("bands");
        let prices = if twice { vec![price, later] } else { vec![price] };
        let (book, amounts) = (book(&prices, &keys), days(&mut random));
        let rating = rated(&book, vec![part(&book, "", amounts.clone())]);
        let whole = quantity(&rating, &[RowKind::Usage, RowKind::Overage]);
        let used = rating.rows.iter().filter_map(|row| row.used).map(|used| used.nano()).sum::<i128>();
        // what is used and what is above are rounded each
        let most = if keys.is_empty() { 0 } else { 1_000 };
        assert!((whole + used - wanted(&amounts)).abs() <= most, "seed {seed}: {:?}", rating.rows);
        for row in rating.rows.iter().filter(|row| row.kind == RowKind::Commitment) {
            assert_eq!(row.used.unwrap().nano() + row.unused.unwrap().nano(), row.quantity.unwrap().mantissa);
        }
    });
}

/// At an edge nothing jumps: the next millionth costs a millionth of the next band's price.
#[test]
fn graduated_prices_are_continuous_at_edges() {
    check("rating: continuity", 1_000, |seed| {
        let mut random = Random::new(seed);
        let (price, list) = bands(&mut random, "", (1, 1));
        let book = book(&[price], "");
        for (index, (edge, price)) in list.iter().enumerate().filter_map(|(i, band)| Some((i, (band.0?, band.1)))) {
            let at = |micro: u64| unrounded(&rated(&book, level(&book, micro)));
            let (below, on, above) = (at(edge * 1_000 - 1), at(edge * 1_000), at(edge * 1_000 + 1));
            assert_eq!(on - below, i128::from(price) * 100_000, "seed {seed}, edge {edge}");
            assert_eq!(above - on, i128::from(list[index + 1].1) * 100_000, "seed {seed}, edge {edge}");
        }
    });
}

/// More is never cheaper, but where volume prices say so.
#[test]
fn more_never_costs_less() {
    check("rating: monotonic", 1_000, |seed| {
        let mut random = Random::new(seed);
        let (price, keys) = price(&mut random);
        if price.starts_with("mode") {
            return;
        }
        let book = book(&[price], &keys);
        let (first, more) = (random.below(400_000_000), 1 + random.below(100_000_000));
        let [one, next, other] = [first, first + 1, first + more].map(|micro| rated(&book, level(&book, micro)));
        assert!(one.subtotal <= next.subtotal && next.subtotal <= other.subtotal, "seed {seed}");
    });
}

/// Neither the order of parts nor that of segments matters.
#[test]
fn the_order_of_parts_and_segments_does_not_matter() {
    check("rating: order", 1_000, |seed| {
        let mut random = Random::new(seed);
        let (price, keys) = price(&mut random);
        let per = random.pick(&["", ", per = \"resource\""]);
        let apart = book(&[price], &format!("{keys}{per}"));
        let mut parts: Vec<PartUsage> =
            (0..1 + random.below(5)).map(|n| part(&apart, &format!("a/{n}"), days(&mut random))).collect();
        let before = rated(&apart, parts.clone());
        let last = parts.len() - 1;
        parts.swap(0, last);
        parts.rotate_left(last / 2);
        assert_eq!(rated(&apart, parts), before, "seed {seed}");
        // ten days at one price and twenty at another, then the other way round
        let (one, other) = (bands(&mut random, "", (1, 1)).0, bands(&mut random, "", (1, 1)).0);
        let forth = book(&[one.clone(), other.clone()], "");
        let mut back = book(&[other, one], "");
        let rates = &mut back.cards.get_mut("k").unwrap().rates;
        let later = plimsoll::core::book::model::BookDate::Day(chrono::NaiveDate::from_ymd_opt(2026, 9, 21).unwrap());
        rates[1].from = Some(later);
        let amounts = days(&mut random);
        let rows = |rating: Rating| {
            let mut rows: Vec<String> =
                rating.rows.iter().map(|row| format!("{:?} {:?} {}", row.quantity, row.price, row.amount)).collect();
            rows.sort();
            (rows, rating.subtotal)
        };
        let reversed: Vec<i128> = amounts.iter().rev().copied().collect();
        let (forth, back) =
            (rated(&forth, vec![part(&forth, "", amounts)]), rated(&back, vec![part(&back, "", reversed)]));
        assert_eq!(rows(forth), rows(back), "seed {seed}");
    });
}

/// Rows sum to subtotal and saving.
#[test]
fn rows_sum_to_the_total() {
    check("rating: rows and totals", 1_000, |seed| {
        let mut random = Random::new(seed);
        let (price, keys) = price(&mut random);
        let mut book = book(&[price], &keys);
        let contract = book.contracts.get_mut("c").unwrap();
        let minimum = random.below(20_000);
        contract.minimum = random.chance(2).then(|| minimum.into());
        contract.maximum = random.chance(2).then(|| (minimum + random.below(9_000)).into());
        let rating = rated(&book, vec![part(&book, "", days(&mut random))]);
        assert_eq!(rating.subtotal, rating.rows.iter().map(|row| row.amount).sum::<i128>(), "seed {seed}");
        let lists = rating.rows.iter().map(|row| row.list_amount).sum::<i128>();
        assert_eq!(rating.saving, lists - rating.subtotal, "seed {seed}");
        let contract = &book.contracts["c"];
        let minor = |limit: rust_decimal::Decimal| limit.mantissa() * 100;
        assert!(contract.minimum.is_none_or(|minimum| rating.subtotal >= minor(minimum)), "seed {seed}");
        assert!(contract.maximum.is_none_or(|maximum| rating.subtotal <= minor(maximum)), "seed {seed}");
        for row in
            rating.rows.iter().filter(|row| matches!(row.kind, RowKind::Usage | RowKind::Overage | RowKind::Commitment))
        {
            let exact = row.quantity.unwrap().mantissa * row.price.unwrap().mantissa;
            assert!((exact - row.amount * 10i128.pow(16)).abs() <= 5 * 10i128.pow(15), "seed {seed}: {row:?}");
        }
    });
}

/// Prices k times as great cost k times as much; usage and edges k times as great do too.
#[test]
fn amounts_scale_with_prices_and_with_usage() {
    check("rating: scaling", 1_000, |seed| {
        let times = 2 + Random::new(seed).below(9);
        let mode = if seed % 2 == 0 { "mode = \"volume\", " } else { "" };
        let priced = |edges: u64, prices: u64| {
            let mut random = Random::new(seed);
            let (bands, _) = bands(&mut random, "", (edges, prices));
            let book = book(&[format!("{mode}{bands}")], "");
            let rating = rated(&book, level(&book, random.below(400_000_000) * edges));
            (unrounded(&rating), quantity(&rating, &[RowKind::Usage]))
        };
        let (one, dearer, more) = (priced(1, 1), priced(1, times), priced(times, 1));
        let times = i128::from(times);
        assert_eq!((dearer.0, dearer.1), (one.0 * times, one.1), "seed {seed}");
        assert_eq!((more.0, more.1), (one.0 * times, one.1 * times), "seed {seed}");
    });
}
