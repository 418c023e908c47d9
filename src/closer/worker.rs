//! `plimsoll bill`: closes what is due, issues, materialises, audits ahead, proves what it closed; again and again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use tokio::runtime::Handle;

use super::clickhouse::ClickHouseBilling;
use super::close::{Mode, Outcome};
use super::error::CloseError;
use super::kafka::KafkaBilling;
use super::seam::BillStore as _;
use super::state::Closer;
use crate::audit::auditor::Auditor;
use crate::audit::close::ahead;
use crate::clickhouse::Client;
use crate::clickhouse::read::bucket_newest::newer;
use crate::clickhouse::read::stored;
use crate::config::Config;
use crate::core::closing::agenda;
use crate::core::closing::period::ProviderPeriod;
use crate::core::cut::Stand;
use crate::core::decision::closing::PeriodKey;
use crate::core::word::{Instant, Offset};
use crate::kafka::control::ControlFollower;
use crate::metrics::Metrics;
use crate::prove::documents::Documents;
use crate::remeter::Definitions;
use crate::run::mirror::mirror_new;

/// A refusal is looked into again after this long, also if no checkpoint moved: an audit or a person may have mended it.
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// How long a look at whether to stop may come late.
const PAUSE: Duration = Duration::from_millis(200);

/// When a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillEnd {
    /// When asked to.
    Asked,
    /// After one round in which nothing more was due.
    Once,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Periods and corrections that were closed.
    pub closed: usize,
    /// Periods past their grace that holes keep open.
    pub refused: usize,
    /// Drafts that were issued.
    pub issued: usize,
    /// Documents that were written down, or written again after a decision.
    pub materialised: usize,
}

/// A closer that works by itself.
pub struct BillWorker {
    closer: Closer<KafkaBilling, ClickHouseBilling>,
    client: Client,
    control: Arc<ControlFollower>,
    runtime: Handle,
    metrics: Arc<Metrics>,
    interval: Duration,
    audits_ahead: usize,
    mirrored: Option<u64>,
    refused: HashMap<PeriodKey, Refusal>,
    proved: HashSet<String>,
}

/// When and on what footing a close was refused.
struct Refusal {
    stands: Vec<Stand>,
    decisions: Offset,
    at: Moment,
}

