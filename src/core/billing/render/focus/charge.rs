//! What a document charges, as FOCUS counts it: its rows, what was used and unused of commitments, its credits and taxes.

use crate::core::billing::document::{Document, DocumentType};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::row_kind::RowKind;

/// One line of FOCUS.
pub(super) struct Charge<'d> {
    /// The document's row; none of credits and taxes.
    pub row: Option<&'d DocumentRow>,
    /// `ChargeCategory`.
    pub category: &'static str,
    /// `ChargeFrequency`.
    pub frequency: &'static str,
    /// `PricingCategory`.
    pub pricing: Option<&'static str>,
    /// In words.
    pub description: String,
    /// `BilledCost`.
    pub billed: Figure,
    /// `EffectiveCost`.
    pub effective: Figure,
    /// `ContractedCost`.
    pub contracted: Figure,
    /// `ListCost`.
    pub list: Figure,
    /// Quantity and unit prices.
    pub priced: Option<Priced>,
    /// `ConsumedQuantity` and unit.
    pub consumed: Option<(Figure, String)>,
    /// Quantity, unit and status of a commitment.
    pub commitment: Option<(Figure, String, Option<&'static str>)>,
}

/// What a unit costs.
#[derive(Clone)]
pub(super) struct Priced {
    /// `PricingQuantity`.
    pub quantity: Figure,
    /// `PricingUnit`.
    pub unit: String,
    /// `ContractedUnitPrice` and `ListUnitPrice`, where quantity and price explain the cost: of a correction by another price book
    /// they do not, and FOCUS wants none then.
    pub prices: Option<(Figure, Figure)>,
}

impl<'d> Charge<'d> {
    /// Everything that a document charges; Σ `billed` is its total.
    pub(super) fn all(document: &'d Document) -> Result<Vec<Self>, DocumentError> {
        let mut charges = Vec::new();
        for row in &document.rows {
            charges.push(Self::of_row(document, row)?);
            if let (RowKind::Commitment, Some(used), Some(unused)) =
                (row.kind, &row.used_quantity, &row.unused_quantity)
            {
                charges.extend(Self::drawn(row, Figure::parse(used)?, Figure::parse(unused)?)?);
            }
        }
        for credit in &document.credits {
            let description = format!("credit {}", credit.id);
            charges.push(Self::amount("Credit", description, Figure::parse(&credit.applied)?.negated()));
        }
        for tax in &document.taxes {
            let note = tax.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
            charges.push(Self::amount("Tax", format!("tax {} %{note}", tax.percent), Figure::parse(&tax.amount)?));
        }
        Ok(charges)
    }

    /// An amount that nothing explains but itself.
    fn amount(category: &'static str, description: String, amount: Figure) -> Self {
        Self {
            row: None,
            category,
            frequency: "One-Time",
            pricing: None,
            description,
            billed: amount,
            effective: amount,
            contracted: amount,
            list: amount,
            priced: None,
            consumed: None,
            commitment: None,
        }
    }

    fn of_row(document: &Document, row: &'d DocumentRow) -> Result<Self, DocumentError> {
        let (category, frequency, pricing) = kind(row.kind);
        let amount = Figure::parse(&row.amount)?;
        let priced = priced(document, row)?;
        let contracted = match &priced {
            Some(Priced { quantity, prices: Some((price, _)), .. }) => quantity.times(*price)?,
            _ => Figure::parse(&row.unrounded)?,
        };
        let list = match &priced {
            Some(Priced { quantity, prices: Some((_, list)), .. }) => quantity.times(*list)?,
            _ => contracted,
        };
        let is_credit = category == "Credit";
        let quantity = |text: &Option<String>| text.as_deref().map(Figure::parse).transpose();
        // what a commitment costs takes effect with the usage that draws on it
        let drawn = row.kind == RowKind::Commitment && row.used_quantity.is_some();
        Ok(Self {
            row: Some(row),
            category,
            frequency,
            pricing,
            description: description(row),
            billed: amount,
            effective: if drawn { Figure::ZERO } else { amount },
            contracted: if is_credit { amount } else { contracted },
            list: if is_credit { amount } else { list },
            priced: priced.filter(|_| !is_credit),
            consumed: match category {
                "Usage" => quantity(&row.quantity)?.map(|quantity| (quantity, unit(row))),
                _ => None,
            },
            commitment: match row.kind {
                RowKind::Commitment => quantity(&row.quantity)?.map(|quantity| (quantity, unit(row), None)),
                _ => None,
            },
        })
    }

