//! Quotes: one request priced by the code that prices contracts; no clock, no network, nothing stored (PRICING, `plimsoll quote`).

mod field;
mod frame;
mod json;
mod level;
mod line;
mod rate;
mod refusal;
mod request;
mod response;
mod terms;

#[cfg(test)]
mod tests;

pub use refusal::Refusal;
pub use request::SCHEMA;
pub use response::Response;

use json::Json;
use rate::Rater;
use refusal::refuse;
use request::{Combine, Credit, Request};
use response::{CreditForm, RowForm, amount};

use crate::core::pricing::credit::{self, Applied};
use crate::core::pricing::error::Overflow;
use crate::core::pricing::exact::Exact;
use crate::core::pricing::money::Money;
use crate::core::pricing::row::{Row, saving, sum};

/// Greatest request in bytes: a thousand lines of a hundred bands each fit.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;

/// Prices one request.
///
/// # Errors
/// Why it is refused, with a JSON pointer to the culprit; nothing is quoted in part.
pub fn quote(text: &str) -> Result<Response, Refusal> {
    if text.len() > MAX_REQUEST_BYTES {
        return Err(Refusal::at("", format!("more than {MAX_REQUEST_BYTES} bytes: ask in several requests")));
    }
    let request = Request::read(&Json::parse(text)?)?;
    let money = Money { places: request.currency.places, rounding: request.rounding };
    let rater = Rater { money, currency: &request.currency.code, frame: &request.frame };
    let mut by_line: Vec<Vec<Row>> = Vec::with_capacity(request.lines.len());
    for line in &request.lines {
        let rows = rater.line(line, &by_line)?;
        by_line.push(rows);
    }
    if request.combine == Combine::Greatest {
        by_line = vec![dearest(by_line).map_err(refuse("/lines", "total"))?];
    }
    let mut rows: Vec<Row> = by_line.into_iter().flatten().collect();
    let overflow = refuse("", "total");
    let active = (request.active.ms(), request.frame.ms);
    request.limits.add(None, active, money, &mut rows).map_err(&overflow)?;
    if let Some(billed) = request.billed {
        rows.push(rater.billed(None, billed).map_err(&overflow)?);
    }
    respond(&request, &rows, money).map_err(overflow)
}

/// The rows of the line with the greatest sum, of equal ones the first.
fn dearest(by_line: Vec<Vec<Row>>) -> Result<Vec<Row>, Overflow> {
    let mut dearest: Option<(i128, Vec<Row>)> = None;
    for rows in by_line {
        let charged = sum(&rows)?;
        if dearest.as_ref().is_none_or(|(most, _)| charged > *most) {
            dearest = Some((charged, rows));
        }
    }
    Ok(dearest.map(|(_, rows)| rows).unwrap_or_default())
}

/// Credits, then tax, then the total (PRICING §13).
fn respond(request: &Request, rows: &[Row], money: Money) -> Result<Response, Overflow> {
    let places = money.places;
    let subtotal = sum(rows)?;
    let mut granted: Vec<(&str, i128)> = Vec::with_capacity(request.credits.len());
    for Credit { id, amount } in &request.credits {
        granted.push((id, money.minor(Exact::times(1, *amount)?)?));
    }
    let (applied, net) = credit::apply(granted.into_iter(), subtotal)?;
    let form =
        |one: Applied| CreditForm { id: one.id, applied: amount(one.applied, places), left: amount(one.left, places) };
    let credits = applied.into_iter().map(form).collect();
    let tax = match request.tax_percent {
        Some(percent) => money.minor(Exact::percent(percent, net, places)?)?,
        None => 0,
    };
    let unrounded = rows.iter().try_fold(Exact::ZERO, |sum, row| sum.plus(row.unrounded))?;
    Ok(Response {
        schema: SCHEMA,
        currency: request.currency.code.clone(),
        lines: rows.iter().map(|row| RowForm::of(row, places)).collect::<Result<_, _>>()?,
        subtotal: amount(subtotal, places),
        saving: amount(saving(rows)?, places),
        credits,
        tax: amount(tax, places),
        total: amount(net.checked_add(tax).ok_or(Overflow)?, places),
        unrounded: unrounded.shown()?.to_string(),
    })
}
