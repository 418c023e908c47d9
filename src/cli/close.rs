//! `plimsoll close`: closes a period by hand, or says in words why it cannot be.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant as Moment};

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};

use super::actor::default_actor;
use super::closing::{decided, with_closer};
use super::month::label;
use super::output::refused;
use super::unknown;
use crate::closer::CloseError;
use crate::closer::close::{Closing, Mode, Outcome};
use crate::closer::real::RealCloser;
use crate::config::Config;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::{ProviderPeriod, labelled};
use crate::core::closing::record::short_id;
use crate::core::word::Instant;

/// The longest wait for workers to write a checkpoint that reflects the newest decisions: three times their longest usual interval.
const DECISION_WAIT: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Contracts of the provider whose periods have other bounds close on their own: each group is one close. A period that is closed gets its next revision: what was accepted since, or what a re-pricing changes.\n\nExit code: 0 closed, 2 refused (each hole on a line of its own), or closed already with nothing to correct.\n\nExamples:\n  plimsoll close --provider northwind --period 2026-10 --dry-run\n  plimsoll close --provider northwind --period 2026-10\n  plimsoll close --provider northwind --period 2026-10 \\\n      --override \"array FA-2 was off the net, agreed with the customer\""
)]
pub(super) struct Args {
    /// Whose period
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: String,
    /// Say what would be closed, or what keeps it open, and write nothing but audits
    #[arg(long)]
    dry_run: bool,
    /// Close in spite of the holes that there are now, with this reason on record
    #[arg(long = "override", value_name = "REASON", conflicts_with = "dry_run")]
    reason: Option<String>,
    /// Who closes, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
    /// For people or for programs (one object a close)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if self.reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return refused("--override must say why");
        }
        with_closer(config, self.actor.clone(), |closer| self.close(closer))
    }

    fn close(&self, closer: &mut RealCloser) -> anyhow::Result<ExitCode> {
        let Some((_, book)) = closer.register().newest_book() else {
            return refused("no price book is published: plimsoll catalog apply DIR");
        };
        if !book.providers.contains_key(&self.provider) {
            return refused(unknown::provider(&self.provider, book));
        }
        let periods = match labelled(book, &self.provider, &self.period) {
            Ok(periods) => periods,
            Err(error) => return refused(error),
        };
        if periods.is_empty() {
            return refused(format!("no contract of {} is in force in {}", self.provider, self.period));
        }
        let mut code = ExitCode::SUCCESS;
        for period in &periods {
            let now = Instant(chrono::Utc::now().timestamp_millis());
            let mode = match &self.reason {
                Some(reason) => Mode::Override(reason.trim()),
                None if self.dry_run => Mode::DryRun,
                None => Mode::Close,
            };
            let outcome = match decided(taken_in(closer, period, now, mode))? {
                Ok(outcome) => outcome,
                Err(refused) => {
                    code = refused;
                    continue;
                }
            };
            if !matches!(outcome, Outcome::Closed(_) | Outcome::Would(_)) {
                code = ExitCode::from(2);
            }
            self.show(period, &outcome)?;
        }
        Ok(code)
    }

    fn show(&self, period: &ProviderPeriod, outcome: &Outcome) -> anyhow::Result<()> {
        let text = match self.format {
            Format::Text => text(period, outcome)?,
            Format::Json => format!("{}\n", object(period, outcome)?),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}

/// Closes a period. If nothing is in the way but decisions that workers have not taken in (the close before, for one), they are given time.
fn taken_in(
    closer: &mut RealCloser,
    period: &ProviderPeriod,
    now: Instant,
    mode: Mode<'_>,
) -> Result<Outcome, CloseError> {
    let since = Moment::now();
    let mut said = false;
    loop {
        let outcome = closer.close(period, now, mode)?;
        let Outcome::Refused(holes, _) = &outcome else { return Ok(outcome) };
        let waits = holes.iter().any(|hole| matches!(hole, Hole::Undecided { .. }));
        if !waits || since.elapsed() >= DECISION_WAIT {
            return Ok(outcome);
        }
        if !said {
            eprintln!("waiting for workers to take in the newest decisions");
            said = true;
        }
        std::thread::sleep(PAUSE);
    }
}

/// What came of it, for people.
fn text(period: &ProviderPeriod, outcome: &Outcome) -> anyhow::Result<String> {
    let name = format!("{} {}", period.key.provider, period.label);
    let bounds = format!("{} to {}", period.key.start, period.key.end);
    Ok(match outcome {
        Outcome::Closed(closing) => {
            format!("{name} ({bounds}) is closed, revision {}\n{}", closing.revision, drafts(closing, true, &[])?)
        }
        Outcome::Would(closing) => {
            format!("{name} ({bounds}) can be closed, revision {}\n{}", closing.revision, drafts(closing, false, &[])?)
        }
        Outcome::Refused(holes, closing) => {
            let what = closing.as_ref().map(|closing| drafts(closing, false, holes)).transpose()?.unwrap_or_default();
            let lines: String = holes.iter().map(|hole| format!("  {}: {hole}\n", hole.kind())).collect();
            format!("{name} ({bounds}) cannot be closed:\n{lines}{what}{}", mend(holes))
        }
        Outcome::NothingToCorrect { revision } => {
            format!(
                "{name} ({bounds}) is closed already, as revision {revision}: nothing to correct, nothing that was accepted since alters an amount\n"
            )
        }
        Outcome::Contended => format!("{name} ({bounds}) is not closed: others kept deciding in between; try again\n"),
    })
}

fn mend(holes: &[Hole]) -> &'static str {
    match holes.iter().all(Hole::is_waivable) {
        true => "mend them, or accept them: --override REASON\n",
        false => "",
    }
}

