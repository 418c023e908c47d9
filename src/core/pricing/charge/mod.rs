//! What usage costs: one price with its bands or its commitment, applied to one part after the other (PRICING §5 to §11). Quotes
//! and contracts both come through here.

pub mod above;
pub mod band;
pub mod entry;
pub mod part;
pub mod price;

#[cfg(test)]
mod tests;

use above::{Scale, Slice};
use band::{Bands, portions};
use entry::Tally;
use part::{Part, Stretch};
use price::Price;

use super::decimal::Decimal;
use super::error::Overflow;
use super::rounding::Rounding;
use super::row_kind::RowKind;
use super::wide::{self, Wide};
use crate::core::book::model::Mode;

/// How a line's usage is priced; one element a segment of constant prices (PRICING §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Pay as you go.
    Bands {
        /// Graduated or volume.
        mode: Mode,
        /// The quantity that finds the bands; none = the part's own (PRICING §9).
        found_by: Option<Decimal>,
        /// Of each segment.
        segments: Vec<Bands>,
    },
    /// Pay as you go, each window's mean split over the bands (PRICING §5).
    BandsByDay {
        /// Of each segment; no package sizes and no flats.
        segments: Vec<Bands>,
    },
    /// A commitment with overage (PRICING §6).
    Committed {
        /// Whether overage is found per window or for the period as one.
        by_day: bool,
        /// Price of the commitment and bands of the overage, of each segment.
        segments: Vec<(Price, Bands)>,
    },
}

impl Charge {
    /// Prices one part and adds its rows (PRICING §10).
    pub fn add(&self, part: &Part, period_ms: i64, tally: &mut Tally) -> Result<(), Overflow> {
        match self {
            Charge::Bands { mode, found_by, segments } => whole(*mode, *found_by, segments, part, tally),
            Charge::BandsByDay { segments } if !part.by_window() => whole(Mode::Graduated, None, segments, part, tally),
            Charge::BandsByDay { segments } => by_window(segments, part, period_ms, tally),
            Charge::Committed { by_day, segments } => committed(*by_day, segments, part, period_ms, tally),
        }
    }

    /// Whether windows are priced one by one.
    #[must_use]
    pub fn by_day(&self) -> bool {
        matches!(self, Charge::BandsByDay { .. } | Charge::Committed { by_day: true, .. })
    }
}

/// The quantity as a whole finds the bands; each segment pays its share of its own prices (PRICING §5, §9).
fn whole(
    mode: Mode,
    found_by: Option<Decimal>,
    segments: &[Bands],
    part: &Part,
    tally: &mut Tally,
) -> Result<(), Overflow> {
    let quantity = found_by.unwrap_or(part.quantity());
    if segments.len() == 1 && quantity == part.quantity() {
        for (band, portion) in portions(mode, &segments[0], quantity)? {
            tally.portion(RowKind::Usage, (0, band), &segments[0], portion)?;
        }
        return Ok(());
    }
    for (segment, (bands, share)) in segments.iter().zip(part.shares(segments.len())?).enumerate() {
        let last = part.quantity().is_zero() && segment + 1 == segments.len();
        if share.is_zero() && !last {
            continue;
        }
        let entered = portions(mode, bands, quantity)?;
        let weights: Vec<i128> = entered.iter().map(|(_, portion)| portion.nano()).collect();
        let step = part.step();
        let shared = wide::proportion(share.nano() / step, &weights)?;
        for (place, ((band, _), steps)) in entered.iter().zip(shared).enumerate() {
            // of rows of nothing only the first is kept
            if place == 0 || steps != 0 {
                tally.portion(RowKind::Usage, (segment, *band), bands, Decimal::from_nano(steps * step))?;
            }
        }
    }
    Ok(())
}

/// Each window's mean is split over the bands, portions weighted by time (PRICING §5).
fn by_window(segments: &[Bands], part: &Part, period_ms: i64, tally: &mut Tally) -> Result<(), Overflow> {
    let bands: Vec<&Bands> = segments.iter().collect();
    let nothing = |stretch: &Stretch| Slice { used: stretch.used, base: Wide::ZERO, edge_ms: stretch.ms };
    let portions = split_windows(&bands, part, period_ms, nothing)?;
    let mut sum = Decimal::ZERO;
    for (segment, band, portion) in portions {
        sum = sum.plus(portion)?;
        let only = part.quantity().is_zero() && segment + 1 == segments.len();
        if !portion.is_zero() || (band == 0 && (only || segments.len() == 1)) {
            tally.portion(RowKind::Usage, (segment, band), &segments[segment], portion)?;
        }
    }
    assert_eq!(sum, part.quantity(), "I12: the bands' portions are not the quantity");
    Ok(())
}

