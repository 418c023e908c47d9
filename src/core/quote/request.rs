//! A request as a whole.

use super::field::Fields;
use super::frame::{Frame, Stretch};
use super::json::Json;
use super::line::{Line, limits};
use super::refusal::Refusal;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::minimum::Limits;
use crate::core::pricing::rounding::Rounding;

/// The form of requests and responses.
pub const SCHEMA: &str = "plimsoll.quote/1";

/// Most lines of a request.
const MAX_LINES: usize = 1_000;
/// Most credits of a request.
const MAX_CREDITS: usize = 1_000;

/// What is to be quoted.
#[derive(Debug)]
pub struct Request {
    /// The currency, with the places that amounts have.
    pub currency: Currency,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// The period.
    pub frame: Frame,
    /// The contract's part of the period.
    pub active: Stretch,
    /// Which lines are charged.
    pub combine: Combine,
    /// In order.
    pub lines: Vec<Line>,
    /// Minimum and maximum over all lines.
    pub limits: Limits,
    /// What was invoiced for this period before.
    pub billed: Option<Decimal>,
    /// In order.
    pub credits: Vec<Credit>,
    /// Tax to apply.
    pub tax_percent: Option<Decimal>,
}

/// Which lines are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// All of them.
    Sum,
    /// Only the dearest.
    Greatest,
}

/// A credit.
#[derive(Clone, Debug)]
pub struct Credit {
    /// Its id; its number without one.
    pub id: String,
    /// How much there is of it.
    pub amount: Decimal,
}

const KEYS: [&str; 13] = [
    "schema",
    "currency",
    "rounding",
    "period",
    "period_seconds",
    "active_seconds",
    "combine",
    "lines",
    "minimum",
    "maximum",
    "billed",
    "credits",
    "tax_percent",
];

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// The first thing in it that breaks `schemas/quote-request.schema.json` or a rule of PRICING.
    pub fn read(json: &Json) -> Result<Self, Refusal> {
        let request = Fields::of(json, String::new(), &KEYS)?;
        request.needed("schema")?;
        if request.text("schema")? != Some(SCHEMA) {
            return Err(request.refuse("schema", format!("another schema: write {SCHEMA}")));
        }
        let (currency, rounding) = money(&request)?;
        let frame = Frame::read(&request)?;
        let active = frame.active(&request, None)?;
        request.needed("lines")?;
        let mut lines = Vec::new();
        for (json, pointer) in request.list("lines", 1, MAX_LINES)?.unwrap_or_default() {
            lines.push(Line::read(json, pointer, &frame, active, &lines)?);
        }
        let combine = request.word("combine", &[("sum", Combine::Sum), ("greatest", Combine::Greatest)])?;
        Ok(Self {
            currency,
            rounding,
            frame,
            active,
            combine: combine.unwrap_or(Combine::Sum),
            lines,
            limits: limits(&request)?,
            billed: billed(&request)?,
            credits: credits(&request)?,
            tax_percent: request.percent("tax_percent")?,
        })
    }
}

fn money(request: &Fields<'_>) -> Result<(Currency, Rounding), Refusal> {
    request.needed("currency")?;
    let code = request.text("currency")?.unwrap_or_default();
    let unknown =
        || request.refuse("currency", "no currency of ISO 4217 with minor units: write one such as \"EUR\", or XXX");
    let mut currency = match code {
        "XXX" => Currency { code: code.to_owned(), places: 2 },
        code if code.bytes().all(|byte| byte.is_ascii_uppercase()) => Currency::new(code).map_err(|_| unknown())?,
        _ => return Err(unknown()),
    };
    let Some(json) = request.get("rounding") else { return Ok((currency, Rounding::HalfEven)) };
    let rounding = Fields::of(json, request.at("rounding"), &["mode", "places"])?;
    if let Some(places) = rounding.whole("places")? {
        let places = u32::try_from(places).ok().filter(|places| *places <= 9);
        currency.places = places.ok_or_else(|| rounding.refuse("places", "more than 9 places: write 0 to 9"))?;
    }
    let mode = rounding.word("mode", &[("half_even", Rounding::HalfEven), ("half_up", Rounding::HalfUp)])?;
    Ok((currency, mode.unwrap_or(Rounding::HalfEven)))
}

fn billed(request: &Fields<'_>) -> Result<Option<Decimal>, Refusal> {
    let Some(json) = request.get("billed") else { return Ok(None) };
    let billed = Fields::of(json, request.at("billed"), &["amount"])?;
    billed.needed("amount")?;
    billed.decimal("amount")
}

fn credits(request: &Fields<'_>) -> Result<Vec<Credit>, Refusal> {
    let mut credits = Vec::new();
    for (json, pointer) in request.list("credits", 0, MAX_CREDITS)?.unwrap_or_default() {
        let credit = Fields::of(json, pointer, &["id", "amount"])?;
        credit.needed("amount")?;
        let id = credit.text("id")?.map_or_else(|| (credits.len() + 1).to_string(), str::to_owned);
        credits.push(Credit { id, amount: credit.decimal("amount")?.unwrap_or_default() });
    }
    Ok(credits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_credits_are_taken_up_to_their_limits() {
        let read = |lines: usize, credits: usize| {
            let line = r#"{"quantity":"1","price":"1"}"#;
            let (lines, credits) = (vec![line; lines].join(","), vec![r#"{"amount":"1"}"#; credits].join(","));
            let text = format!(r#"{{"schema":"{SCHEMA}","currency":"EUR","lines":[{lines}],"credits":[{credits}]}}"#);
            Request::read(&Json::parse(&text).unwrap()).map(drop)
        };
        for (count, fits) in [(MAX_LINES - 1, true), (MAX_LINES, true), (MAX_LINES + 1, false)] {
            assert_eq!(read(count, 0).is_ok(), fits, "{count} lines");
        }
        for (count, fits) in [(MAX_CREDITS - 1, true), (MAX_CREDITS, true), (MAX_CREDITS + 1, false)] {
            assert_eq!(read(1, count).is_ok(), fits, "{count} credits");
        }
    }
}