/// Its drafts, under their ids once they are there: what a dry run would make has another id each time.
fn drafts(closing: &Closing, are_there: bool, told: &[Hole]) -> anyhow::Result<String> {
    let mut text = String::new();
    for hole in &closing.waived {
        text.push_str(&format!("  accepted: {}: {hole}\n", hole.kind()));
    }
    let is_told = |of: &str| {
        let mut all = told.iter().chain(&closing.waived);
        all.any(|hole| matches!(hole, Hole::NoUsage { contract, .. } if contract == of))
    };
    for (contract, bills) in closing.without_usage().filter(|(contract, _)| !is_told(contract)) {
        text.push_str(&format!("  (no usage of contract {contract} in this period: {bills})\n"));
    }
    for draft in &closing.drafts {
        let place = &draft.place;
        let buyer = place.customer.as_ref().map_or(String::new(), |customer| format!(" for {customer}"));
        let blocked = draft.blocked.as_ref().map_or(String::new(), |why| format!("  cannot be issued: {why}"));
        let document = &draft.document;
        let id = if are_there { short_id(&draft.place.draft(&closing.rating_id))? + "  " } else { String::new() };
        text.push_str(&format!(
            "  {id}{}{buyer}  {} {} {}{blocked}\n",
            place.contract,
            document.kind.as_str(),
            document.total,
            document.currency,
        ));
    }
    Ok(text)
}

/// What came of it, for programs.
fn object(period: &ProviderPeriod, outcome: &Outcome) -> anyhow::Result<Value> {
    let holes = |holes: &[Hole]| -> Vec<Value> {
        let hole = |hole: &Hole| json!({"kind": hole.kind(), "text": hole.to_string(), "can_be_accepted": hole.is_waivable(), "arrays": hole.arrays()});
        holes.iter().map(hole).collect()
    };
    let closing = outcome.closing();
    let mut drafts = Vec::new();
    for draft in closing.iter().flat_map(|closing| closing.drafts.iter().map(move |draft| (closing, draft))) {
        let (closing, draft) = draft;
        let id = outcome.has_drafts().then(|| short_id(&draft.place.draft(&closing.rating_id))).transpose()?;
        drafts.push(json!({
            "draft": id, "contract": draft.place.contract, "customer": draft.place.customer,
            "type": draft.document.kind, "total": draft.document.total, "currency": draft.document.currency, "blocked": draft.blocked,
        }));
    }
    let idle = closing.iter().flat_map(|closing| closing.without_usage());
    let without_usage: Vec<Value> =
        idle.map(|(contract, bills)| json!({"contract": contract, "text": bills})).collect();
    Ok(json!({
        "provider": period.key.provider, "period": period.label, "start": period.key.start.rfc3339(), "end": period.key.end.rfc3339(),
        "outcome": outcome.as_str(), "revision": closing.map(|closing| closing.revision), "rating_id": closing.filter(|_| outcome.has_drafts()).map(|closing| &closing.rating_id),
        "holes": holes(outcome.holes()), "accepted": closing.map(|closing| holes(&closing.waived)), "drafts": drafts, "without_usage": without_usage,
    }))
}
