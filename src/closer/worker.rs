//! `plimsoll bill`: closes what is due, issues, materialises, audits ahead, proves what it closed; again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use tokio::runtime::Handle;

use super::error::CloseError;
use super::proofs::Proofs;
use super::real::{RealCloser, closer};
use crate::audit::auditor::Auditor;
use crate::audit::close::ahead;
use crate::clickhouse::Client;
use crate::clickhouse::read::stored;
use crate::config::Config;
use crate::core::closing::agenda;
use crate::core::closing::period::ProviderPeriod;
use crate::core::cut::Stand;
use crate::core::decision::closing::PeriodKey;
use crate::core::word::{Instant, Offset};
use crate::kafka::control::ControlFollower;
use crate::metrics::Metrics;
use crate::programme::keep::Keeper;
use crate::remeter::Definitions;
use crate::run::mirror::mirror_new;

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

/// When and on what footing a close was refused.
pub(super) struct Refusal {
    pub(super) stands: Vec<Stand>,
    pub(super) decisions: Offset,
    pub(super) at: Moment,
    pub(super) waits: bool,
}

/// What came of looking at a period.
pub(super) enum Attended {
    /// It is closed now.
    Closed,
    /// Holes keep it open; `waits` if folding on mends one of them, without anybody.
    Refused { waits: bool },
    /// Nothing is to be closed.
    Nothing,
}

/// A closer that works by itself.
pub struct BillWorker {
    pub(super) closer: RealCloser,
    pub(super) client: Client,
    control: Arc<ControlFollower>,
    pub(super) runtime: Handle,
    pub(super) metrics: Arc<Metrics>,
    interval: Duration,
    audits_ahead: usize,
    mirrored: Option<u64>,
    pub(super) refused: HashMap<PeriodKey, Refusal>,
    pub(super) proofs: Proofs,
    keeper: Keeper,
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
            proofs: Proofs::default(),
            keeper: Keeper::default(),
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

    /// One round, now.
    ///
    /// # Errors
    /// As [`Self::round_at`].
    pub fn round(&mut self) -> Result<Round, CloseError> {
        self.round_at(Instant(chrono::Utc::now().timestamp_millis()))
    }

    /// One round by a clock that says this: mirrors decisions, audits ahead, closes, issues, materialises, keeps what the programme is read of,
    /// proves.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away; else what one close cannot be proved for, which keeps nothing else from its turn.
    pub fn round_at(&mut self, now: Instant) -> Result<Round, CloseError> {
        self.closer.follow()?;
        self.mirror()?;
        let mut round = self.close_due(now)?;
        self.metrics.periods_overdue.set(gauge(round.refused));
        let (issued, materialised) = (self.closer.issue_due(), self.closer.materialise());
        self.mirror()?;
        if let Ok((_, waiting)) = &issued {
            self.metrics.drafts_waiting.set(gauge(*waiting));
        }
        // whatever is wrong with one close, the programme's tables are everybody's, and others are proved: that tells what is wrong
        self.keep();
        let proved = self.prove_one();
        (round.issued, round.materialised) = (issued?.0, materialised?);
        proved?;
        Ok(round)
    }

    fn mirror(&mut self) -> Result<(), CloseError> {
        let mut next = self.mirrored;
        self.runtime.block_on(mirror_new(&self.client, &self.control, &mut next))?;
        self.mirrored = next;
        Ok(())
    }

    /// What is not kept is read of the ledger, more slowly: no trouble of a closer's.
    fn keep(&mut self) {
        if let Err(error) = self.runtime.block_on(self.keeper.round(&self.client)) {
            tracing::warn!(%error, "arrays and providers are not put together");
        }
    }

    /// Closes every period whose grace is over, by its end, and right before it what corrects the periods before it. One that only waits for
    /// workers has the later ones of its provider wait too: a checkpoint in between would have let them close first, and take credits
    /// that were the earlier one's.
    fn close_due(&mut self, now: Instant) -> Result<Round, CloseError> {
        let mut round = Round::default();
        let Some((_, book)) = self.closer.register().newest_book() else { return Ok(round) };
        let book = book.clone();
        let spans = self.runtime.block_on(stored::spans(&self.client))?;
        for provider in book.providers.keys() {
            let usage = spans.iter().find(|span| span.provider == *provider).map(stored::StoredSpan::from);
            // none: no contract names it
            let Some(from) = self.closer.register().begins(provider, usage) else { continue };
            let periods = agenda::periods(&book, provider, from, now)?;
            let open = |period: &&ProviderPeriod| self.closer.register().next_revision(&period.key) == 0;
            let open: Vec<ProviderPeriod> = periods.into_iter().filter(|period| open(&period)).collect();
            if let Err(error) = self.audit_ahead(provider, open.first()) {
                // days that are not audited keep this provider's periods open, and nobody else's
                tracing::error!(provider, %error, "audits ahead");
            }
            for period in open.into_iter().filter(|period| period.due() <= now) {
                if let Err(error) = self.correct(provider, &period, now) {
                    if error.is_of_all() {
                        return Err(error);
                    }
                    // corrections come first: they take credits that are older
                    tracing::error!(provider, %error, "not corrected");
                    round.refused += 1;
                    break;
                }
                match self.close(&period, now)? {
                    Attended::Closed => round.closed += 1,
                    Attended::Refused { waits } => {
                        round.refused += 1;
                        if waits {
                            break;
                        }
                    }
                    Attended::Nothing => {}
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

/// A number of things as metrics have it.
pub(super) fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
