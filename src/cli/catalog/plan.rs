//! `plimsoll catalog plan`: what publishing a book would change, before anything happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;

use super::published::history;
use super::{Format, REFUSED, refusals, source, summary};
use crate::cli::closing::register;
use crate::cli::control::follow;
use crate::cli::effects;
use crate::cli::output::say;
use crate::cli::progress::Progress;
use crate::clickhouse::Client;
use crate::clickhouse::read::rating;
use crate::clickhouse::read::stored::{StoredSpan, keys, spans};
use crate::config::Config;
use crate::core::billing::effect::{ClosedPeriod, Effect, Sum, Total, Totals};
use crate::core::book::Book;
use crate::core::book::change::changes;
use crate::core::book::uncovered::{Reported, Wholesale, unclaimed};
use crate::core::closing::period::{self, concerns};
use crate::core::closing::register::Register;
use crate::core::decision::closing::PeriodKey;
use crate::core::pricing::calendar;
use crate::core::pricing::party;
use crate::core::pricing::period::period;
use crate::core::word::{Instant, Kind};
use crate::kafka::control::ControlFollower;
use crate::statement::comparison::AT_ONCE;
use crate::statement::{Comparison, Rater};

/// What is told; also its form as JSON.
#[derive(Debug, Default, Serialize)]
struct Plan {
    /// The newest published book; none before the first.
    published: Option<String>,
    /// The book of the directory.
    hash: String,
    changes: Vec<String>,
    warnings: Vec<String>,
    /// Every statement of a period with stored usage; `closed` says which of them must not move.
    effects: Vec<Effect>,
    totals: Vec<Total>,
    /// Why `catalog apply` would refuse it.
    refusals: Vec<String>,
}

