//! Mistakes that an implementer of PRICING could make: the comparison has to see each of them.

/// A mistake planted in the second implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// None: PRICING as it stands.
    None,
    /// A band's upper edge taken as exclusive.
    EdgeExclusive,
    /// Discounts added instead of multiplied.
    DiscountsAdded,
    /// Half-up towards plus infinity.
    HalfUpTowardsInfinity,
    /// The commitment billed for the whole period.
    CommitmentUnprorated,
    /// A share of the amounts before rounding.
    ShareOfUnrounded,
    /// Overage by day found for the period as one.
    DayOveragePerPeriod,
    /// A percent edge taken as a quantity.
    PercentEdgeIgnored,
    /// Gaps left out of a percentile.
    GapsLeftOut,
    /// Bands' quantities rounded one by one.
    BandsRoundedAlone,
}

impl Mistake {
    /// All that have to be caught.
    pub const ALL: [Mistake; 9] = [
        Mistake::EdgeExclusive,
        Mistake::DiscountsAdded,
        Mistake::HalfUpTowardsInfinity,
        Mistake::CommitmentUnprorated,
        Mistake::ShareOfUnrounded,
        Mistake::DayOveragePerPeriod,
        Mistake::PercentEdgeIgnored,
        Mistake::GapsLeftOut,
        Mistake::BandsRoundedAlone,
    ];
}
