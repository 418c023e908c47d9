//! Bands with their prices, and the portions of a quantity in them (PRICING §5).

use std::fmt;

use super::price::Price;
use crate::core::book::model::Mode;
use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::{BandFault, Overflow};
use crate::core::pricing::exact::Exact;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// A band's upper edge, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A quantity.
    Quantity(Decimal),
    /// Percent of the commitment (overage only, PRICING §6).
    Percent(Decimal),
}

impl Edge {
    /// The edge as a quantity: a percent is one of this commitment, half to even at 9 places.
    pub fn of(self, commitment: Decimal) -> Result<Self, Overflow> {
        let Edge::Percent(percent) = self else { return Ok(self) };
        let share = wide::product([commitment.wide(), percent.wide()])?;
        let nano = wide::narrow(wide::divide(share, wide::ten(11), Rounding::HalfEven)?)?;
        Ok(Edge::Quantity(Decimal::from_nano(nano)))
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edge::Quantity(quantity) => quantity.fmt(f),
            Edge::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// One step of a tiered price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Upper edge; none on the last band.
    pub up_to: Option<Edge>,
    /// Per unit, or per package.
    pub price: Price,
    /// Package size.
    pub per: Option<Decimal>,
    /// Charged once if the band is entered.
    pub flat: Option<Price>,
}

impl Band {
    /// A band without an upper edge.
    #[must_use]
    pub fn at(price: Price) -> Self {
        Self { up_to: None, price, per: None, flat: None }
    }

    /// The charge of this band's price for a portion: `q × price`, or `⌈q / per⌉ × price` (PRICING §5), at list and net price.
    pub fn cost(&self, portion: Decimal) -> Result<Cost, Overflow> {
        let Some(per) = self.per else {
            let list = Exact::product(portion, self.price.list)?;
            return Ok(Cost { list, net: Exact::product(portion, self.price.net)?, packages: None });
        };
        let packages = packages(portion, per)?;
        let list = Exact::times(packages, self.price.list)?;
        Ok(Cost { list, net: Exact::times(packages, self.price.net)?, packages: Some(packages) })
    }
}

/// How many packages hold a quantity.
fn packages(quantity: Decimal, per: Decimal) -> Result<i128, Overflow> {
    let whole = quantity.nano().checked_div(per.nano()).ok_or(Overflow)?;
    Ok(whole + i128::from(quantity.nano() % per.nano() != 0))
}

/// What a portion costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// At list price.
    pub list: Exact,
    /// At net price.
    pub net: Exact,
    /// How many packages, where the band has a package size.
    pub packages: Option<i128>,
}

/// The bands of one price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bands(Vec<Band>);

impl Bands {
    /// Bands in order: rising edges, none on the last band and only there. Edges in percent and in quantities can only be compared
    /// where the commitment is known: [`Self::rise_above`].
    pub fn new(bands: Vec<Band>) -> Result<Self, BandFault> {
        let last = bands.len().checked_sub(1).ok_or(BandFault::None)?;
        for (index, band) in bands.iter().enumerate() {
            match band.up_to {
                None if index < last => return Err(BandFault::Open(index)),
                Some(_) if index == last => return Err(BandFault::Closed(index)),
                _ => {}
            }
            if band.per.is_some_and(Decimal::is_zero) {
                return Err(BandFault::NoPackage(index));
            }
            let falls = |below: Option<Edge>| match (below, band.up_to) {
                (Some(Edge::Quantity(below)), Some(Edge::Quantity(edge))) => edge <= below,
                (Some(Edge::Percent(below)), Some(Edge::Percent(edge))) => edge <= below,
                _ => false,
            };
            if (0..index).any(|below| falls(bands[below].up_to)) {
                return Err(BandFault::Falling(index));
            }
        }
        Ok(Self(bands))
    }

    /// Whether edges in percent of this commitment and edges in quantities rise as well: the first band that does not.
    pub fn rise_above(&self, commitment: Decimal) -> Result<(), BandFault> {
        let hundred = Wide::from(100 * NANO);
        let mut below: Option<(Edge, Wide)> = None;
        for (index, band) in self.0.iter().enumerate() {
            let Some(edge) = band.up_to else { break };
            let height = match edge {
                Edge::Quantity(quantity) => wide::product([quantity.wide(), hundred]),
                Edge::Percent(percent) => wide::product([percent.wide(), commitment.wide()]),
            };
            let height = height.map_err(|_| BandFault::Falling(index))?;
            let mixed = |below: Edge| matches!(below, Edge::Percent(_)) != matches!(edge, Edge::Percent(_));
            if below.is_some_and(|(other, lower)| mixed(other) && height <= lower) {
                return Err(BandFault::Falling(index));
            }
            below = Some((edge, height));
        }
        Ok(())
    }

    /// The bands, lowest first.
    #[must_use]
    pub fn as_slice(&self) -> &[Band] {
        &self.0
    }

    /// Whether a band has a package size or a flat: such bands cannot be shared out (PRICING §9).
    #[must_use]
    pub fn have_steps(&self) -> bool {
        self.0.iter().any(|band| band.per.is_some() || band.flat.is_some())
    }
}

/// The portions of a quantity in the bands that it enters, by band (PRICING §5). The first band is entered even at 0; percent
/// edges do not occur outside of overage.
pub fn portions(mode: Mode, bands: &Bands, quantity: Decimal) -> Result<Vec<(usize, Decimal)>, Overflow> {
    let upper = |band: &Band| match band.up_to {
        Some(Edge::Quantity(edge)) => edge.min(quantity),
        Some(Edge::Percent(_)) | None => quantity,
    };
    if mode == Mode::Volume {
        let lies = |band: &Band| match band.up_to {
            Some(Edge::Quantity(edge)) => quantity <= edge,
            Some(Edge::Percent(_)) | None => true,
        };
        return Ok(vec![(bands.0.iter().position(lies).ok_or(Overflow)?, quantity)]);
    }
    let mut portions = Vec::new();
    let mut lower = Decimal::ZERO;
    for (index, band) in bands.0.iter().enumerate() {
        if index > 0 && quantity <= lower {
            break;
        }
        let upper = upper(band);
        portions.push((index, upper.minus(lower)?));
        lower = upper;
    }
    let sum = portions.iter().try_fold(Decimal::ZERO, |sum, portion| sum.plus(portion.1))?;
    assert_eq!(sum, quantity, "I12: the bands' portions are not the quantity");
    Ok(portions)
}
