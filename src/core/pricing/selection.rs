//! Which readings a contract's usage lines price (PRICING §1): what the shell is to read from metering.

use std::sync::Arc;

use super::error::RateError;
use super::party;
use super::period::{Period, Span};
use super::terms::{self, Segment};
use super::window::windows;
use crate::core::book::model::{Book, Charge, Contract, Line, Per, Statistic, UsageRate};
use crate::core::word::{Instant, Kind};

/// How long `gap = "hold"` keeps the last level (PRICING §12): 3 days.
pub const HOLD_MS: i64 = 3 * 86_400_000;

/// How finely a line's readings are wanted: sums are exact either way, so the coarsest that the statistic allows is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// One sum a window: these are the instants at which a window, or the time between two, begins; by rising time, the first is
    /// [`LineSelection::from`].
    Window(Arc<[Instant]>),
    /// The meter's own cells: a percentile ranks them, and a gap that is held ends in the middle of a day.
    Cell,
}

/// What to read for one usage line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSelection {
    /// Which line of the contract, from 0.
    pub line: usize,
    /// Its id.
    pub id: String,
    /// The meter.
    pub meter: String,
    /// The kind of resource.
    pub kind: Kind,
    /// The tier; none = any.
    pub tier: Option<String>,
    /// The statistic.
    pub statistic: Statistic,
    /// The provider whose arrays are read.
    pub provider: String,
    /// Only these sites; empty = all.
    pub sites: Vec<String>,
    /// Only these arrays; empty = all.
    pub arrays: Vec<String>,
    /// Retail: only readings with one of these tags of a customer.
    pub customers: Option<Vec<String>>,
    /// How to group the series: by array or resource, or all in one pool. A line with `gap = "hold"` is read by resource: each holds its own level.
    pub per: Option<Per>,
    /// How finely.
    pub grain: Grain,
    /// First instant to read: earlier than the contract's part where levels of before it may have to be held.
    pub from: Instant,
    /// The first instant not to read.
    pub until: Instant,
    /// The contract's part of the period inside it: more than one span only if the customer had a contract of its own between.
    pub part: Vec<Span>,
    /// Demonstration arrays, and the instant at which they stop being any: their readings before it are left out.
    pub demo: Vec<(String, Option<Instant>)>,
}

impl LineSelection {
    /// The same with its windows read in two at these instants; cells are not cut.
    #[must_use]
    pub fn cut_at(&self, instants: impl Iterator<Item = Instant>) -> Self {
        let Grain::Window(edges) = &self.grain else { return self.clone() };
        let mut edges: Vec<Instant> = edges.to_vec();
        edges.extend(instants.filter(|instant| self.from <= *instant && *instant < self.until));
        edges.sort_unstable();
        edges.dedup();
        Self { grain: Grain::Window(edges.into()), ..self.clone() }
    }
}

/// What to read for each usage line of a contract, in the order of its lines (PRICING §1). [`super::rating::rate`] wants one
/// usage for each, in this order.
pub fn selections(
    book: &Book,
    contract_id: &str,
    customer: Option<&str>,
    period: &Period,
) -> Result<Vec<LineSelection>, RateError> {
    let contract = party::contract(book, contract_id)?;
    let customer = party::rated_customer(contract_id, contract, customer)?;
    let part = party::part(book, contract, customer, period);
    let (Some(first), Some(last)) = (part.first(), part.last()) else {
        return Err(RateError::NotInForce { contract: contract_id.to_owned(), label: period.label.clone() });
    };
    let hull = Span { from: first.from, until: last.until };
    let mut selections = Vec::new();
    for (index, line) in contract.lines.iter().enumerate() {
        let segments = segments(book, contract_id, contract, line, &part)?;
        if let Some(Charge::Usage(rate)) = segments.last().map(|segment| &segment.rate.charge) {
            let mut selection = select(contract, index, line, rate, hull);
            selection.customers = customer.map(|customer| party::tags(book, party::provider(contract), customer));
            selection.demo = demo(book, hull.from);
            if rate.statistic != Statistic::P95 && !line.gap_hold {
                let mut cuts = terms::cuts(&segments, line);
                cuts.extend(selection.demo.iter().filter_map(|(_, until)| *until));
                selection.grain = Grain::Window(edges(&windows(contract.time_zone, &part, &cuts)));
            }
            selection.part = part.clone();
            selections.push(selection);
        }
    }
    Ok(selections)
}

fn segments<'book>(
    book: &'book Book,
    contract_id: &str,
    contract: &Contract,
    line: &Line,
    part: &[Span],
) -> Result<Vec<Segment<'book>>, RateError> {
    let card = book.cards.get(&contract.card).ok_or_else(|| RateError::Dangling {
        contract: contract_id.to_owned(),
        what: format!("card {}", contract.card),
    })?;
    terms::segments(card, contract, line, part)
}

/// Where windows begin, and where the time between two of them does.
fn edges(windows: &[Span]) -> Arc<[Instant]> {
    let mut edges: Vec<Instant> = windows.iter().map(|window| window.from).collect();
    edges.extend(windows.windows(2).filter(|pair| pair[0].until < pair[1].from).map(|pair| pair[0].until));
    edges.sort_unstable();
    edges.into()
}

fn select(contract: &Contract, index: usize, line: &Line, rate: &UsageRate, hull: Span) -> LineSelection {
    let lead = if line.gap_hold { HOLD_MS } else { 0 };
    LineSelection {
        line: index,
        id: line.id.clone(),
        meter: rate.meter.clone(),
        kind: rate.of,
        tier: rate.tier.clone(),
        statistic: rate.statistic,
        provider: party::provider(contract).to_owned(),
        sites: line.sites.clone(),
        arrays: line.arrays.clone(),
        customers: None,
        per: if line.gap_hold { Some(Per::Resource) } else { line.per },
        grain: Grain::Cell,
        from: hull.from.plus_ms(-lead),
        until: hull.until,
        part: Vec::new(),
        demo: Vec::new(),
    }
}

/// The arrays that are for demonstration at or after an instant.
fn demo(book: &Book, from: Instant) -> Vec<(String, Option<Instant>)> {
    let demo = book.arrays.iter().filter(|(_, purpose)| purpose.demo && purpose.until.is_none_or(|until| until > from));
    demo.map(|(array, purpose)| (array.clone(), purpose.until)).collect()
}
