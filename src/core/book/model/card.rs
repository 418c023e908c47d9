//! Rate cards: what a unit costs.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::word::{Instant, Kind};

/// A price list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// ISO 4217.
    pub currency: String,
    /// Whether the buyer's level comes off.
    pub level_discount: bool,
    /// Rates in the order of the file; of one id several, with rising `from`.
    pub rates: Vec<Rate>,
}

/// One price of a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Its id; several rates of one id follow each other in time.
    pub id: String,
    /// In force from here on, in the contract's zone; none = always.
    pub from: Option<BookDate>,
    /// What is priced and how.
    pub charge: Charge,
}

/// A date of the book: local midnight of the contract's zone, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookDate {
    /// Local midnight.
    Day(chrono::NaiveDate),
    /// With an offset.
    At(#[serde(with = "crate::core::book::canonical::instant")] Instant),
}

/// What a rate charges for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// Metered usage.
    Usage(UsageRate),
    /// A recurring fee, by seconds.
    Fee(Decimal),
    /// A percentage of other lines.
    Share {
        /// Percent.
        percent: Decimal,
        /// Of the rows of lines with these ids.
        of: Vec<String>,
    },
}

/// A rate for metered usage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRate {
    /// Meter.
    pub meter: String,
    /// Kind of resource.
    pub of: Kind,
    /// Service tier; none = any.
    pub tier: Option<String>,
    /// Unit, of PRICING §4's grammar.
    pub unit: String,
    /// Statistic.
    pub statistic: Statistic,
    /// Rounding of the quantity before anything else.
    pub round_quantity: Option<RoundQuantity>,
    /// How the quantity is priced.
    pub price: Price,
}

/// PRICING §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Time mean.
    Mean,
    /// Greatest window mean.
    Peak,
    /// Nearest rank over 5-minute slots.
    P95,
    /// Sum of deltas or increases.
    Sum,
}

/// PRICING §4, `round_quantity`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundQuantity {
    /// To a multiple of this.
    pub to: Decimal,
    /// Which way.
    pub mode: QuantityMode,
}

/// Which way a quantity is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantityMode {
    /// Up.
    Up,
    /// Half away from zero.
    HalfUp,
    /// Half to even.
    HalfEven,
    /// Down.
    Down,
}

/// How a quantity is priced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// Pay as you go.
    Bands {
        /// Graduated or volume.
        mode: Mode,
        /// Whether each window is split over the bands.
        by_day: bool,
        /// At least one; the last without `up_to`.
        bands: Vec<Band>,
    },
    /// A commitment with overage.
    Committed {
        /// Price of the committed unit.
        price: Decimal,
        /// Whether overage is found per local day or per period.
        overage_by_day: bool,
        /// Bands of the overage.
        bands: Vec<Band>,
    },
}

/// PRICING §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each portion at its band's price.
    Graduated,
    /// All at the price of the band where the quantity lies.
    Volume,
}

/// One step of a tiered price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Upper edge, inclusive; none on the last band.
    pub up_to: Option<Edge>,
    /// Price per unit, or per package.
    pub price: Option<Decimal>,
    /// Package size.
    pub per: Option<Decimal>,
    /// Charged once if the band is entered.
    pub flat: Option<Decimal>,
}

/// A band's upper edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// A quantity.
    Quantity(Decimal),
    /// Percent of the commitment (overage only).
    Percent(Decimal),
}
