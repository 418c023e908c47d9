//! A validated price book as plain data. Nothing in here can be wrong any more: every reference leads somewhere, every decimal is
//! within its places, every instant lies on a quarter of an hour.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::metering::definition::Definition;
use crate::core::word::{Instant, Kind};

/// The whole book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Meters by name.
    pub meters: BTreeMap<String, Meter>,
    /// Vendors by id.
    pub vendors: BTreeMap<String, Party>,
    /// Providers by id.
    pub providers: BTreeMap<String, Provider>,
    /// Customers by id.
    pub customers: BTreeMap<String, Customer>,
    /// Programmes by id.
    pub programmes: BTreeMap<String, Programme>,
    /// Cards by id.
    pub cards: BTreeMap<String, Card>,
    /// Contracts by id.
    pub contracts: BTreeMap<String, Contract>,
    /// Arrays that the book says something about.
    pub arrays: BTreeMap<String, ArrayPurpose>,
    /// Sales credit roles by name.
    pub sales_credit: BTreeMap<String, SalesCredit>,
}

/// A meter's definition with its base unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// How it is metered.
    pub definition: Definition,
    /// `byte` or `each`.
    pub base: String,
}

/// Who sells or buys, as documents show it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    pub name: String,
    /// Address lines.
    pub address: Vec<String>,
    /// Tax id.
    pub tax_id: Option<String>,
    /// Format of its invoices' numbers.
    pub invoice_number: Option<String>,
    /// Format of its credit notes' numbers.
    pub credit_note_number: Option<String>,
}

/// A provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Name, address, numbers.
    pub party: Party,
    /// Whether the vendor may see its customers' names.
    pub disclose_customers: bool,
    /// Its programme.
    pub programme: Option<String>,
    /// Granted levels, by rising `from`.
    pub levels: Vec<Granted>,
    /// What it promised.
    pub committed: Option<Committed>,
    /// Certifications held.
    pub certified: Vec<Certified>,
    /// The vendor's account team.
    pub account_team: Option<String>,
    /// The vendor's partner team.
    pub partner_team: Option<String>,
}

/// A level granted from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// From when.
    #[serde(with = "super::canonical::instant")]
    pub from: Instant,
    /// Which level of the programme.
    pub level: String,
}

/// A promise of revenue and certifications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// From when.
    #[serde(with = "super::canonical::instant")]
    pub from: Instant,
    /// Until when, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
    /// Revenue in the programme's currency.
    pub revenue: Option<Decimal>,
    /// Certifications by track.
    pub certifications: BTreeMap<String, u32>,
}

/// Certifications held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// The track.
    pub track: String,
    /// How many.
    pub count: u32,
    /// Until when, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// A provider's customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Whose customer.
    pub provider: String,
    /// Name and address.
    pub party: Party,
    /// Values of `customer` in readings that mean this customer.
    pub tags: Vec<String>,
    /// The vendor's account team.
    pub account_team: Option<String>,
}

/// A partner programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// ISO 4217.
    pub currency: String,
    /// From the lowest up.
    pub levels: Vec<Level>,
    /// Months of revenue that count.
    pub revenue_months: u32,
    /// Months of grace.
    pub grace_months: u32,
    /// Marketing fund accrual.
    pub market_fund_percent: Option<Decimal>,
    /// Rates into the programme's currency.
    pub fx: BTreeMap<String, Decimal>,
}

/// A rung of a programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// What comes off list prices.
    pub discount_percent: Decimal,
    /// Ways to reach it.
    pub paths: Vec<LevelPath>,
}

/// One way to reach a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelPath {
    /// Revenue needed.
    pub revenue: Decimal,
    /// Certifications needed, by track.
    pub certifications: BTreeMap<String, u32>,
}

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
    At(#[serde(with = "super::canonical::instant")] Instant),
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

/// A contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Seller.
    pub seller: Seller,
    /// Buyer.
    pub buyer: Buyer,
    /// How the vendor's goods reach the customer.
    pub route: Option<Route>,
    /// Card id.
    pub card: String,
    /// In force from.
    #[serde(with = "super::canonical::instant")]
    pub from: Instant,
    /// In force until, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
    /// Local days are this zone's.
    #[serde(with = "super::canonical::zone")]
    pub time_zone: chrono_tz::Tz,
    /// Day of the month on which periods begin.
    pub anchor_day: u32,
    /// Hours between a period's end and its close.
    pub grace_hours: u32,
    /// Least coverage that closes without an override.
    pub close_below: Decimal,
    /// Rounding of amounts: half away from zero, else half to even.
    pub half_up: bool,
    /// Minimum of a period.
    pub minimum: Option<Decimal>,
    /// Maximum of a period.
    pub maximum: Option<Decimal>,
    /// Negotiated discount.
    pub deal: Option<Deal>,
    /// Days to pay.
    pub payment_days: u32,
    /// The buyer's order.
    pub purchase_order: Option<String>,
    /// Tax to apply.
    pub tax: Option<Tax>,
    /// Whether a draft is issued by itself.
    pub issue_auto: bool,
    /// Lines in order.
    pub lines: Vec<Line>,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seller {
    /// The vendor: wholesale.
    Vendor(String),
    /// A provider: retail.
    Provider(String),
}

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buyer {
    /// A provider: wholesale.
    Provider(String),
    /// A customer: retail.
    Customer(String),
    /// Each customer of the seller that no contract in force names.
    EachCustomer,
}

/// PRICEBOOK `route`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The provider runs it for the customer.
    AsAService,
    /// The customer bought it through the provider.
    Resale,
}

/// A negotiated discount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    /// Its reference.
    pub reference: String,
    /// Percent off.
    pub percent: Decimal,
    /// From.
    #[serde(with = "super::canonical::maybe_instant")]
    pub from: Option<Instant>,
    /// Until, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// A tax to apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Percent.
    pub percent: Decimal,
    /// Why, where percent is 0.
    pub note: Option<String>,
}

/// One line of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// Which rate of the card.
    pub rate: String,
    /// Only arrays at these sites; empty = all.
    pub sites: Vec<String>,
    /// Only these arrays; empty = all.
    pub arrays: Vec<String>,
    /// Committed quantities by rising `from`; the first holds from the contract's start.
    pub commitment: Vec<Commitment>,
    /// Parts that are priced alone.
    pub per: Option<Per>,
    /// Whether gaps are filled with the last level.
    pub gap_hold: bool,
}

/// A committed quantity from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// From; none = the contract's start.
    #[serde(with = "super::canonical::maybe_instant")]
    pub from: Option<Instant>,
    /// Quantity in the rate's unit.
    pub quantity: Decimal,
}

/// PRICING §10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each array alone.
    Array,
    /// Each resource alone.
    Resource,
}

/// What the book says of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayPurpose {
    /// Whether it is for demonstration: metered, charged nothing.
    pub demo: bool,
    /// Until when, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// A sales credit role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesCredit {
    /// `customer` or `provider`: whose team.
    pub team: String,
    /// Percent.
    pub percent: Decimal,
    /// `list` or `billed`.
    pub basis: String,
    /// Routes that count.
    pub routes: Vec<String>,
}
