//! The contracts over the metered usage, and their amounts in exact rationals from the oracle's cells.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use num_rational::BigRational as Q;

use super::oracle::{CellKey, Cells};
use crate::quote::mistake::Mistake;
use crate::quote::oracle::{round, whole};
use crate::stage::book::{self as pieces, contract, customer, meter, provider, vendor};

const GIB: i64 = 1 << 30;
const DAY_S: i64 = 86_400;
/// What the wholesale contract commits to, in GiB.
const COMMITMENT_GIB: i64 = 60_000;

/// The month in which the whole run lies.
#[derive(Clone, Copy, Debug)]
pub struct Month(NaiveDate);

impl Month {
    /// The last month that has ended.
    pub fn last() -> Self {
        let today = chrono::Utc::now().date_naive();
        Self(today.with_day(1).unwrap().pred_opt().unwrap().with_day(1).unwrap())
    }

    /// Its first instant.
    pub fn start_s(self) -> i64 {
        self.0.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp()
    }

    /// Its name on the command line.
    pub fn label(self) -> String {
        self.0.format("%Y-%m").to_string()
    }

    fn seconds(self) -> i64 {
        i64::from(self.0.num_days_in_month()) * DAY_S
    }
}

/// The price book. `deltas` says whether the meter of deltas is defined and priced already: a later book adds it.
pub fn book(month: Month, deltas: bool) -> String {
    let (more, rate, line) = match deltas {
        true => (
            meter("written", "delta"),
            r#"{ id = "written", meter = "written", of = "volume", unit = "GiB", statistic = "sum", price = "1.25", per = "7" },"#,
            r#", { rate = "written" }"#,
        ),
        false => (String::new(), "", ""),
    };
    let from = month.0.to_string();
    let bought = format!("line = [{{ rate = \"array\", commitment = \"{COMMITMENT_GIB}\" }}]");
    let sold = format!("line = [{{ rate = \"volume\" }}, {{ rate = \"read\" }}{line}]");
    pieces::book([
        meter("used", "gauge"),
        meter("read", "counter"),
        more,
        vendor("v"),
        provider("p"),
        customer("p", "acme"),
        customer("p", "globex"),
        cards(rate),
        contract("wholesale", ("v", "p"), "wholesale", (&from, "UTC"), &bought),
        contract("retail", ("p", "*"), "retail", (&from, "UTC"), &sold),
    ])
}

fn cards(rate: &str) -> String {
    format!(
        r#"[card.wholesale]
currency = "EUR"
rate = [
  {{ id = "array", meter = "used", of = "array", unit = "GiB-month", statistic = "mean", committed = "0.24", overage = {{ evaluate = "day", bands = [{{ up_to = "20%", price = "0.27" }}, {{ price = "0.405" }}] }} }},
]
[card.retail]
currency = "EUR"
rate = [
  {{ id = "volume", meter = "used", of = "volume", unit = "GiB-month", statistic = "mean", bands = [{{ up_to = "500", price = "0.49" }}, {{ up_to = "2000", price = "0.45" }}, {{ price = "0.41" }}] }},
  {{ id = "read", meter = "read", of = "volume", unit = "GiB", statistic = "sum", bands = [{{ up_to = "100", price = "0" }}, {{ price = "0.021" }}] }},
  {rate}
]
"#
    )
}

fn thousandths(number: i64) -> Q {
    Q::new(number.into(), 1000.into())
}

fn money(exact: &Q) -> Q {
    round(exact, 2, false, Mistake::None)
}

fn places6(exact: &Q) -> Q {
    round(exact, 6, false, Mistake::None)
}

fn sum<'a>(cells: impl Iterator<Item = (&'a CellKey, &'a (i128, i64))>) -> Q {
    Q::from_integer(cells.map(|(_, (amount, _))| amount).sum::<i128>().into())
}

/// The subtotals due, by contract and customer.
pub fn subtotals(cells: &Cells, month: Month, deltas: bool) -> BTreeMap<(String, String), Q> {
    let mut due = BTreeMap::from([(("wholesale".to_owned(), "p".to_owned()), wholesale(cells, month))]);
    for customer in ["acme", "globex"] {
        let own = |meter: &'static str| {
            let is_own = move |key: &CellKey| key.kind == "volume" && key.meter == meter && key.customer == customer;
            sum(cells.iter().filter(move |(key, _)| is_own(key)))
        };
        let level = places6(&(own("used") / whole(GIB) / whole(month.seconds()) / whole(1000)));
        let mut amount = graduated(&level, &[(Some(500), 490), (Some(2000), 450), (None, 410)]);
        amount += graduated(&places6(&(own("read") / whole(GIB))), &[(Some(100), 0), (None, 21)]);
        if deltas {
            let packages = (places6(&(own("written") / whole(GIB))) / whole(7)).ceil();
            amount += money(&(packages * thousandths(1250)));
        }
        due.insert(("retail".to_owned(), customer.to_owned()), amount);
    }
    due
}

/// Each band's part of a quantity at its price in thousandths, rounded row by row.
fn graduated(quantity: &Q, bands: &[(Option<i64>, i64)]) -> Q {
    let (mut amount, mut lower) = (whole(0), whole(0));
    for (up_to, price) in bands {
        let upper = up_to.map_or(quantity.clone(), whole).min(quantity.clone());
        let part = (upper.clone() - &lower).max(whole(0));
        amount += money(&(part * thousandths(*price)));
        lower = upper.max(lower);
    }
    amount
}

/// The commitment, and by day what is above it: up to a fifth of it at one price, the rest at another.
fn wholesale(cells: &Cells, month: Month) -> Q {
    let (committed, fifth) = (whole(COMMITMENT_GIB), whole(COMMITMENT_GIB / 5));
    let part_of_month = Q::new(DAY_S.into(), month.seconds().into());
    let mut over = [whole(0), whole(0)];
    for start_s in (month.start_s()..month.start_s() + month.seconds()).step_by(DAY_S as usize) {
        let of_day = cells.iter().filter(|(key, _)| {
            key.kind == "array" && key.meter == "used" && (start_s..start_s + DAY_S).contains(&key.start_s)
        });
        let above = sum(of_day) / whole(GIB) / whole(DAY_S * 1000) - &committed;
        let first = above.clone().min(fifth.clone()).max(whole(0));
        over[1] += (above.max(whole(0)) - &first) * &part_of_month;
        over[0] += first * &part_of_month;
    }
    // the whole is rounded, then the parts are made to add up: what a part lost most of gets the last millionth
    let micro = whole(1_000_000);
    let floors = over.clone().map(|part| (part * &micro).floor() / &micro);
    let left = places6(&(&over[0] + &over[1])) - &floors[0] - &floors[1];
    let rests = [0, 1].map(|band| &over[band] - &floors[band]);
    let mut parts = floors;
    let order = if rests[0] >= rests[1] { [0, 1] } else { [1, 0] };
    let millionths = (left * &micro).to_integer();
    for band in order.into_iter().take(usize::try_from(millionths).unwrap()) {
        parts[band] += Q::new(1.into(), 1_000_000.into());
    }
    let [first, rest] = parts;
    money(&(committed * thousandths(240))) + money(&(first * thousandths(270))) + money(&(rest * thousandths(405)))
}