/// The commitment in full, and what lies above it (PRICING §6).
fn committed(
    by_day: bool,
    segments: &[(Price, Bands)],
    part: &Part,
    period_ms: i64,
    tally: &mut Tally,
) -> Result<(), Overflow> {
    let bands: Vec<&Bands> = segments.iter().map(|(_, bands)| bands).collect();
    let portions = if by_day && part.by_window() {
        split_windows(&bands, part, period_ms, |stretch| Slice {
            used: stretch.used,
            base: base(stretch),
            edge_ms: stretch.ms,
        })?
    } else {
        split_period(&bands, part, period_ms)?
    };
    let mut over = vec![Decimal::ZERO; segments.len()];
    for (segment, band, portion) in portions {
        over[segment] = over[segment].plus(portion)?;
        if !portion.is_zero() {
            tally.portion(RowKind::Overage, (segment, band), bands[segment], portion)?;
        }
    }
    let shares = part.shares(segments.len())?;
    for (segment, quantity) in commitments(part, period_ms, segments.len())?.into_iter().enumerate() {
        let used = shares[segment].minus(over[segment])?.clamp(Decimal::ZERO, quantity);
        tally.commitment(segment, segments[segment].0, quantity, used)?;
    }
    Ok(())
}

/// A stretch's commitment in billionths × milliseconds; a commitment has at most 31 digits and time 43 bits.
fn base(stretch: &Stretch) -> Wide {
    stretch.committed.wide() * Wide::from(stretch.ms)
}

/// (segment, band, portion) of each band, window by window; the portions sum to their rounded sum.
fn split_windows(
    bands: &[&Bands],
    part: &Part,
    period_ms: i64,
    slice: impl Fn(&Stretch) -> Slice,
) -> Result<Vec<(usize, usize, Decimal)>, Overflow> {
    let scale = Scale::new(part.fraction().1, period_ms);
    let mut sums: Vec<Vec<Wide>> = bands.iter().map(|bands| vec![Wide::ZERO; bands.as_slice().len()]).collect();
    for stretch in part.stretches() {
        let split = scale.split(&slice(stretch), bands[stretch.segment])?;
        for (sum, portion) in sums[stretch.segment].iter_mut().zip(split) {
            *sum = wide::plus(*sum, portion)?;
        }
    }
    let flat: Vec<Wide> = sums.iter().flatten().copied().collect();
    let places = sums.iter().enumerate().flat_map(|(segment, bands)| (0..bands.len()).map(move |band| (segment, band)));
    let portions = scale.quantities(&flat, part.step())?;
    Ok(places.zip(portions).map(|((segment, band), portion)| (segment, band, portion)).collect())
}

/// (segment, band, portion) of the period as one window with the commitment prorated; segments pay their shares of the overage,
/// each at its own bands (PRICING §6, §9).
fn split_period(bands: &[&Bands], part: &Part, period_ms: i64) -> Result<Vec<(usize, usize, Decimal)>, Overflow> {
    let (used, one) = part.fraction();
    let scale = Scale::new(one, period_ms);
    let slice = Slice { used, base: wide::sum(part.stretches().iter().map(base))?, edge_ms: period_ms };
    let step = part.step();
    let weights: Vec<i128> = part.shares(bands.len())?.iter().map(|share| share.nano()).collect();
    let mut rows = Vec::new();
    let mut totals = Vec::new();
    for (segment, bands) in bands.iter().enumerate() {
        let portions = scale.quantities(&scale.split(&slice, bands)?, step)?;
        if totals.is_empty() {
            let over = portions.iter().try_fold(Decimal::ZERO, |sum, portion| sum.plus(*portion))?;
            totals = wide::proportion(over.nano() / step, &weights)?;
        }
        let portions: Vec<i128> = portions.into_iter().map(Decimal::nano).collect();
        let shared = wide::proportion(totals[segment], &portions)?;
        rows.extend(shared.into_iter().enumerate().map(|(band, n)| (segment, band, Decimal::from_nano(n * step))));
    }
    Ok(rows)
}

/// Each segment's commitment: Σ C × active seconds / period seconds, at 6 places (PRICING §6).
fn commitments(part: &Part, period_ms: i64, segments: usize) -> Result<Vec<Decimal>, Overflow> {
    let mut bases = vec![Wide::ZERO; segments];
    for stretch in part.stretches() {
        bases[stretch.segment] = wide::plus(bases[stretch.segment], base(stretch))?;
    }
    let micro = wide::product([Wide::from(period_ms), Wide::from(1_000)])?;
    let whole = wide::divide(wide::sum(bases.iter().copied())?, micro, Rounding::HalfEven)?;
    let shares = wide::apportion(wide::narrow(whole)?, &bases, micro)?;
    Ok(shares.into_iter().map(|share| Decimal::from_nano(share * 1_000)).collect())
}
