//! The prices of a line in a request: one price, bands, or a commitment with overage (PRICING §5, §6).

use super::field::Fields;
use super::json::Json;
use super::refusal::{Refusal, member};
use crate::core::book::model::{Mode, QuantityMode};
use crate::core::pricing::charge::Charge;
use crate::core::pricing::charge::band::{Band, Bands, Edge};
use crate::core::pricing::charge::part::Multiple;
use crate::core::pricing::charge::price::Price;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::BandFault;

/// The percents that come off a line's prices (PRICING §8).
pub struct Discounts(Vec<Decimal>);

impl Discounts {
    /// The line's `discounts`.
    pub fn read(line: &Fields<'_>) -> Result<Self, Refusal> {
        let mut percents = Vec::new();
        for (json, pointer) in line.list("discounts", 0, 10)?.unwrap_or_default() {
            let discount = Fields::of(json, pointer, &["percent", "reason"])?;
            discount.needed("percent")?;
            discount.text("reason")?;
            percents.extend(discount.percent("percent")?);
        }
        Ok(Self(percents))
    }

    /// A list price with its net price.
    pub fn price(&self, list: Decimal, pointer: impl FnOnce() -> String) -> Result<Price, Refusal> {
        Price::less(list, &self.0).map_err(|overflow| Refusal::at(pointer(), overflow.to_string()))
    }

    /// The price of a key.
    pub fn read_price(&self, fields: &Fields<'_>, key: &str) -> Result<Option<Price>, Refusal> {
        fields.decimal(key)?.map(|list| self.price(list, || fields.at(key))).transpose()
    }
}

/// How a line's usage is priced, and its commitment: 0 without one.
pub fn charge(line: &Fields<'_>, discounts: &Discounts) -> Result<(Charge, Decimal), Refusal> {
    if line.has("commitment") || line.has("overage") { committed(line, discounts) } else { plain(line, discounts) }
}

fn plain(line: &Fields<'_>, discounts: &Discounts) -> Result<(Charge, Decimal), Refusal> {
    let bands = bands(line, discounts, false)?;
    let mode = line.word("mode", &[("graduated", Mode::Graduated), ("volume", Mode::Volume)])?;
    let mode = mode.unwrap_or(Mode::Graduated);
    let by_day = line.word("evaluate", &[("period", false), ("day", true)])?.unwrap_or(false);
    let found_by = line.decimal("band_quantity")?;
    if by_day {
        let message = "evaluate by day splits each day's mean: write no volume, flat, per or band_quantity with it";
        if mode == Mode::Volume || bands.have_steps() || found_by.is_some() {
            return Err(line.refuse("evaluate", message));
        }
        return Ok((Charge::BandsByDay { segments: vec![bands] }, Decimal::ZERO));
    }
    if found_by.is_some() && bands.have_steps() {
        return Err(
            line.refuse("band_quantity", "a share of a package or a flat: write band_quantity without per and flat")
        );
    }
    Ok((Charge::Bands { mode, found_by, segments: vec![bands] }, Decimal::ZERO))
}

fn committed(line: &Fields<'_>, discounts: &Discounts) -> Result<(Charge, Decimal), Refusal> {
    let keys = ["price", "per", "bands", "evaluate", "band_quantity"];
    line.none_of(&keys, "beside a commitment: write it in overage, or leave it out")?;
    if line.word("mode", &[("graduated", Mode::Graduated), ("volume", Mode::Volume)])? == Some(Mode::Volume) {
        return Err(line.refuse("mode", "overage is always graduated: leave mode out"));
    }
    let commitment = Fields::of(line.needed("commitment")?, line.at("commitment"), &["quantity", "price"])?;
    commitment.needed("quantity")?;
    commitment.needed("price")?;
    let quantity = commitment.decimal("quantity")?.unwrap_or_default();
    let price = discounts.read_price(&commitment, "price")?.unwrap_or_default();
    let overage = Fields::of(line.needed("overage")?, line.at("overage"), &["price", "per", "bands", "evaluate"])?;
    let by_day = overage.word("evaluate", &[("day", true), ("period", false)])?.unwrap_or(true);
    let bands = bands(&overage, discounts, true)?;
    bands.rise_above(quantity).map_err(|fault| band_refusal(&fault, &overage))?;
    Ok((Charge::Committed { by_day, segments: vec![(price, bands)] }, quantity))
}

