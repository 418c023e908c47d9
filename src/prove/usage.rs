//! Usage of lines from the ledger below a cut: metered again, gathered in memory. No stored bucket is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::ProveError;
use crate::clickhouse::Client;
use crate::clickhouse::read::below::Below;
use crate::clickhouse::read::past;
use crate::clickhouse::void::Void;
use crate::core::cut::CutPoint;
use crate::core::decision::stream::StreamRegister;
use crate::core::metering::definition::Meters;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::gather::{Customers, Gather};
use crate::core::pricing::period::Span;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::usage::LineUsage;
use crate::core::word::{HOUR_MS, Hour};
use crate::remeter::{Cut, Metered, Remeter, Scope};

/// What was read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Accepted events, those of holds before included.
    pub events: u64,
    /// Their readings.
    pub readings: u64,
    /// Buckets that they gave.
    pub buckets: u64,
}

impl Effort {
    /// What one piece took.
    fn of(metered: &Metered) -> Self {
        Self { events: metered.events, readings: metered.readings, buckets: metered.buckets.len() as u64 }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            readings: self.readings + other.readings,
            buckets: self.buckets + other.buckets,
        }
    }
}

/// What decisions say of streams.
#[derive(Clone, Debug)]
pub struct Streams {
    register: Arc<StreamRegister>,
    void: Void,
}

impl Streams {
    /// What a register says.
    #[must_use]
    pub fn of(register: StreamRegister) -> Self {
        let void = Void::of(register.all().map(|generation| &**generation));
        Self { register: Arc::new(register), void }
    }

    /// What is void of them.
    #[must_use]
    pub fn void(&self) -> &Void {
        &self.void
    }
}

/// A provider's ledger below a cut.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// The database.
    pub client: &'a Client,
    /// Up to where each partition counts.
    pub cut: &'a [CutPoint],
    /// The streams, as decisions up to then say.
    pub streams: &'a Streams,
    /// The definitions in force.
    pub meters: &'a Meters,
    /// Whose.
    pub provider: &'a str,
}

impl Ledger<'_> {
    /// The part of the ledger that counts.
    #[must_use]
    pub fn below(&self) -> Below<'_> {
        Below { cut: Some(self.cut), void: &self.streams.void }
    }

    /// The usages of lines of the provider, in the order of their selections: equal to what
    /// [`line_usage::read_at`](crate::clickhouse::read::line_usage::read_at) reads of buckets that count up to the cut and no further.
    /// `watch` is told of each piece that was metered, its buckets included.
    ///
    /// # Errors
    /// The server's, and a sum that does not fit 128 bits.
    pub async fn usages(
        &self,
        selections: &[LineSelection],
        mut watch: impl FnMut(&Metered, Effort),
    ) -> Result<Vec<LineUsage>, ProveError> {
        let past = past::read(self.client, self.provider, selections, self.meters, &self.below()).await?;
        let mut gather = Gather::new(selections, &past);
        let Some((first, last)) = gather.hours() else { return Ok(Vec::new()) };
        let scope = Scope {
            provider: Some(self.provider.to_owned()),
            arrays: arrays(selections),
            from: first,
            to: Hour(last.0 + 1),
        };
        let mut effort = Effort::default();
        let remeter = Remeter::new(self.client.clone(), Cut::new(self.cut)?);
        let remeter = remeter.with_register(Arc::clone(&self.streams.register));
        remeter
            .each::<ProveError>(&scope, self.meters, |metered| {
                gather.take(&metered.provider, &metered.array, &metered.buckets)?;
                effort = effort.plus(Effort::of(&metered));
                watch(&metered, effort);
                Ok(())
            })
            .await?;
        Ok(gather.finish()?)
    }

    /// The tags of customers that cells of a span bear, of any meter. `watch` as in [`Self::usages`].
    ///
    /// # Errors
    /// The server's.
    pub async fn customers(
        &self,
        span: Span,
        mut watch: impl FnMut(&Metered, Effort),
    ) -> Result<BTreeSet<Box<str>>, ProveError> {
        let (from, to) = (span.from.hour(), Hour(span.until.plus_ms(HOUR_MS - 1).hour().0));
        let scope = Scope { provider: Some(self.provider.to_owned()), arrays: Vec::new(), from, to };
        let (mut customers, mut effort) = (Customers::new(span), Effort::default());
        let remeter = Remeter::new(self.client.clone(), Cut::new(self.cut)?);
        let remeter = remeter.with_register(Arc::clone(&self.streams.register));
        remeter
            .each::<ProveError>(&scope, self.meters, |metered| {
                customers.take(&metered.buckets);
                effort = effort.plus(Effort::of(&metered));
                watch(&metered, effort);
                Ok(())
            })
            .await?;
        Ok(customers.into_tags())
    }
}

/// The arrays that lines name, if all of them name some.
fn arrays(selections: &[LineSelection]) -> Vec<String> {
    if selections.iter().any(|selection| selection.arrays.is_empty()) {
        return Vec::new();
    }
    let named: BTreeSet<&String> = selections.iter().flat_map(|selection| &selection.arrays).collect();
    named.into_iter().cloned().collect()
}

impl From<Overflow> for ProveError {
    fn from(_: Overflow) -> Self {
        ProveError::Overflow
    }
}