impl BillWorker {
    /// A worker that has read nothing yet.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(
        config: &Config,
        control: Arc<ControlFollower>,
        runtime: Handle,
        metrics: Arc<Metrics>,
    ) -> Result<Self, CloseError> {
        let client = Client::new(&config.clickhouse);
        let closer = closer(config, &client, &control, &runtime, "plimsoll bill".to_owned())?;
        Ok(Self {
            closer,
            client,
            control,
            runtime,
            metrics,
            interval: config.bill.interval,
            audits_ahead: config.bill.audits_ahead,
            mirrored: None,
            refused: HashMap::new(),
            proved: HashSet::new(),
        })
    }

    /// Works until `stop` is set, or once. Trouble that goes away is waited out.
    ///
    /// # Errors
    /// What waiting does not mend.
    pub fn run(&mut self, end: BillEnd, stop: &AtomicBool) -> Result<Round, CloseError> {
        let mut all = Round::default();
        while !stop.load(Ordering::Acquire) {
            match self.round() {
                Ok(round) => {
                    all = all.plus(round);
                    if end == BillEnd::Once {
                        return Ok(all);
                    }
                }
                Err(error) if error.is_retryable() => tracing::warn!(%error, "billing waits"),
                Err(error) if end == BillEnd::Once => return Err(error),
                // one provider's trouble keeps nobody else's periods open: it is said again each round
                Err(error) => tracing::error!(%error, "billing"),
            }
            let since = Moment::now();
            while since.elapsed() < self.interval && !stop.load(Ordering::Acquire) {
                std::thread::sleep(PAUSE.min(self.interval));
            }
        }
        Ok(all)
    }

    /// One round: mirrors decisions, audits ahead, closes, issues, materialises, proves.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away.
    pub fn round(&mut self) -> Result<Round, CloseError> {
        self.closer.follow()?;
        self.mirror()?;
        let now = Instant(chrono::Utc::now().timestamp_millis());
        let mut round = self.close_due(now)?;
        round.issued = self.closer.issue_due()?;
        round.materialised = self.closer.materialise()?;
        self.mirror()?;
        let waiting = self.closer.waiting()?.len();
        self.metrics.drafts_waiting.set(gauge(waiting));
        self.metrics.periods_overdue.set(gauge(round.refused));
        self.prove_one()?;
        Ok(round)
    }

    fn mirror(&mut self) -> Result<(), CloseError> {
        let mut next = self.mirrored;
        self.runtime.block_on(mirror_new(&self.client, &self.control, &mut next))?;
        self.mirrored = next;
        Ok(())
    }

    /// Closes every period whose grace is over, by its end, and right before it what corrects the periods before it.
    fn close_due(&mut self, now: Instant) -> Result<Round, CloseError> {
        let mut round = Round::default();
        let Some((_, book)) = self.closer.register().newest_book() else { return Ok(round) };
        let book = book.clone();
        let spans = self.runtime.block_on(stored::spans(&self.client))?;
        for provider in book.providers.keys() {
            let usage = spans.iter().find(|span| span.provider == *provider).map(stored::StoredSpan::from);
            let opened = self.closer.register().opened(provider);
            let Some(from) = [usage, opened].into_iter().flatten().min() else { continue };
            let periods = agenda::periods(&book, provider, from, now)?;
            let open = |period: &&ProviderPeriod| self.closer.register().next_revision(&period.key) == 0;
            let open: Vec<ProviderPeriod> = periods.into_iter().filter(|period| open(&period)).collect();
            self.audit_ahead(provider, open.first())?;
            for period in open.into_iter().filter(|period| period.due() <= now) {
                self.correct(provider, &period, now)?;
                match self.close(&period, now)? {
                    Some(true) => round.closed += 1,
                    Some(false) => round.refused += 1,
                    None => {}
                }
            }
        }
        Ok(round)
    }

    fn audit_ahead(&self, provider: &str, earliest: Option<&ProviderPeriod>) -> Result<(), CloseError> {
        let Some(period) = earliest.filter(|_| self.audits_ahead > 0) else { return Ok(()) };
        let (client, most) = (self.client.clone(), self.audits_ahead);
        let work = async {
            let auditor = Auditor::new(client.clone(), Definitions::read(&client).await?);
            ahead(&auditor, Some(provider), period.key.start, most, &mut |_, _, _| {}).await
        };
        let done = self.runtime.block_on(work).map_err(|error| {
            CloseError::Seam(crate::fold::error::SeamError::retryable(format!("audits ahead: {error}")))
        })?;
        if done.audited > 0 {
            tracing::info!(provider, audited = done.audited, red = done.red, left = done.left, "audited ahead");
        }
        Ok(())
    }

    /// Corrects closed periods of a provider in which usage was accepted since (DESIGN §7): right before its next one is closed.
    fn correct(&mut self, provider: &str, next: &ProviderPeriod, now: Instant) -> Result<(), CloseError> {
        let register = self.closer.register();
        let newest = register.newest_of(provider).filter(|closed| closed.close.period != next.key);
        let moved: Vec<(PeriodKey, Vec<crate::core::cut::CutPoint>)> =
            newest.map(|closed| (closed.close.period.clone(), closed.close.cut.clone())).collect();
        for (key, cut) in moved {
            let (from, until) = (key.start, key.end);
            let moved = self.runtime.block_on(newer(&self.client, provider, (from, until), &cut))?;
            let is_due =
                moved || self.closer.register().repricing(&key, self.closer.register().next_revision(&key)).is_some();
            let of_key = |book| crate::core::closing::period::of_key(book, &key);
            let book = self.closer.register().revisions(&key).last().map(|closed| closed.close.book.clone());
            let book = book.and_then(|hash| self.closer.register().book(&hash));
            if let Some(period) = book.filter(|_| is_due).and_then(of_key) {
                self.close(&period, now)?;
            }
        }
        Ok(())
    }

    /// Closes one period. True if it is closed now, false if holes keep it open, none if nothing has changed since they did.
    fn close(&mut self, period: &ProviderPeriod, now: Instant) -> Result<Option<bool>, CloseError> {
        let (stands, decisions) = (self.closer.store().stands()?, self.closer.register().next());
        let is_same = |known: &Refusal| {
            known.stands == stands && known.decisions == decisions && known.at.elapsed() < AGAIN_AFTER
        };
        if self.refused.get(&period.key).is_some_and(is_same) {
            return Ok(Some(false));
        }
        let (provider, label) = (&*period.key.provider, &*period.label);
        match self.closer.close(period, now, Mode::Close) {
            Ok(Outcome::Closed(closing)) => {
                let (revision, drafts) = (closing.revision, closing.drafts.len());
                tracing::info!(provider, period = label, revision, drafts, "closed");
                self.refused.remove(&period.key);
                Ok(Some(true))
            }
            Ok(Outcome::Refused(holes, _)) => {
                for hole in &holes {
                    tracing::warn!(provider, period = label, "not closed: {hole}");
                }
                self.refused.insert(period.key.clone(), Refusal { stands, decisions, at: Moment::now() });
                Ok(Some(false))
            }
            Ok(Outcome::NothingToCorrect { .. } | Outcome::Would(_)) => Ok(None),
            Ok(Outcome::Contended) => Ok(Some(false)),
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => {
                tracing::error!(provider, period = label, %error, "not closed");
                self.refused.insert(period.key.clone(), Refusal { stands, decisions, at: Moment::now() });
                Ok(Some(false))
            }
        }
    }

    /// Proves one close that this process has not proved: from the ledger alone, so that a wrong document is known before it is paid.
    fn prove_one(&mut self) -> Result<(), CloseError> {
        let closes = self.closer.register().closes();
        let next = closes.iter().map(|closed| &closed.close.rating_id).find(|id| !self.proved.contains(*id)).cloned();
        let Some(rating_id) = next else { return Ok(()) };
        let proof = self.runtime.block_on(async {
            let documents = Documents::read(&self.client).await?;
            let place = documents.register().closes().iter().position(|closed| closed.close.rating_id == rating_id);
            match place {
                Some(place) => documents.close(place, None, &|_| {}).await.map(Some),
                None => Ok(None),
            }
        })?;
        if let Some(proof) = proof {
            self.metrics.proved(proof.verdicts.iter().filter(|verdict| verdict.proven).count(), proof.verdicts.len());
            if !proof.is_proven() {
                tracing::error!(rating_id, "a close is not proven: `plimsoll prove --all` says what differs");
            }
            self.proved.insert(rating_id);
        }
        Ok(())
    }
}

impl Round {
    fn plus(self, other: Self) -> Self {
        Self {
            closed: self.closed + other.closed,
            refused: other.refused,
            issued: self.issued + other.issued,
            materialised: self.materialised + other.materialised,
        }
    }
}

/// A closer over the configured log and database.
///
/// # Errors
/// Permanent if librdkafka does not accept the settings.
pub fn closer(
    config: &Config,
    client: &Client,
    control: &Arc<ControlFollower>,
    runtime: &Handle,
    actor: String,
) -> Result<Closer<KafkaBilling, ClickHouseBilling>, CloseError> {
    let log = KafkaBilling::new(&config.kafka, Arc::clone(control), runtime.clone())?;
    let store = ClickHouseBilling::new(client.clone(), runtime.clone(), Arc::clone(control));
    Ok(Closer::new(log, store, actor))
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
