//! What holds of every quote, whatever its numbers are.

use num_rational::BigRational as Q;
use plimsoll::core::quote::quote;
use serde_json::{Value, json};

use super::oracle::{ten, whole};
use super::random::Random;
use super::rational;
use crate::cases::check;

fn quoted(line: &Value) -> Value {
    quoted_lines(std::slice::from_ref(line))
}

fn quoted_lines(lines: &[Value]) -> Value {
    let request = json!({"schema": "plimsoll.quote/1", "currency": "EUR", "period_seconds": 2_592_000, "lines": lines});
    let response = quote(&request.to_string()).unwrap_or_else(|refusal| panic!("{refusal}: {request}"));
    serde_json::to_value(response).unwrap()
}

fn sum(response: &Value, kinds: &[&str], field: &str) -> Q {
    let rows = response["lines"].as_array().unwrap().iter();
    let rows = rows.filter(|row| kinds.is_empty() || kinds.contains(&row["kind"].as_str().unwrap()));
    rows.fold(whole(0), |sum, row| sum + row[field].as_str().map_or(whole(0), rational))
}

fn number(response: &Value, field: &str) -> Q {
    rational(response[field].as_str().unwrap())
}

/// A whole number of last places as a decimal.
fn decimal(number: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    format!("{}.{:0width$}", number / scale, number % scale, width = places as usize)
}

/// One to four bands: edges in thousandths, prices in ten-thousandths.
struct Bands(Vec<(Option<u64>, u64)>);

impl Bands {
    fn random(random: &mut Random) -> Self {
        let count = 1 + random.below(4);
        let mut edge = 0;
        let band = |index| {
            edge += 1 + random.below(100_000);
            ((index + 1 < count).then_some(edge), random.below(500_000))
        };
        Self((0..count).map(band).collect())
    }

    /// As JSON, edges and prices this many times as great.
    fn json(&self, edges: u64, prices: u64) -> Value {
        let band = |(edge, price): &(Option<u64>, u64)| {
            let mut band = json!({"price": decimal(price * prices, 4)});
            if let Some(edge) = edge {
                band["up_to"] = json!(decimal(edge * edges, 3));
            }
            band
        };
        self.0.iter().map(band).collect()
    }
}

/// Σ quantities of the rows is the quantity, also where another quantity finds the bands.
#[test]
fn quantities_of_bands_sum_to_the_quantity() {
    check("quote: quantities of bands", 2_000, |seed| {
        let mut random = Random::new(seed);
        let (bands, quantity) = (Bands::random(&mut random), random.decimal(500, 6));
        let mut line = json!({"quantity": quantity, "bands": bands.json(1, 1)});
        if random.chance(2) {
            line["band_quantity"] = json!((1 + random.below(500)).to_string());
        }
        let response = quoted(&line);
        assert_eq!(sum(&response, &["usage"], "quantity"), rational(&quantity), "{line}");
        let zeros = response["lines"].as_array().unwrap().iter().skip(1).filter(|row| row["quantity"] == "0");
        assert_eq!(zeros.count(), 0, "{line}");
        let line = json!({"quantity": quantity, "commitment": {"quantity": random.decimal(300, 3), "price": "24"},
            "overage": {"bands": bands.json(1, 1)}});
        let response = quoted(&line);
        let used = sum(&response, &[], "used") + sum(&response, &["overage"], "quantity");
        assert_eq!(used, rational(&quantity), "{line}");
    });
}

/// At an edge nothing jumps: the next millionth costs a millionth of the next band's price.
#[test]
fn graduated_prices_are_continuous_at_edges() {
    check("quote: continuity", 2_000, |seed| {
        let mut random = Random::new(seed);
        let bands = Bands::random(&mut random);
        for (index, (edge, price)) in bands.0.iter().enumerate().filter_map(|(i, band)| Some((i, (band.0?, band.1)))) {
            let at = |micro: u64| {
                let line = json!({"quantity": decimal(micro, 6), "bands": bands.json(1, 1)});
                number(&quoted(&line), "unrounded")
            };
            let (below, on, above) = (at(edge * 1_000 - 1), at(edge * 1_000), at(edge * 1_000 + 1));
            assert_eq!((&on - below) * ten(10), whole(price as i64), "seed {seed}, edge {edge}");
            assert_eq!((above - on) * ten(10), whole(bands.0[index + 1].1 as i64), "seed {seed}, edge {edge}");
        }
    });
}