    /// What was used of a commitment and what was not. Nothing is billed for either; their effective costs sum to the amount of the
    /// commitment, to the last place.
    fn drawn(row: &'d DocumentRow, used: Figure, unused: Figure) -> Result<Vec<Self>, DocumentError> {
        let amount = Figure::parse(&row.amount)?;
        let price = Figure::sum(row.price.as_deref())?;
        let of_used = if unused.is_zero() { amount } else { used.times(price)? };
        let mut drawn = Vec::new();
        if !used.is_zero() || (unused.is_zero() && !amount.is_zero()) {
            drawn.push(Self::part(row, used, "Used", of_used)?);
        }
        if !unused.is_zero() {
            let of_used = if used.is_zero() { Figure::ZERO } else { of_used };
            drawn.push(Self::part(row, unused, "Unused", amount.minus(of_used)?)?);
        }
        Ok(drawn)
    }

    fn part(
        row: &'d DocumentRow,
        quantity: Figure,
        status: &'static str,
        effective: Figure,
    ) -> Result<Self, DocumentError> {
        let (price, list) = (Figure::sum(row.price.as_deref())?, Figure::sum(row.list_price.as_deref())?);
        let unit = unit(row);
        Ok(Self {
            row: Some(row),
            category: "Usage",
            frequency: "Usage-Based",
            pricing: Some("Committed"),
            description: format!("{}, {}", description(row), status.to_ascii_lowercase()),
            billed: Figure::ZERO,
            effective,
            contracted: quantity.times(price)?,
            list: quantity.times(list)?,
            priced: Some(Priced { quantity, unit: unit.clone(), prices: Some((price, list)) }),
            consumed: (status == "Used").then(|| (quantity, unit.clone())),
            commitment: Some((quantity, unit, Some(status))),
        })
    }
}

/// Category, frequency and pricing of a row (INVOICE §5).
fn kind(kind: RowKind) -> (&'static str, &'static str, Option<&'static str>) {
    match kind {
        RowKind::Usage | RowKind::Overage => ("Usage", "Usage-Based", Some("Standard")),
        RowKind::Commitment | RowKind::Flat | RowKind::Fee => ("Purchase", "Recurring", Some("Standard")),
        RowKind::Share | RowKind::Minimum => ("Purchase", "Recurring", Some("Other")),
        RowKind::Maximum | RowKind::Billed => ("Credit", "Recurring", Some("Other")),
    }
}

/// The row's words with its band, which the words leave out.
fn description(row: &DocumentRow) -> String {
    match &row.band {
        Some(band) if band.up_to.is_none() && band.over == "0" => row.description.clone(),
        Some(band) => match &band.up_to {
            Some(up_to) => format!("{}, over {} up to {up_to}", row.description, band.over),
            None => format!("{}, over {}", row.description, band.over),
        },
        None => row.description.clone(),
    }
}

/// How a row's cost comes from a quantity and a unit price: FOCUS wants them on every charge that is not a correction, and their
/// product to be the cost. Packages count as one each; what has no quantity of its own is one of its amount.
fn priced(document: &Document, row: &DocumentRow) -> Result<Option<Priced>, DocumentError> {
    let unrounded = Figure::parse(&row.unrounded)?;
    let count = |quantity, price: Figure| Priced { quantity, unit: "Count".to_owned(), prices: Some((price, price)) };
    let (Some(quantity), Some(price), Some(list)) = (&row.quantity, &row.price, &row.list_price) else {
        let is_correction = document.kind != DocumentType::Invoice;
        return match unrounded.count_of(unrounded.size()) {
            Some(one) if !is_correction => Ok(Some(count(one, unrounded.size()))),
            _ => Ok((!is_correction).then(|| count(Figure::ZERO, Figure::ZERO))),
        };
    };
    let (quantity, price, list) = (Figure::parse(quantity)?, Figure::parse(price)?, Figure::parse(list)?);
    let prices = Some((price, list));
    // a fee's fraction of a period has no end, and is shown with nine places
    if row.kind == RowKind::Fee || quantity.times(price)? == unrounded {
        return Ok(Some(Priced { quantity, unit: unit(row), prices }));
    }
    match unrounded.count_of(price) {
        Some(packages) if packages.sign() == quantity.sign() => {
            Ok(Some(Priced { quantity: packages, unit: "Packages".to_owned(), prices }))
        }
        _ => Ok(Some(Priced { quantity, unit: unit(row), prices: None })),
    }
}

/// The row's unit in FOCUS's unit format.
fn unit(row: &DocumentRow) -> String {
    let unit = row.unit.as_deref().unwrap_or("each");
    let (size, time) = unit.split_once('-').unwrap_or((unit, ""));
    let plural = match (size, time) {
        ("each" | "flat", "") => "Count",
        ("each", _) => "Unit",
        ("period", _) => "Periods",
        ("byte", _) => "B",
        ("kB", _) => "KB",
        (size, _) => size,
    };
    match time {
        "" => plural.to_owned(),
        "hour" => format!("{plural}-Hours"),
        // a month of 730 hours is not the period's own: the unit is a whole number of what it is made of
        "month@730h" => format!("730 {plural}-Hours"),
        _ => format!("{plural}-Months"),
    }
}
