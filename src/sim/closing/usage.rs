//! A period rated from the simulated tables with the product's own functions: from stored buckets, or at an old cut from the ledger metered
//! again. Who reports and for whom others sell is left out: a book of the simulator names no coverage that a close wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::broker::METERS;
use super::super::database::View;
use super::super::fault::Fault;
use super::super::row::BucketRow;
use super::super::store::event_of;
use super::super::world::Seam;
use super::store::place_of;
use crate::closer::CloseError;
use crate::closer::seam::{Asked, Rated};
use crate::core::billing::detail::detail;
use crate::core::billing::proof::Proof;
use crate::core::book::model::Buyer;
use crate::core::closing::period::concerns;
use crate::core::cut::Versions;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::metering::array::ArrayMeter;
use crate::core::metering::bucket::{BucketBatch, SeriesKey};
use crate::core::metering::cell::Cell;
use crate::core::metering::definition::{Definition, OBSERVED};
use crate::core::metering::tag::TagTable;
use crate::core::pricing::error::RateError;
use crate::core::pricing::gather::{Customers, Gather, Past};
use crate::core::pricing::period::{Period, Span, local_day, period};
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::usage::LineUsage;
use crate::core::word::{Disposition, Hour, Instant, Offset};
use crate::fold::recovery::{order, readings, site};
use crate::statement::{Place, StatementError};

/// The buckets of each array of the provider.
type ByArray = BTreeMap<Arc<str>, BucketBatch>;

/// One place with what its lines ask for.
type Wanted = (Place, Period, Vec<LineSelection>);

/// Rates everything that has a document in the period.
pub(super) fn rate(seam: &Seam, asked: &Asked<'_>) -> Result<Vec<Rated>, CloseError> {
    let buckets = if asked.is_old_cut { from_ledger(seam, asked) } else { from_buckets(seam, asked)? };
    let wanted = wanted(asked, &buckets)?;
    let selections: Vec<LineSelection> = wanted.iter().flat_map(|(.., lines)| lines).cloned().collect();
    let past = Past::default();
    let mut gather = Gather::new(&selections, &past);
    for (array, batch) in &buckets {
        gather.take(&asked.period.key.provider, array, batch)?;
    }
    let usages = gather.finish()?;
    let mut usages = usages.as_slice();
    let one = |(place, period, lines): &Wanted| {
        let own = usages.split_off(..lines.len()).unwrap_or_default();
        (place.clone(), rated(asked, place, period, own))
    };
    Ok(wanted.iter().map(one).collect())
}

fn rated(asked: &Asked<'_>, place: &Place, period: &Period, usages: &[LineUsage]) -> RatedOne {
    let (book, hash, customer) = (&asked.basis.book, &asked.basis.hash, place.customer.as_deref());
    let rating = (asked.version.rate)(book, &place.contract, customer, period, usages)?;
    let credits = (asked.credits)(place, rating.currency.places);
    let rating = rating.credited(&credits, period.end)?;
    let versions = Versions { fold: FOLD_VERSION, rate: asked.version.number };
    let proof = Proof { cut: asked.cut.to_vec(), after: asked.after.0, versions };
    let document = (asked.version.document)(book, hash, &place.contract, customer, period, &rating, &proof)?;
    Ok((document, detail(book, &place.contract, customer, period, usages)?))
}

/// What one place comes to.
type RatedOne =
    Result<(crate::core::billing::document::Document, crate::core::billing::detail::Detail), StatementError>;

