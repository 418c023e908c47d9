//! What `plimsoll bill` does about one period: corrects those before it, closes it, remembers why it could not, proves what was closed.

use std::time::{Duration, Instant as Moment};

use super::close::{Mode, Outcome};
use super::error::CloseError;
use super::seam::BillStore as _;
use super::worker::{Attended, BillWorker, Refusal, gauge};
use crate::clickhouse::proof::insert;
use crate::clickhouse::read::bucket_newest::newer;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::{ProviderPeriod, of_key};
use crate::core::decision::closing::Close;
use crate::core::word::Instant;
use crate::prove::ProveError;
use crate::prove::documents::Documents;

/// A refusal is looked into again after this long, also if no checkpoint moved: an audit or a person may have mended it.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

impl BillWorker {
    /// Corrects closed periods of a provider in which usage was accepted since (DESIGN §7): right before its next one is closed.
    pub(super) fn correct(&mut self, provider: &str, next: &ProviderPeriod, now: Instant) -> Result<(), CloseError> {
        let newest = self.closer.register().newest_of(provider).map(|closed| closed.close.clone());
        let earlier: Vec<Close> = newest.filter(|close| close.period != next.key).collect();
        for Close { period: key, cut, book, .. } in earlier {
            let moved = self.runtime.block_on(newer(&self.client, provider, (key.start, key.end), &cut))?;
            let register = self.closer.register();
            let is_due = moved || register.repricing(&key, register.next_revision(&key)).is_some();
            let period = register.book(&book).and_then(|book| of_key(book, &key));
            if let Some(period) = period.filter(|_| is_due) {
                self.close(&period, now)?;
            }
        }
        Ok(())
    }

    /// Closes one period, unless nothing has changed since holes kept it open.
    pub(super) fn close(&mut self, period: &ProviderPeriod, now: Instant) -> Result<Attended, CloseError> {
        let (stands, decisions) = (self.closer.store().stands()?, self.closer.register().next());
        let is_same = |known: &Refusal| {
            known.stands == stands && known.decisions == decisions && known.at.elapsed() < AGAIN_AFTER
        };
        if let Some(known) = self.refused.get(&period.key).filter(|known| is_same(known)) {
            return Ok(Attended::Refused { waits: known.waits });
        }
        let (provider, label) = (&*period.key.provider, &*period.label);
        match self.closer.close(period, now, Mode::Close) {
            Ok(Outcome::Closed(closing)) => {
                let (revision, drafts) = (closing.revision, closing.drafts.len());
                tracing::info!(provider, period = label, revision, drafts, "closed");
                self.refused.remove(&period.key);
                Ok(Attended::Closed)
            }
            Ok(Outcome::Refused(holes, _)) => {
                for hole in &holes {
                    tracing::warn!(provider, period = label, "not closed: {hole}");
                }
                let waits = holes.iter().any(Hole::passes);
                self.refused.insert(period.key.clone(), Refusal { stands, decisions, at: Moment::now(), waits });
                Ok(Attended::Refused { waits })
            }
            Ok(Outcome::NothingToCorrect { .. } | Outcome::Would(_)) => Ok(Attended::Nothing),
            Ok(Outcome::Contended) => Ok(Attended::Refused { waits: true }),
            Err(error) if error.is_of_all() => Err(error),
            Err(error) => {
                tracing::error!(provider, period = label, %error, "not closed");
                let waits = error.is_retryable();
                if !waits {
                    self.refused.insert(period.key.clone(), Refusal { stands, decisions, at: Moment::now(), waits });
                }
                Ok(Attended::Refused { waits })
            }
        }
    }

    /// Proves one close that this process has not proved: from the ledger alone, so that a wrong document is known before it is paid.
    pub(super) fn prove_one(&mut self) -> Result<(), CloseError> {
        let closes = self.closer.register().closes().iter().map(|closed| &closed.close.rating_id);
        let Some(rating_id) = self.proofs.next(closes, Moment::now()).cloned() else { return Ok(()) };
        let proved = self.prove(&rating_id);
        match &proved {
            Err(CloseError::Prove(error @ ProveError::Version { .. })) => {
                // a newer build closed it and proves it: it keeps this one from nothing else
                tracing::warn!(rating_id, %error, "a close is not proved here");
                self.proofs.settle(rating_id);
                return Ok(());
            }
            Err(error) if error.is_of_all() => {}
            Err(error) => {
                let again_in_s = self.proofs.fail(rating_id.clone(), Moment::now()).as_secs();
                tracing::error!(rating_id, %error, again_in_s, "the proof of a close ends in an error");
            }
            // what is not mirrored yet is asked for again
            Ok(false) => {}
            Ok(true) => self.proofs.settle(rating_id),
        }
        self.metrics.prove_errors.set(gauge(self.proofs.failing()));
        proved.map(|_| ())
    }

    /// Proves a close, tells what came of it and stores that. Whether its decision is mirrored, so that it could be.
    fn prove(&self, rating_id: &str) -> Result<bool, CloseError> {
        let proof = self.runtime.block_on(async {
            let documents = Documents::read(&self.client).await?;
            let place = documents.register().closes().iter().position(|closed| closed.close.rating_id == rating_id);
            match place {
                Some(place) => documents.close(place, None, &|_| {}).await.map(Some),
                None => Ok(None),
            }
        })?;
        let Some(proof) = proof else { return Ok(false) };
        let row = proof.row(rating_id, crate::programme::watch::now());
        self.runtime.block_on(insert(&self.client, &row))?;
        proof.tell(&self.metrics);
        if !proof.is_proven() {
            tracing::error!(rating_id, "a close is not proven: `plimsoll prove --all` says what differs");
        }
        Ok(true)
    }
}
