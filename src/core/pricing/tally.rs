//! The rows of a line while its parts are added up: per segment, kind and band, rounded once each (PRICING §10).

use std::collections::BTreeMap;

use super::amount::{Exact, Fixed, Price, Quantity};
use super::bands::{PricedBand, Range};
use super::error::Overflow;
use super::row::RowKind;

/// A row's place: commitments first, then by segment and band, each band's flat after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    stage: u8,
    /// Which segment.
    pub segment: usize,
    /// Which band.
    pub band: usize,
    flat: bool,
}

/// A row so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it charges for.
    pub kind: RowKind,
    /// Σ quantity; of flats the number of times.
    pub quantity: Quantity,
    /// Σ exact amount at list prices.
    pub list: Exact,
    /// Σ exact amount at net prices.
    pub net: Exact,
    /// Σ packages.
    pub packages: Option<i128>,
    /// How many parts.
    pub parts: usize,
    /// List and net price.
    pub prices: (Price, Price),
    /// The band's edges.
    pub band: Option<Range>,
    /// Of a commitment: what was used.
    pub used: Option<Quantity>,
}

/// The rows of a line so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    entries: BTreeMap<Place, Entry>,
}

impl Tally {
    /// Adds a part's portion in a band, and the band's flat price.
    pub fn portion(
        &mut self,
        kind: RowKind,
        (segment, index): (usize, usize),
        band: &PricedBand,
        portion: Quantity,
    ) -> Result<(), Overflow> {
        let cost = band.cost(portion)?;
        let nothing = (Fixed::ZERO, Fixed::ZERO);
        let mut row = Entry::new(kind, portion, band.price.unwrap_or(nothing), (cost.list, cost.net));
        (row.packages, row.band) = (cost.packages, Some(band.range));
        let place = Place { stage: 1, segment, band: index, flat: false };
        self.add(place, row)?;
        if let Some((list, net)) = band.flat {
            let mut row =
                Entry::new(RowKind::Flat, Fixed::ONE, (list, net), (list.times_whole(1)?, net.times_whole(1)?));
            row.band = Some(band.range);
            self.add(Place { flat: true, ..place }, row)?;
        }
        Ok(())
    }

    /// Adds a part's commitment in a segment (PRICING §6).
    pub fn commitment(
        &mut self,
        segment: usize,
        prices: (Price, Price),
        quantity: Quantity,
        used: Quantity,
    ) -> Result<(), Overflow> {
        let amounts = (quantity.times(prices.0)?, quantity.times(prices.1)?);
        let mut row = Entry::new(RowKind::Commitment, quantity, prices, amounts);
        row.used = Some(used);
        self.add(Place { stage: 0, segment, band: 0, flat: false }, row)
    }

    fn add(&mut self, place: Place, row: Entry) -> Result<(), Overflow> {
        let Some(entry) = self.entries.get_mut(&place) else {
            self.entries.insert(place, row);
            return Ok(());
        };
        entry.quantity = entry.quantity.plus(row.quantity)?;
        entry.list = entry.list.plus(row.list)?;
        entry.net = entry.net.plus(row.net)?;
        entry.parts += row.parts;
        if let (Some(packages), Some(more)) = (entry.packages, row.packages) {
            entry.packages = Some(packages.checked_add(more).ok_or(Overflow)?);
        }
        if let (Some(used), Some(more)) = (entry.used, row.used) {
            entry.used = Some(used.plus(more)?);
        }
        Ok(())
    }

    /// The rows in order.
    pub fn into_entries(self) -> impl Iterator<Item = (Place, Entry)> {
        self.entries.into_iter()
    }
}

impl Entry {
    fn new(kind: RowKind, quantity: Quantity, prices: (Price, Price), (list, net): (Exact, Exact)) -> Self {
        Self { kind, quantity, list, net, packages: None, parts: 1, prices, band: None, used: None }
    }
}
