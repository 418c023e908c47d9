//! The closer's store over the simulated tables: it shows what a replica has, and its inserts may fail in every way.

use std::collections::BTreeMap;

use super::super::broker::Broker;
use super::super::database::{Part, View};
use super::super::fault::Fault;
use super::super::store::send;
use super::super::world::Seam;
use super::hole;
use super::rival::rival;
use super::table::{BillPart, Header};
use super::usage;
use crate::closer::CloseError;
use crate::closer::seam::{Asked, BillStore, NewInvoice, NewRating, StoredDraft, Usage};
use crate::core::closing::hole::Hole;
use crate::core::cut::{CutPoint, Stand};
use crate::core::decision::closing::PeriodKey;
use crate::core::word::Instant;

/// The tables for one closer.
#[derive(Debug)]
pub(in crate::sim) struct SimBillStore {
    pub(super) seam: Seam,
}

impl SimBillStore {
    pub(super) fn new(seam: Seam) -> Self {
        Self { seam }
    }

    fn view(&self) -> View {
        self.seam.world.database.borrow().view(self.seam.pid)
    }

    fn send(&self, parts: Vec<BillPart>) -> Result<(), CloseError> {
        Ok(send(&self.seam, parts.into_iter().map(|part| Part::Bill(Box::new(part))).collect())?)
    }

    /// Whether a bucket of the provider in [from, until) counts more than a cut.
    pub(super) fn newer(&self, (from, until): (Instant, Instant), cut: &[CutPoint]) -> bool {
        let (database, broker) = (self.seam.world.database.borrow(), self.seam.world.broker.borrow());
        let most: BTreeMap<u32, u64> = cut.iter().filter_map(|point| place_of(&broker, point)).collect();
        let of_period = database.buckets.iter().filter(|(key, _)| {
            *key.series.provider == *super::PROVIDER && key.hour.end() > from && key.hour.start() < until
        });
        let mut newest = of_period.filter_map(|(_, versions)| versions.values().next_back());
        newest.any(|row| most.get(&row.partition).is_none_or(|most| row.as_of > *most))
    }
}

impl BillStore for SimBillStore {
    fn stands(&mut self) -> Result<Vec<Stand>, CloseError> {
        rival(&self.seam);
        self.seam.call(Fault::StoreAway)?;
        let (view, broker) = (self.view(), self.seam.world.broker.borrow());
        let database = self.seam.world.database.borrow();
        let mut stands = Vec::new();
        for place in 0..broker.partitions.len() as u32 {
            let (stream, partition) = broker.of_place(place);
            if let Some(newest) = database.newest(place, view) {
                let point = CutPoint { stream: stream.rules.stream.clone(), partition, offset: newest.next };
                let (generation, control, log_time) = (newest.generation, newest.control, newest.log_time);
                stands.push(Stand { point, generation, control, log_time });
            }
        }
        Ok(stands)
    }

    fn holes(&mut self, period: &PeriodKey, cut: &[CutPoint]) -> Result<Vec<Hole>, CloseError> {
        self.seam.call(Fault::StoreAway)?;
        let (broker, database) = (self.seam.world.broker.borrow(), self.seam.world.database.borrow());
        Ok(hole::aside(&broker, &database, period, cut))
    }

    fn rate(&mut self, asked: &Asked<'_>) -> Result<Usage, CloseError> {
        self.seam.call(Fault::StoreAway)?;
        let found = usage::rate(&self.seam, asked)?;
        self.seam.call(Fault::StoreAway)?;
        // looked at after they were read: versions only grow
        let moved = !asked.is_old_cut && self.newer((Instant(0), asked.period.key.end), asked.cut);
        if moved {
            self.seam.world.trace(|| "buckets count more than the cut".to_owned());
        }
        Ok(if moved { Usage::Moved } else { Usage::AtCut(found) })
    }

    fn drafts(&mut self, rating_id: &str) -> Result<Vec<StoredDraft>, CloseError> {
        self.seam.call(Fault::StoreAway)?;
        Ok(self.seam.world.database.borrow().bill.drafts(rating_id, self.view().bill))
    }

    fn insert_rows(&mut self, asked: &Asked<'_>, rating: &NewRating<'_>) -> Result<bool, CloseError> {
        rival(&self.seam);
        let id = || rating.rating_id.to_owned();
        let rows = |draft: &StoredDraft| BillPart::Lines(id(), draft.place.clone(), draft.document.rows.clone());
        self.send(rating.drafts.iter().map(rows).collect())?;
        if !asked.is_old_cut && self.newer((Instant(0), asked.period.key.end), asked.cut) {
            return Ok(false);
        }
        self.send(vec![BillPart::Allocation(id())])?;
        Ok(true)
    }

    fn insert_headers(&mut self, rating: &NewRating<'_>) -> Result<(), CloseError> {
        let header = |draft: &StoredDraft| {
            let header = Header { draft: draft.clone(), inputs: rating.inputs.clone() };
            BillPart::Header(rating.rating_id.to_owned(), Box::new(header))
        };
        self.send(rating.drafts.iter().map(header).collect())
    }

    fn reflected(&mut self, numbers: &[String]) -> Result<Vec<(String, u64)>, CloseError> {
        self.seam.call(Fault::StoreAway)?;
        let (database, shown) = (self.seam.world.database.borrow(), self.view().bill);
        let of = |number: &String| Some((number.clone(), database.bill.reflected(number, shown)?));
        Ok(numbers.iter().filter_map(of).collect())
    }

    fn insert_invoices(&mut self, invoices: &[NewInvoice]) -> Result<(), CloseError> {
        self.send(invoices.iter().map(|invoice| BillPart::Invoice(Box::new(invoice.clone()))).collect())
    }
}

/// A place of a cut that a checkpoint or an end made, as the broker counts places.
pub(super) fn place_of(broker: &Broker, point: &CutPoint) -> Option<(u32, u64)> {
    let stream = broker.streams.iter().find(|stream| stream.rules.stream == point.stream)?;
    Some((stream.first + point.partition.0, point.offset.0))
}