/// Everything that may have a document, with what it asks for.
fn wanted(asked: &Asked<'_>, buckets: &ByArray) -> Result<Vec<Wanted>, CloseError> {
    let key = &asked.period.key;
    let span = Span { from: key.start, until: key.end };
    let mut seen = Customers::new(span);
    buckets.values().for_each(|batch| seen.take(batch));
    let seen = seen.into_tags();
    let mut wanted = Vec::new();
    for (id, contract) in asked.basis.book.contracts.iter().filter(|(_, contract)| concerns(contract, &key.provider)) {
        let label = local_day(contract.time_zone, key.start).map(|day| day.format("%Y-%m").to_string());
        let own = period(contract, &label.unwrap_or_default())?;
        if own.span() != span {
            continue;
        }
        let customers: Vec<Option<String>> = match contract.buyer {
            Buyer::EachCustomer => seen.iter().map(|tag| Some(tag.to_string())).collect(),
            _ => vec![None],
        };
        for customer in customers {
            match (asked.version.selections)(&asked.basis.book, id, customer.as_deref(), &own) {
                Ok(lines) => wanted.push((Place { contract: id.clone(), customer }, own.clone(), lines)),
                Err(RateError::NotInForce { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(wanted)
}

/// The newest version of each bucket; between two arrays others may work.
fn from_buckets(seam: &Seam, asked: &Asked<'_>) -> Result<ByArray, CloseError> {
    let key = &asked.period.key;
    let (from, until) = (key.start.hour(), key.end.hour());
    let arrays: Vec<Arc<str>> = {
        let database = seam.world.database.borrow();
        let own = database.buckets.keys().filter(|bucket| *bucket.series.provider == *key.provider);
        let mut arrays: Vec<Arc<str>> = own.map(|bucket| Arc::clone(&bucket.series.array)).collect();
        arrays.dedup();
        arrays
    };
    let mut found = ByArray::new();
    for array in arrays {
        seam.call(Fault::StoreAway)?;
        let database = seam.world.database.borrow();
        let batch = found.entry(Arc::clone(&array)).or_default();
        for (bucket, versions) in &database.buckets {
            let is_own = *bucket.series.provider == *key.provider && bucket.series.array == array;
            if let Some(row) = versions.values().next_back().filter(|_| is_own && (from..=until).contains(&bucket.hour))
            {
                push(batch, &bucket.series, bucket.hour, row);
            }
        }
    }
    Ok(found)
}

/// Puts a stored bucket into a batch as it was put out.
fn push(batch: &mut BucketBatch, series: &Arc<SeriesKey>, hour: Hour, row: &BucketRow) {
    let known = METERS.iter().find(|(name, _)| *name == &*series.meter).map(|(_, definition)| *definition);
    let definition = known.unwrap_or(if *series.meter == *OBSERVED { Definition::OBSERVED } else { METERS[0].1 });
    let mut tags = TagTable::default();
    let cells: Vec<Cell> = row
        .cells
        .iter()
        .map(|cell| {
            let (customer, tier) = (cell.tags.customer.as_deref(), cell.tags.tier.as_deref());
            Cell {
                index: cell.index,
                tags: tags.intern(None, customer, tier, cell.tags.site.as_deref()),
                amount: cell.amount,
                observed_ms: cell.observed_ms,
                count: cell.count,
                min: cell.min,
                max: cell.max,
                last: cell.last,
            }
        })
        .collect();
    batch.push(series, &definition, hour, &cells, &tags);
}

/// The buckets that the accepted rows below the cut make.
fn from_ledger(seam: &Seam, asked: &Asked<'_>) -> ByArray {
    let (broker, database) = (seam.world.broker.borrow(), seam.world.database.borrow());
    let mut arrays: BTreeMap<Arc<str>, ArrayMeter> = BTreeMap::new();
    for point in asked.cut {
        let Some((place, below)) = place_of(&broker, point) else { continue };
        let (generation, decided) = (broker.of_place(place).0.rules.generation, asked.basis.streams.get(&point.stream));
        for row in database.ledger(place, 0, below, View::WHOLE) {
            let is_void = decided.is_some_and(|of| of.is_void(point.partition, Offset(row.offset)));
            let is_own = row.provider == asked.period.key.provider;
            if row.disposition == Disposition::Accepted.number() && is_own && !is_void {
                let event = event_of(generation, row, None);
                let array: Arc<str> = event.array.as_str().into();
                let meter = arrays.entry(array).or_insert_with(|| ArrayMeter::keeping_all(&row.provider, &row.array));
                let lines = readings(&event);
                meter.restore(order(&event), site(&event), lines, &asked.basis.meters, Instant(i64::MIN));
            }
        }
    }
    let (from, until) = (asked.period.key.start.hour(), asked.period.key.end.hour());
    let batch = |meter: ArrayMeter| {
        let mut batch = BucketBatch::default();
        meter.put_out_hours(|_| (from.0..=until.0).map(Hour), &mut batch);
        batch
    };
    arrays.into_iter().map(|(array, meter)| (array, batch(meter))).collect()
}