/// More is never cheaper: of graduated prices with packages and flats, and of commitments.
#[test]
fn more_never_costs_less() {
    check("quote: monotonic", 2_000, |seed| {
        let mut random = Random::new(seed);
        let mut line = serde_json::Map::new();
        random.prices(&mut line, false);
        let mut overage = serde_json::Map::new();
        random.prices(&mut overage, true);
        let commitment = json!({"quantity": "50", "price": "24"});
        let first = random.below(400_000_000);
        let mut quantities = [first, first + random.below(3), random.below(400_000_000)];
        quantities.sort_unstable();
        for of in [json!(line), json!({"commitment": commitment, "overage": overage})] {
            let totals = quantities.map(|micro| {
                let mut line = of.clone();
                line["quantity"] = json!(decimal(micro, 6));
                let response = quoted(&line);
                [number(&response, "total"), number(&response, "unrounded")]
            });
            let rise = |pair: &[[Q; 2]]| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1];
            assert!(totals.windows(2).all(rise), "{quantities:?} {of}");
        }
    });
}

/// Neither the order of parts nor that of segments matters, and segments of equal prices cost what one of them would.
#[test]
fn the_order_of_parts_and_segments_does_not_matter() {
    check("quote: order", 2_000, |seed| {
        let mut random = Random::new(seed);
        let (one, other) = (Bands::random(&mut random), Bands::random(&mut random));
        let mut parts: Vec<String> = (0..1 + random.below(5)).map(|_| random.decimal(400, 6)).collect();
        let priced = |parts: &[String]| quoted(&json!({"quantities": parts, "bands": one.json(1, 1)}))["lines"].clone();
        let before = priced(&parts);
        let last = parts.len() - 1;
        parts.swap(0, last);
        parts.rotate_left(last / 2);
        assert_eq!(priced(&parts), before, "seed {seed}");
        let shares = [0, 1].map(|_| random.below(200_000_000));
        let all = decimal(shares[0] + shares[1] + 1, 6);
        let segment = |share: u64, bands: &Bands| json!({"id": share.to_string(), "quantity": decimal(share, 6), "band_quantity": all, "bands": bands.json(1, 1)});
        let lines = [segment(shares[0], &one), segment(shares[1] + 1, &other)];
        let (forth, back) = (quoted_lines(&lines), quoted_lines(&[lines[1].clone(), lines[0].clone()]));
        let sorted = |response: &Value| {
            let mut rows: Vec<String> = response["lines"].as_array().unwrap().iter().map(Value::to_string).collect();
            rows.sort();
            rows
        };
        assert_eq!((sorted(&forth), &forth["total"]), (sorted(&back), &back["total"]), "seed {seed}");
        let alike = quoted_lines(&[segment(shares[0], &one), segment(shares[1] + 1, &one)]);
        let at_once = quoted(&json!({"quantity": all, "bands": one.json(1, 1)}));
        let off = number(&alike, "unrounded") - number(&at_once, "unrounded");
        // at most a millionth a row, of a price below 50
        assert!(off.clone() * ten(6) <= whole(400) && off * ten(6) >= whole(-400), "seed {seed}");
    });
}

/// Rows sum to subtotal and saving, credits and tax to the total.
#[test]
fn rows_sum_to_the_total() {
    check("quote: rows and totals", 2_000, |seed| {
        let request = Random::new(seed).request();
        let response = serde_json::to_value(quote(&request.to_string()).unwrap()).unwrap();
        assert_eq!(sum(&response, &[], "amount"), number(&response, "subtotal"), "{request}");
        let credits = response["credits"].as_array().unwrap().iter();
        let applied = credits.fold(whole(0), |sum, credit| sum + rational(credit["applied"].as_str().unwrap()));
        assert!(applied == whole(0) || applied <= number(&response, "subtotal"), "{request}");
        let total = number(&response, "subtotal") - applied + number(&response, "tax");
        assert_eq!(total, number(&response, "total"), "{request}");
        let exact = sum(&response, &[], "unrounded") - number(&response, "unrounded");
        let rows = response["lines"].as_array().unwrap().len() as i64;
        assert!(exact.clone() * ten(15) <= whole(rows) && exact * ten(15) >= whole(-rows), "{request}");
    });
}

/// Prices k times as great cost k times as much; quantities and edges k times as great do too.
#[test]
fn amounts_scale_with_prices_and_with_quantities() {
    check("quote: scaling", 2_000, |seed| {
        let mut random = Random::new(seed);
        let (bands, quantity, times) = (Bands::random(&mut random), random.below(500_000_000), 2 + random.below(9));
        let mode = random.pick(&["graduated", "volume"]);
        let priced = |quantities: u64, prices: u64| {
            let bands = bands.json(quantities, prices);
            quoted(&json!({"quantity": decimal(quantity * quantities, 6), "bands": bands, "mode": mode}))
        };
        let (one, dearer, more) = (priced(1, 1), priced(1, times), priced(times, 1));
        let times = whole(times as i64);
        assert_eq!(number(&dearer, "unrounded"), number(&one, "unrounded") * &times, "seed {seed}");
        assert_eq!(sum(&dearer, &[], "quantity"), sum(&one, &[], "quantity"), "seed {seed}");
        assert_eq!(number(&more, "unrounded"), number(&one, "unrounded") * &times, "seed {seed}");
        assert_eq!(sum(&more, &[], "quantity"), sum(&one, &[], "quantity") * times, "seed {seed}");
    });
}
