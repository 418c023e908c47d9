//! One line of a request: what is charged, and for how long.

use super::field::Fields;
use super::frame::{Frame, Stretch};
use super::json::Json;
use super::level::Levels;
use super::refusal::Refusal;
use super::terms::{self, Discounts};
use crate::core::book::model::Statistic;
use crate::core::book::unit::{Unit, UnitTime};
use crate::core::pricing::charge::Charge;
use crate::core::pricing::charge::part::Multiple;
use crate::core::pricing::charge::price::Price;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::minimum::Limits;

/// One line.
#[derive(Debug)]
pub struct Line {
    /// Its id; its number without one.
    pub id: String,
    /// Where it stands.
    pub pointer: String,
    /// What is charged.
    pub item: Item,
    /// Minimum and maximum of this line.
    pub limits: Limits,
    /// What was invoiced before.
    pub billed: Option<Billed>,
    /// The contract's part of the period.
    pub active: Stretch,
}

/// What a line charges for: exactly one thing.
#[derive(Debug)]
pub enum Item {
    /// Usage.
    Usage(Box<Usage>),
    /// A recurring fee, by active seconds.
    Fee(Price),
    /// A percentage of the rounded rows of earlier lines.
    Share {
        /// Percent.
        percent: Decimal,
        /// Which lines, from 0, each once.
        of: Vec<usize>,
    },
}

/// Usage with its prices.
#[derive(Debug)]
pub struct Usage {
    /// The unit's name.
    pub unit: String,
    /// The unit.
    pub size: Unit,
    /// What was used.
    pub used: Used,
    /// How it is priced.
    pub charge: Charge,
    /// The commitment for a whole period; 0 without one.
    pub commitment: Decimal,
    /// Rounding of the quantity.
    pub multiple: Option<Multiple>,
    /// The quantity is at most this.
    pub ceiling: Option<Decimal>,
}

/// What was used.
#[derive(Debug)]
pub enum Used {
    /// Quantities: one, or several parts that are priced alone.
    Quantities(Vec<Decimal>),
    /// A step function.
    Levels(Statistic, Levels),
}

/// What was invoiced before.
#[derive(Clone, Copy, Debug)]
pub enum Billed {
    /// An amount.
    Amount(Decimal),
    /// What this quantity costs.
    Quantity(Decimal),
}

const KEYS: [&str; 22] = [
    "id",
    "quantity",
    "quantities",
    "levels",
    "statistic",
    "unit",
    "round_quantity",
    "band_quantity",
    "ceiling",
    "price",
    "per",
    "mode",
    "bands",
    "evaluate",
    "commitment",
    "overage",
    "fee",
    "share",
    "discounts",
    "minimum",
    "maximum",
    "billed",
];
const ACTIVE: &str = "active_seconds";

/// Keys that only a line of usage has.
const USAGE_KEYS: [&str; 13] = [
    "statistic",
    "unit",
    "round_quantity",
    "band_quantity",
    "ceiling",
    "price",
    "per",
    "mode",
    "bands",
    "evaluate",
    "commitment",
    "overage",
    "levels",
];

impl Line {
    /// The line with this number, from 0; `earlier` are those before it.
    pub fn read(
        json: &Json,
        pointer: String,
        frame: &Frame,
        active: Stretch,
        earlier: &[Line],
    ) -> Result<Self, Refusal> {
        let keys: Vec<&str> = KEYS.iter().copied().chain([ACTIVE]).collect();
        let line = Fields::of(json, pointer, &keys)?;
        let id = match line.text("id")? {
            Some("") => return Err(line.refuse("id", "empty: write an id, or leave it out")),
            Some(id) => id.to_owned(),
            None => (earlier.len() + 1).to_string(),
        };
        if earlier.iter().any(|other| other.id == id) {
            let key = if line.has("id") { line.at("id") } else { line.pointer().to_owned() };
            return Err(Refusal::at(key, format!("two lines with id {id}: write another")));
        }
        let discounts = Discounts::read(&line)?;
        let item = item(&line, &discounts, frame, earlier)?;
        let billed = billed(&line, &item)?;
        let (limits, active) = (limits(&line)?, frame.active(&line, Some(active))?);
        Ok(Self { id, pointer: line.pointer().to_owned(), item, limits, billed, active })
    }
}

/// `minimum` and `maximum`.
pub fn limits(fields: &Fields<'_>) -> Result<Limits, Refusal> {
    let limits = Limits { minimum: fields.decimal("minimum")?, maximum: fields.decimal("maximum")? };
    match limits {
        Limits { minimum: Some(minimum), maximum: Some(maximum) } if minimum > maximum => {
            Err(fields.refuse("minimum", "above the maximum: write at most as much"))
        }
        limits => Ok(limits),
    }
}

