//! The closer's store over ClickHouse. Calls block: the closer is a thread of its own.

mod hole;
mod rate;
mod row;

use std::sync::Arc;

use tokio::runtime::Handle;

use super::error::CloseError;
use super::seam::{Asked, BillStore, NewInvoice, NewRating, StoredDraft, Usage};
use crate::audit::vector::Vector;
use crate::clickhouse::{Client, allocation, invoice, rated_line, rating};
use crate::core::closing::hole::Hole;
use crate::core::cut::{CutPoint, Stand};
use crate::core::decision::closing::PeriodKey;
use crate::kafka::control::ControlFollower;
use crate::prove::{Ledger, Streams, Weighed, allocate, allocation_rows};

/// Ratings in one insert: some 5 KB each.
const RATING_BATCH: usize = 2_000;

/// The tables of buckets, audits, ratings and documents.
#[derive(Clone)]
pub struct ClickHouseBilling {
    client: Client,
    runtime: Handle,
    control: Arc<ControlFollower>,
}

impl ClickHouseBilling {
    /// A store that runs its calls on `runtime`, from threads that are not its own. What was decided about quarantined records it learns
    /// from the control log itself: the mirror may lag.
    #[must_use]
    pub fn new(client: Client, runtime: Handle, control: Arc<ControlFollower>) -> Self {
        Self { client, runtime, control }
    }
}

impl BillStore for ClickHouseBilling {
    fn stands(&mut self) -> Result<Vec<Stand>, CloseError> {
        let vector = self.runtime.block_on(Vector::newest(&self.client))?;
        Ok(vector.stands().to_vec())
    }

    fn holes(&mut self, period: &PeriodKey, cut: &[CutPoint]) -> Result<Vec<Hole>, CloseError> {
        self.runtime.block_on(async {
            let mut holes = hole::aside(&self.client, &self.control, period, cut).await?;
            holes.extend(hole::not_green(&self.client, period, cut).await?);
            Ok(holes)
        })
    }

    fn rate(&mut self, asked: &Asked<'_>) -> Result<Usage, CloseError> {
        self.runtime.block_on(rate::rate(&self.client, asked))
    }

    fn drafts(&mut self, rating_id: &str) -> Result<Vec<StoredDraft>, CloseError> {
        let rows = self.runtime.block_on(rating::read(&self.client, rating_id))?;
        rows.into_iter().map(row::draft).collect()
    }

    fn insert_rows(&mut self, asked: &Asked<'_>, rating: &NewRating<'_>) -> Result<bool, CloseError> {
        self.runtime.block_on(async {
            for drafts in rating.drafts.chunks(RATING_BATCH) {
                rated_line::insert(&self.client, &row::lines(rating.rating_id, drafts)?).await?;
            }
            let bought = rate::bought(asked, rating.drafts);
            let (client, book, period) = (&self.client, &asked.basis.book, &asked.period.period());
            let (provider, cut, meters) = (&*asked.period.key.provider, asked.cut, &asked.basis.meters);
            let streams = Streams::of(asked.basis.streams.clone());
            let ledger = Ledger { client, cut, streams: &streams, meters, provider };
            let weighed =
                if asked.is_old_cut { Weighed::Ledger(&ledger, &|_| {}) } else { Weighed::Buckets(Some(cut)) };
            let parts = allocate(client, book, provider, period, &bought, &weighed).await?;
            if !asked.is_old_cut && rate::moved(client, asked).await? {
                return Ok(false);
            }
            allocation::insert(client, rating.rating_id, &allocation_rows(&bought, &parts)?).await?;
            Ok(true)
        })
    }

    fn insert_headers(&mut self, rating: &NewRating<'_>) -> Result<(), CloseError> {
        for drafts in rating.drafts.chunks(RATING_BATCH) {
            let rows = row::headers(rating, drafts)?;
            self.runtime.block_on(rating::insert(&self.client, &rows))?;
        }
        Ok(())
    }

    fn reflected(&mut self, numbers: &[String]) -> Result<Vec<(String, u64)>, CloseError> {
        Ok(self.runtime.block_on(invoice::versions(&self.client, numbers))?)
    }

    fn insert_invoices(&mut self, invoices: &[NewInvoice]) -> Result<(), CloseError> {
        let row = |new: &NewInvoice| invoice::InvoiceRow::of(new).map_err(CloseError::document(&new.document.contract));
        let rows = invoices.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        Ok(self.runtime.block_on(invoice::insert(&self.client, &rows))?)
    }
}