/// `price` with `per`, or `bands`.
fn bands(fields: &Fields<'_>, discounts: &Discounts, percent_edges: bool) -> Result<Bands, Refusal> {
    let price = discounts.read_price(fields, "price")?;
    let Some(json) = fields.get("bands") else {
        let price = price.ok_or_else(|| Refusal::at(fields.pointer(), "neither price nor bands: write one of them"))?;
        let per = package(fields)?;
        let band = Band { per, ..Band::at(price) };
        return Bands::new(vec![band]).map_err(|fault| band_refusal(&fault, fields));
    };
    fields.none_of(&["price", "per"], "beside bands: write it in a band, or leave it out")?;
    let mut bands = Vec::new();
    for (json, pointer) in super::field::list(json, &fields.at("bands"), 1, 100)? {
        bands.push(band(json, pointer, discounts, percent_edges)?);
    }
    Bands::new(bands).map_err(|fault| band_refusal(&fault, fields))
}

fn band(json: &Json, pointer: String, discounts: &Discounts, percent_edges: bool) -> Result<Band, Refusal> {
    let fields = Fields::of(json, pointer, &["up_to", "price", "per", "flat"])?;
    let up_to = fields.edge("up_to")?;
    if !percent_edges && matches!(up_to, Some(Edge::Percent(_))) {
        return Err(fields.refuse("up_to", "percent of a commitment outside of overage: write a quantity"));
    }
    let (price, flat) = (discounts.read_price(&fields, "price")?, discounts.read_price(&fields, "flat")?);
    if price.is_none() {
        fields.none_of(&["per"], "a package without a price: write price beside it, or leave it out")?;
        if flat.is_none() {
            return Err(Refusal::at(fields.pointer(), "a band without a price: write price or flat, or both"));
        }
    }
    Ok(Band { up_to, price: price.unwrap_or(Price::ZERO), per: package(&fields)?, flat })
}

fn package(fields: &Fields<'_>) -> Result<Option<Decimal>, Refusal> {
    let per = fields.decimal("per")?;
    if per.is_some_and(Decimal::is_zero) {
        return Err(fields.refuse("per", BandFault::NoPackage(0).to_string()));
    }
    Ok(per)
}

fn band_refusal(fault: &BandFault, fields: &Fields<'_>) -> Refusal {
    let band = |index: &usize| format!("{}/{index}", fields.at("bands"));
    let pointer = match fault {
        BandFault::None => fields.at("bands"),
        BandFault::Open(index) => band(index),
        BandFault::Closed(index) | BandFault::Falling(index) => member(&band(index), "up_to"),
        BandFault::NoPackage(index) => member(&band(index), "per"),
    };
    Refusal::at(pointer, fault.to_string())
}

/// The line's `round_quantity` (PRICING §4).
pub fn multiple(line: &Fields<'_>) -> Result<Option<Multiple>, Refusal> {
    const MODES: [(&str, QuantityMode); 4] = [
        ("up", QuantityMode::Up),
        ("down", QuantityMode::Down),
        ("half_up", QuantityMode::HalfUp),
        ("half_even", QuantityMode::HalfEven),
    ];
    let Some(json) = line.get("round_quantity") else { return Ok(None) };
    let fields = Fields::of(json, line.at("round_quantity"), &["to", "mode"])?;
    fields.needed("to")?;
    fields.needed("mode")?;
    match (fields.decimal("to")?, fields.word("mode", &MODES)?) {
        (Some(to), Some(mode)) if !to.is_zero() => Ok(Some(Multiple { to, mode })),
        _ => Err(fields.refuse("to", "a multiple of 0: write one above it")),
    }
}
