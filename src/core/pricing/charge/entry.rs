//! The rows of a line while its parts are added up: per segment, kind and band, rounded once each (PRICING §10).

use std::collections::BTreeMap;

use super::band::{Band, Bands, Edge};
use super::price::Price;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::exact::Exact;
use crate::core::pricing::row_kind::RowKind;

/// A row's place: commitments first, then by segment and band, each band's flat after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    above_commitment: bool,
    /// Which segment.
    pub segment: usize,
    /// Which band.
    pub band: usize,
    flat: bool,
}

/// A band's edges: above `over`, up to and with `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Lower edge, exclusive; none is 0.
    pub over: Option<Edge>,
    /// Upper edge, inclusive.
    pub up_to: Option<Edge>,
}

impl Range {
    /// The range with percent edges as quantities of this commitment; they stay percents if there is no single one.
    pub fn of(self, commitment: Option<Decimal>) -> Result<Self, Overflow> {
        let Some(commitment) = commitment else { return Ok(self) };
        let over = self.over.map(|edge| edge.of(commitment)).transpose()?;
        Ok(Self { over, up_to: self.up_to.map(|edge| edge.of(commitment)).transpose()? })
    }

    /// The lower edge as documents show it.
    #[must_use]
    pub fn over(&self) -> String {
        self.over.unwrap_or(Edge::Quantity(Decimal::ZERO)).to_string()
    }

    /// The upper edge as documents show it.
    #[must_use]
    pub fn up_to(&self) -> Option<String> {
        self.up_to.map(|edge| edge.to_string())
    }
}

/// A row so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it charges for.
    pub kind: RowKind,
    /// Σ quantity; of flats the number of times.
    pub quantity: Decimal,
    /// Σ exact amount at list prices.
    pub list: Exact,
    /// Σ exact amount at net prices.
    pub net: Exact,
    /// Σ packages.
    pub packages: Option<i128>,
    /// How many parts.
    pub parts: usize,
    /// Unit price.
    pub price: Price,
    /// The band's edges; a commitment has none.
    pub band: Option<Range>,
    /// Of a commitment: what of it was used.
    pub used: Option<Decimal>,
}

/// The rows of a line so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    entries: BTreeMap<Place, Entry>,
}

impl Tally {
    /// Adds a part's portion in a band, and the band's flat.
    pub fn portion(
        &mut self,
        kind: RowKind,
        (segment, index): (usize, usize),
        bands: &Bands,
        portion: Decimal,
    ) -> Result<(), Overflow> {
        let band = &bands.as_slice()[index];
        let over = index.checked_sub(1).and_then(|below| bands.as_slice()[below].up_to);
        let range = Some(Range { over, up_to: band.up_to });
        let place = Place { above_commitment: true, segment, band: index, flat: false };
        self.add(place, Entry { band: range, ..Entry::of_band(kind, band, portion)? })?;
        if let Some(price) = band.flat {
            let (list, net) = (Exact::times(1, price.list)?, Exact::times(1, price.net)?);
            let entry = Entry::new(RowKind::Flat, Decimal::ONE, price, list, net);
            self.add(Place { flat: true, ..place }, Entry { band: range, ..entry })?;
        }
        Ok(())
    }

    /// Adds a part's commitment in a segment, and what was used of it (PRICING §6).
    pub fn commitment(
        &mut self,
        segment: usize,
        price: Price,
        quantity: Decimal,
        used: Decimal,
    ) -> Result<(), Overflow> {
        let (list, net) = (Exact::product(quantity, price.list)?, Exact::product(quantity, price.net)?);
        let entry = Entry::new(RowKind::Commitment, quantity, price, list, net);
        let place = Place { above_commitment: false, segment, band: 0, flat: false };
        self.add(place, Entry { used: Some(used), ..entry })
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
    fn new(kind: RowKind, quantity: Decimal, price: Price, list: Exact, net: Exact) -> Self {
        Self { kind, quantity, list, net, packages: None, parts: 1, price, band: None, used: None }
    }

    fn of_band(kind: RowKind, band: &Band, portion: Decimal) -> Result<Self, Overflow> {
        let cost = band.cost(portion)?;
        let entry = Self::new(kind, portion, band.price, cost.list, cost.net);
        Ok(Self { packages: cost.packages, ..entry })
    }
}
