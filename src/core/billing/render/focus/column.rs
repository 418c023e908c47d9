//! The columns of FOCUS 1.3 and what stands in them.

use super::charge::Charge;
use crate::core::billing::document::{Document, DocumentType};
use crate::core::billing::figure::Figure;
use crate::core::billing::render::cell::Cell;

/// The columns: those of FOCUS 1.3 in alphabetical order, then our own. `ProviderName` and `PublisherName` are deprecated there and
/// still obligatory.
pub const COLUMNS: [&str; 58] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "x_Contract",
    "x_CorrectsInvoiceId",
    "x_CorrectsRow",
    "x_DocumentState",
    "x_DocumentType",
    "x_Row",
    "x_RowKind",
    "x_Sites",
];

/// What stands in a column.
pub(super) enum Value {
    /// Null.
    Null,
    /// Words.
    Text(String),
    /// A number.
    Number(String),
}

impl Value {
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Empty,
            Value::Text(text) => Cell::Text(text),
            Value::Number(number) => Cell::Number(number),
        }
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn maybe<T: Into<String>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, text)
}

fn number(figure: Figure) -> Value {
    Value::Number(figure.to_string())
}

fn maybe_number(figure: Option<Figure>) -> Value {
    figure.map_or(Value::Null, number)
}

/// The cells of one charge, in the order of [`COLUMNS`].
pub(super) fn cells(document: &Document, billing: &(String, String), charge: &Charge<'_>) -> [Value; COLUMNS.len()] {
    let row = charge.row;
    let is_correction = document.kind != DocumentType::Invoice;
    let own = row.and_then(|row| row.period.as_ref());
    let (start, end) = own.map_or((&document.period.start, &document.period.end), |span| (&span.start, &span.end));
    let line = row.and_then(|row| row.line.as_deref());
    let (quantity, committed_unit, status) = match &charge.commitment {
        Some((quantity, unit, status)) => (Some(*quantity), Some(unit.clone()), *status),
        None => (None, None, None),
    };
    // a correction of a part of a commitment has an amount and no quantity, and is the commitment's all the same
    let commitment = row.filter(|row| row.used_quantity.is_some() || charge.commitment.is_some());
    let commitment_id = commitment.and(line).map(|line| format!("{}:{line}", document.contract));
    let (priced, seller) = (charge.priced.as_ref(), &*document.seller.name);
    let prices = priced.and_then(|priced| priced.prices);
    let site = row.filter(|row| row.sites.len() == 1).and_then(|row| row.sites.first());
    let service = line.unwrap_or(&document.contract);
    [
        number(charge.billed),
        text(&document.buyer.id),
        text(&document.buyer.name),
        text(&document.currency),
        text(&billing.1),
        text(&billing.0),
        text(charge.category),
        maybe(is_correction.then_some("Correction")),
        text(&charge.description),
        text(charge.frequency),
        text(end),
        text(start),
        maybe(commitment_id.as_ref().map(|_| "Usage")),
        maybe(commitment_id.clone()),
        maybe(commitment_id.as_ref().and(line)),
        maybe_number(quantity),
        maybe(status),
        maybe(commitment_id.as_ref().map(|_| "Commitment")),
        maybe(committed_unit),
        maybe_number(charge.consumed.as_ref().map(|(quantity, _)| *quantity)),
        maybe(charge.consumed.as_ref().map(|(_, unit)| unit.clone())),
        number(charge.contracted),
        maybe_number(prices.map(|(price, _)| price)),
        number(charge.effective),
        text(seller),
        maybe(document.number.clone()),
        text(seller),
        number(charge.list),
        maybe_number(prices.map(|(_, list)| list)),
        maybe(charge.pricing),
        // prices are in the currency in which they are billed
        text(&document.currency),
        maybe_number(prices.map(|(price, _)| price)),
        number(charge.effective),
        maybe_number(prices.map(|(_, list)| list)),
        maybe_number(priced.map(|priced| priced.quantity)),
        maybe(priced.map(|priced| priced.unit.clone())),
        text(seller),
        text(seller),
        maybe(site),
        maybe(site),
        text("Storage"),
        text(service),
        text(seller),
        text("Other (Storage)"),
        maybe(row.map(|_| service)),
        maybe(row.map(|row| row.meter.as_deref().unwrap_or(row.kind.as_str()))),
        Value::Null,
        maybe(row.map(|_| price_id(service, charge))),
        Value::Null,
        Value::Null,
        text(&document.contract),
        maybe(document.references.corrects.first()),
        maybe_number_of(row.and_then(|row| row.corrects)),
        // `open` is a statement: provisional
        text(document.state.as_str()),
        text(document.kind.as_str()),
        maybe_number_of(row.map(|row| row.no)),
        maybe(row.map(|row| row.kind.as_str())),
        maybe(row.filter(|row| !row.sites.is_empty()).map(|row| row.sites.join(" "))),
    ]
}

fn maybe_number_of(no: Option<usize>) -> Value {
    no.map_or(Value::Null, |no| Value::Number(no.to_string()))
}

/// The price that a charge names: the line, what it charges for, and the band.
fn price_id(service: &str, charge: &Charge<'_>) -> String {
    let Some(row) = charge.row else { return service.to_owned() };
    let band = row.band.as_ref().map(|band| match &band.up_to {
        Some(up_to) => format!(":{}-{up_to}", band.over),
        None => format!(":{}-", band.over),
    });
    format!("{service}:{}{}", row.kind.as_str(), band.unwrap_or_default())
}