fn item(line: &Fields<'_>, discounts: &Discounts, frame: &Frame, earlier: &[Line]) -> Result<Item, Refusal> {
    const KINDS: [&str; 5] = ["quantity", "quantities", "levels", "fee", "share"];
    let written: Vec<&str> = KINDS.into_iter().filter(|key| line.has(key)).collect();
    let [kind] = written.as_slice() else {
        let message = format!("write exactly one of {}", KINDS.join(", "));
        return Err(match written.get(1) {
            Some(second) => line.refuse(second, format!("beside {}: {message}", written[0])),
            None => Refusal::at(line.pointer(), message),
        });
    };
    match *kind {
        "fee" => {
            line.none_of(&USAGE_KEYS, "beside a fee: leave it out")?;
            Ok(Item::Fee(discounts.read_price(line, "fee")?.unwrap_or_default()))
        }
        "share" => {
            line.none_of(&USAGE_KEYS, "beside a share: leave it out")?;
            share(line, earlier)
        }
        _ => Ok(Item::Usage(Box::new(usage(line, discounts, frame)?))),
    }
}

fn share(line: &Fields<'_>, earlier: &[Line]) -> Result<Item, Refusal> {
    let share = Fields::of(line.needed("share")?, line.at("share"), &["percent", "of"])?;
    share.needed("percent")?;
    share.needed("of")?;
    let percent = share.percent("percent")?.unwrap_or_default();
    let mut of = Vec::new();
    for (json, pointer) in share.list("of", 1, usize::MAX)?.unwrap_or_default() {
        let id = super::field::text(json, pointer.clone())?;
        let index = earlier.iter().position(|line| line.id == id);
        let index = index.ok_or_else(|| Refusal::at(pointer, format!("{id} is no earlier line: write one's id")))?;
        if !of.contains(&index) {
            of.push(index);
        }
    }
    Ok(Item::Share { percent, of })
}

fn usage(line: &Fields<'_>, discounts: &Discounts, frame: &Frame) -> Result<Usage, Refusal> {
    let unit = line.text("unit")?.unwrap_or("each");
    let size = Unit::parse(unit).ok_or_else(|| {
        line.refuse("unit", "unknown unit: write SIZE, SIZE-hour, SIZE-month or SIZE-month@730h, such as \"TiB-month\"")
    })?;
    let (charge, commitment) = terms::charge(line, discounts)?;
    let usage = Usage {
        unit: unit.to_owned(),
        size,
        used: used(line, size, frame)?,
        charge,
        commitment,
        multiple: terms::multiple(line)?,
        ceiling: line.decimal("ceiling")?,
    };
    match &usage.used {
        Used::Levels(..) if usage.ceiling.is_some() => {
            Err(line.refuse("ceiling", "beside levels: write it beside quantity or quantities"))
        }
        Used::Quantities(_) if line.has("quantities") && line.has("band_quantity") => {
            Err(line.refuse("band_quantity", "beside quantities: write it beside quantity or levels"))
        }
        _ => Ok(usage),
    }
}

fn used(line: &Fields<'_>, unit: Unit, frame: &Frame) -> Result<Used, Refusal> {
    const STATISTICS: [(&str, Statistic); 3] =
        [("mean", Statistic::Mean), ("peak", Statistic::Peak), ("p95", Statistic::P95)];
    let statistic = line.word("statistic", &STATISTICS)?;
    if let Some(json) = line.get("levels") {
        let statistic = statistic.unwrap_or(Statistic::Mean);
        if statistic != Statistic::Mean && unit.time != UnitTime::None {
            return Err(line.refuse("unit", "a level has no time: write a plain size such as \"TiB\""));
        }
        return Ok(Used::Levels(statistic, Levels::read(json, &line.at("levels"), frame.ms)?));
    }
    line.none_of(&["statistic"], "without levels: leave it out")?;
    if let Some(quantity) = line.decimal("quantity")? {
        return Ok(Used::Quantities(vec![quantity]));
    }
    let parts = line.list("quantities", 1, 10_000)?.unwrap_or_default();
    let parts = parts.into_iter().map(|(json, pointer)| super::field::decimal(json, pointer));
    Ok(Used::Quantities(parts.collect::<Result<_, _>>()?))
}

fn billed(line: &Fields<'_>, item: &Item) -> Result<Option<Billed>, Refusal> {
    let Some(json) = line.get("billed") else { return Ok(None) };
    let billed = Fields::of(json, line.at("billed"), &["amount", "quantity"])?;
    match (billed.decimal("amount")?, billed.decimal("quantity")?) {
        (Some(amount), None) => Ok(Some(Billed::Amount(amount))),
        (None, Some(quantity)) if matches!(item, Item::Usage(_)) => Ok(Some(Billed::Quantity(quantity))),
        (None, Some(_)) => Err(billed.refuse("quantity", "a line without usage: write amount")),
        _ => Err(Refusal::at(billed.pointer(), "write exactly one of amount, quantity")),
    }
}