/// Compares the book of a directory with the newest published one, over all stored usage.
pub(super) async fn run(config: &Config, directory: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let Some(book) = source::read(directory)? else { return Ok(ExitCode::from(REFUSED)) };
    let control = follow(config)?;
    let (history, closed) = (history(&control), closed(&register(&control)));
    let newest = history.last();
    let old = newest.map_or(Ok(Book::default()), |newest| newest.read())?;
    let mut plan = Plan {
        published: newest.map(|newest| newest.hash.clone()),
        hash: book.hash()?,
        changes: changes(&old, &book)?,
        warnings: book.warnings(),
        refusals: [refusals(&history, &book)?, rebound(&control, &book)].concat(),
        ..Plan::default()
    };
    let client = Client::new(&config.clickhouse);
    let spans = spans(&client).await.context("cannot read usage; was `plimsoll migrate` run?")?;
    plan.warnings.extend(new_meters(&old, &book));
    for span in &spans {
        plan.warnings.extend(left_out(&client, &book, span).await.context("cannot read usage")?);
    }
    let now = Rater::with_book(&client, old, plan.published.clone().unwrap_or_default()).await?;
    let then = Rater::with_book(&client, book.clone(), plan.hash.clone()).await?;
    plan.rate(&Comparison::new(now, then), &spans, &closed, false).await?;
    match format {
        Format::Json => say(format_args!("{}", serde_json::to_string_pretty(&plan)?))?,
        Format::Table => plan.print(&book)?,
    }
    for refusal in &plan.refusals {
        eprintln!("plimsoll: {refusal}");
    }
    Ok(if plan.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// The periods that are closed.
fn closed(register: &Register) -> Vec<ClosedPeriod> {
    let shown =
        |key: PeriodKey| ClosedPeriod { provider: key.provider, start: key.start.rfc3339(), end: key.end.rfc3339() };
    closed_keys(register).into_iter().map(shown).collect()
}

/// The closed periods, each once.
fn closed_keys(register: &Register) -> BTreeSet<PeriodKey> {
    register.closes().iter().map(|closed| closed.close.period.clone()).collect()
}

/// The closed periods whose bounds another book would move, in words. No re-pricing mends that.
pub(super) fn rebound(control: &ControlFollower, book: &Book) -> Vec<String> {
    let register = register(control);
    let mut told = BTreeSet::new();
    for close in register.closes().iter().map(|closed| &closed.close) {
        let Some(own) = register.book(&close.book) else { continue };
        told.extend(period::rebound(own, &close.period, book).into_iter().map(|id| {
            format!(
                "contract {id} would have other periods in the closed one from {} to {}, and that time would be billed twice or never: leave \
                 time_zone and anchor_day as they are, or end it with until and begin another contract",
                close.period.start, close.period.end
            )
        }));
    }
    told.into_iter().collect()
}

/// A closed period that another book would change.
pub(super) struct Reopened {
    /// Which.
    pub(super) period: PeriodKey,
    /// Which revision its next close will be.
    pub(super) revision: u32,
    /// What the book does to it, in words.
    pub(super) told: Vec<String>,
}

/// The closed periods that another book would change (PRICING §14).
pub(super) async fn reopened(config: &Config, control: &ControlFollower, book: &Book) -> anyhow::Result<Vec<Reopened>> {
    let register = register(control);
    let keys = closed_keys(&register);
    let history = history(control);
    let (Some(newest), false) = (history.last(), keys.is_empty()) else { return Ok(Vec::new()) };
    let client = Client::new(&config.clickhouse);
    let mut spans = spans(&client).await.context("cannot read usage; was `plimsoll migrate` run?")?;
    // a commitment or a minimum is billed of a period without usage too
    for key in &keys {
        let (first, end) = (key.start.0, key.end.0);
        match spans.iter_mut().find(|span| span.provider == key.provider) {
            Some(span) => (span.first, span.end) = (span.first.min(first), span.end.max(end)),
            None => spans.push(StoredSpan { provider: key.provider.clone(), first, end }),
        }
    }
    let now = Rater::with_book(&client, newest.read()?, newest.hash.clone()).await?;
    let then = Rater::with_book(&client, book.clone(), book.hash()?).await?;
    let mut plan = Plan::default();
    plan.rate(&Comparison::new(now, then), &spans, &closed(&register), true).await?;
    let mut found = Vec::new();
    for key in keys {
        let (start, end) = (key.start.rfc3339(), key.end.rfc3339());
        let is_own = |effect: &&Effect| {
            effect.closed
                && effect.moves
                && (&effect.start, &effect.end) == (&start, &end)
                && effect.provider == key.provider
        };
        let told = plan.effects.iter().filter(is_own).map(refusal).collect::<Vec<_>>();
        if !told.is_empty() {
            found.push(Reopened { revision: register.next_revision(&key), period: key, told });
        }
    }
    Ok(found)
}

fn refusal(effect: &Effect) -> String {
    let sum =
        |sum: &Option<Sum>| sum.as_ref().map_or("nothing".to_owned(), |sum| format!("{} {}", sum.total, sum.currency));
    format!(
        "the closed period {} of contract {} ({}) would change from {} to {}; leave its terms as they are, or re-price it: `catalog apply` \
         with --reprice REASON",
        effect.period,
        effect.contract,
        effect.buyer,
        sum(&effect.now),
        sum(&effect.then)
    )
}

/// Usage of a meter that no book has defined yet is metered once one does, and is in no figure before.
pub(in crate::cli) fn new_meters(old: &Book, new: &Book) -> Vec<String> {
    let new = new.meters.keys().filter(|name| !old.meters.contains_key(*name));
    new.map(|name| {
        format!("meter {name} is new: its stored readings are metered once it is published, so no figure here has them")
    })
    .collect()
}

/// Stored usage of a provider that no wholesale line prices, and tags that no customer claims.
async fn left_out(client: &Client, book: &Book, span: &StoredSpan) -> Result<Vec<String>, crate::clickhouse::Error> {
    let mut wholesale = Wholesale::of(book, &span.provider);
    let mut rows = keys(client, &span.provider, &wholesale.meters())?;
    while let Some(row) = rows.next().await? {
        let Some(kind) = Kind::parse(&row.of) else { continue };
        wholesale.add(Reported {
            kind,
            array: row.reporter,
            site: row.place,
            meter: row.measured,
            tier: row.service,
            from: Instant(row.first),
            until: Instant(row.end),
        });
    }
    let tags = rating::tags(client, &span.provider, span.from(), span.until()).await?;
    let mut warnings = wholesale.warnings();
    warnings.extend(unclaimed(book, &span.provider, &tags));
    Ok(warnings)
}

impl Plan {
    /// Rates every period that has stored usage under both books.
    async fn rate(
        &mut self,
        comparison: &Comparison,
        spans: &[StoredSpan],
        closed: &[ClosedPeriod],
        only_closed: bool,
    ) -> anyhow::Result<()> {
        let mut totals = Totals::default();
        let mut periods: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in comparison.contracts(None) {
            for label in labels(comparison, &id, spans) {
                if !only_closed || comparison.books().into_iter().any(|book| is_closed(book, &id, &label, closed)) {
                    periods.entry(label).or_default().push(id.clone());
                }
            }
        }
        let mut progress = Progress::new(periods.values().map(Vec::len).sum());
        for (label, contracts) in &periods {
            for some in contracts.chunks(AT_ONCE) {
                for (id, effects) in comparison.effects(some, label, closed).await? {
                    match effects {
                        Ok(effects) => self.effects.extend(effects),
                        Err(error) if error.is_of_contract() => {
                            self.warnings.push(format!("contract {id} cannot be compared in {label}: {error}"));
                        }
                        Err(error) => return Err(error.into()),
                    }
                    progress.step(&id, label);
                }
            }
        }
        drop(progress);
        self.effects.sort_by(|a, b| (&a.period, &a.contract, &a.buyer).cmp(&(&b.period, &b.contract, &b.buyer)));
        for effect in &self.effects {
            totals.add(effect)?;
            if effect.closed && effect.moves {
                self.refusals.push(refusal(effect));
            }
        }
        self.totals = totals.by_currency()?;
        Ok(())
    }

    fn print(&self, book: &Book) -> anyhow::Result<()> {
        match &self.published {
            Some(hash) => say(format_args!("compared with {hash}\n"))?,
            None => say(format_args!("no price book is published yet: this is the first\n"))?,
        }
        for change in &self.changes {
            say(format_args!("{change}"))?;
        }
        if self.changes.is_empty() {
            say(format_args!("nothing changes"))?;
        }
        let offline = book.warnings();
        let online = self.warnings.iter().filter(|warning| !offline.contains(warning));
        for warning in online {
            say(format_args!("warning: {warning}"))?;
        }
        say(format_args!("{}", summary(book)?))?;
        let moving: Vec<Effect> = self.effects.iter().filter(|effect| effect.moves).cloned().collect();
        let (closed, open): (Vec<&Effect>, Vec<&Effect>) = self.effects.iter().partition(|effect| effect.closed);
        let moves = |effects: &[&Effect]| effects.iter().filter(|effect| effect.moves).count();
        say(format_args!("\nopen periods with usage: {} statements, {} of them move", open.len(), moves(&open)))?;
        if !closed.is_empty() {
            let (count, moved) = (closed.len(), moves(&closed));
            say(format_args!("closed periods with usage: {count} statements, {moved} of them would move"))?;
        }
        if !moving.is_empty() {
            let mut totals = Totals::default();
            moving.iter().try_for_each(|effect| totals.add(effect))?;
            say(format_args!("{}\n{}", effects::table(&moving), effects::totals(&totals)?))?;
        }
        Ok(())
    }
}

/// Whether the period of a contract with a label is closed.
fn is_closed(book: &Book, id: &str, label: &str, closed: &[ClosedPeriod]) -> bool {
    let Some(contract) = book.contracts.get(id) else { return false };
    let Ok(period) = period(contract, label) else { return false };
    let (start, end) = (period.start.rfc3339(), period.end.rfc3339());
    closed.iter().any(|one| concerns(contract, &one.provider) && one.start == start && one.end == end)
}

/// The periods of a contract, under either book, that have stored usage of its provider.
fn labels(comparison: &Comparison, id: &str, spans: &[StoredSpan]) -> Vec<String> {
    let mut labels = Vec::new();
    for contract in comparison.books().into_iter().filter_map(|book| book.contracts.get(id)) {
        let provider = party::provider(contract);
        for span in spans.iter().filter(|span| span.provider == provider) {
            labels.extend(calendar::labels(contract, span.from(), span.until()));
        }
    }
    labels.sort();
    labels.dedup();
    labels
}
