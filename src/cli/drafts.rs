//! `plimsoll drafts`, `issue` and `discard`: drafts of closed periods and what becomes of them.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{ArgGroup, Args as ClapArgs};

use super::actor::default_actor;
use super::closing::{decided, with_closer};
use crate::cli::output::say;
use crate::config::Config;

/// `plimsoll drafts`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Each line begins with the draft's id.\n\nExamples:\n  plimsoll drafts\n  plimsoll drafts --json"
)]
pub(super) struct List {
    /// One JSON object a draft
    #[arg(long)]
    json: bool,
}

/// `plimsoll issue`.
#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("which").args(["drafts", "all"]).required(true),
    after_help = "Contracts with issue = \"auto\" have their drafts issued by `plimsoll bill`.\n\nExamples:\n  plimsoll issue 3f1c2a9be0d4517a\n  plimsoll issue --all"
)]
pub(super) struct Issue {
    /// Drafts by their ids
    #[arg(value_name = "DRAFT")]
    drafts: Vec<String>,
    /// All that can be issued
    #[arg(long)]
    all: bool,
    /// Who issues, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

/// `plimsoll discard`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A discarded draft counts as nothing issued: the next revision of its period is the whole again.\n\nExamples:\n  plimsoll discard 3f1c2a9be0d4517a --reason \"customer is not in the book yet\""
)]
pub(super) struct Discard {
    /// The draft by its id
    draft: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who discards, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

impl List {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_closer(config, default_actor(), |closer| {
            let mut out = std::io::stdout().lock();
            let all = closer.waiting()?;
            if all.is_empty() {
                eprintln!("no draft waits; `plimsoll invoices` lists what is issued");
            }
            let mut newest = closer.newest();
            for waiting in all {
                let (draft, document) = (&waiting.draft, &waiting.draft.document);
                let blocked = waiting.why_blocked(&mut newest);
                if self.json {
                    let line = serde_json::json!({
                        "draft": waiting.id, "contract": draft.place.contract, "customer": draft.place.customer,
                        "period": document.period.label, "type": document.kind, "total": document.total,
                        "currency": document.currency, "issued_by_itself": waiting.is_issued_by_itself(), "blocked": blocked,
                    });
                    writeln!(out, "{line}")?;
                    continue;
                }
                let buyer = draft.place.customer.as_ref().map_or(String::new(), |customer| format!(" for {customer}"));
                let why = blocked.map_or(String::new(), |why| format!("  cannot be issued: {why}"));
                writeln!(
                    out,
                    "{}  {}  {}{buyer}  {} {} {}{why}",
                    waiting.id,
                    document.period.label,
                    draft.place.contract,
                    document.kind.as_str(),
                    document.total,
                    document.currency
                )?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl Issue {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_closer(config, self.actor.clone(), |closer| {
            let drafts = match self.all {
                true => {
                    let waiting = closer.waiting()?.into_iter();
                    waiting.filter(|waiting| waiting.draft.blocked.is_none()).map(|waiting| waiting.id).collect()
                }
                false => self.drafts.clone(),
            };
            // whether anybody reads it must not decide how far this goes
            let (mut code, mut told) = (ExitCode::SUCCESS, Ok(()));
            for id in &drafts {
                match decided(closer.issue_draft(id))? {
                    Ok(number) => told = told.and(say(format_args!("{id} is issued as {number}"))),
                    Err(refused) => code = refused,
                }
            }
            closer.materialise()?;
            told?;
            Ok(code)
        })
    }
}

impl Discard {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_closer(config, self.actor.clone(), |closer| {
            match decided(closer.discard_draft(&self.draft, &self.reason))? {
                Ok(draft) => {
                    say(format_args!("{} of {} is discarded", self.draft, draft.contract))?;
                    Ok(ExitCode::SUCCESS)
                }
                Err(refused) => Ok(refused),
            }
        })
    }
}
