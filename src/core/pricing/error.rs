//! Why something could not be rated.

/// A number does not fit: always turned into an error that names the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is out of range")]
pub struct Overflow;

/// Why bands are none, and which one, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BandFault {
    /// There is no band at all.
    #[error("no band: write at least one")]
    None,
    /// A band before the last has no upper edge.
    #[error("up_to is missing: only the last band has none")]
    Open(usize),
    /// The last band has an upper edge.
    #[error("the last band has up_to: leave it out, or add a band above it")]
    Closed(usize),
    /// An upper edge is not above the one before it.
    #[error("up_to is not above the one before it: write rising edges")]
    Falling(usize),
    /// A package of nothing.
    #[error("per is 0: write a package size above it")]
    NoPackage(usize),
}

/// Why a contract's period could not be rated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// The book has no such contract.
    #[error("no contract {0} in the price book")]
    UnknownContract(String),
    /// Something that the contract leads to is not in the book.
    #[error("contract {contract}: no {what} in the price book")]
    Dangling {
        /// The contract.
        contract: String,
        /// What is missing.
        what: String,
    },
    /// A `"*"` contract is rated for one customer at a time.
    #[error("contract {0} is for each customer: name one")]
    CustomerNeeded(String),
    /// The contract has another buyer.
    #[error("contract {contract} is not with customer {customer}")]
    OtherCustomer {
        /// The contract.
        contract: String,
        /// The customer asked for.
        customer: String,
    },
    /// Not a year and a month.
    #[error("period {0} is not a year and a month such as 2026-10")]
    Label(String),
    /// The contract has no part of the period.
    #[error("contract {contract} is not in force in period {label}")]
    NotInForce {
        /// The contract.
        contract: String,
        /// The period.
        label: String,
    },
    /// Not a code of ISO 4217 with minor units.
    #[error("currency {0} is not in iso 4217")]
    Currency(String),
    /// Another number of usages than selections.
    #[error("{given} usages for {wanted} usage lines")]
    Usages {
        /// How many were given.
        given: usize,
        /// How many usage lines the contract has.
        wanted: usize,
    },
    /// Slots of other lengths than a meter's cells, or overlapping.
    #[error("line {line}: the slots of {part:?} are not those of a meter")]
    Slots {
        /// The line.
        line: String,
        /// The part.
        part: String,
    },
    /// No rate of the line's id is in force.
    #[error("line {0}: no rate in force in a part of the period")]
    NoRate(String),
    /// Rates of one id differ in more than their prices.
    #[error("line {0}: its rate changes more than prices inside the period")]
    Changed(String),
    /// PRICING §9: packages, flats and fees change only where a period starts.
    #[error("line {0}: a rate with per, flat or fee changes inside the period")]
    SplitPackage(String),
    /// The unit is not of PRICING §4's grammar, or does not go with the statistic.
    #[error("line {line}: unit {unit} is unknown or does not go with the statistic")]
    Unit {
        /// The line.
        line: String,
        /// The unit.
        unit: String,
    },
    /// The rate's bands are none.
    #[error("line {line}: {fault}")]
    Bands {
        /// The line.
        line: String,
        /// Why.
        fault: BandFault,
    },
    /// A committed rate on a line without a commitment.
    #[error("line {0}: its rate is committed and it has no commitment")]
    NoCommitment(String),
    /// A number does not fit.
    #[error("row {row}: a number is out of range")]
    Overflow {
        /// The row.
        row: String,
    },
}

/// Names the row of an overflow.
pub(in crate::core) fn at(row: &str) -> impl Fn(Overflow) -> RateError + '_ {
    move |_| RateError::Overflow { row: row.to_owned() }
}
