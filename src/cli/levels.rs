//! `plimsoll levels`: levels granted, attained and promised.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

use super::instant::instant;
use super::output::refused;
use super::terminal::columns;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::closed;
use crate::config::Config;
use crate::core::word::Instant;
use crate::programme::{Asked, OpenAmounts, ProgrammeError, levels, page, table, watch};
use crate::statement::{Rater, StatementError};

/// Providers in memory at once.
const PAGE: usize = 100;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Revenue is issued wholesale without tax and credits: an invoice counts in the month in which its period begins, what corrects one in the month of issue. A promise counts open periods too, rated as usage stands now: those that `plimsoll bill` closes by itself, and those that somebody has closed and whose draft is not discarded. People grant levels: `to grant` is the line to paste.\n\nExamples:\n  plimsoll levels\n  plimsoll levels --provider northwind --at 2026-12-31\n  plimsoll levels --format json | jq 'select(.grant != null) | .grant'"
)]
pub(super) struct Args {
    /// This provider only
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// As things stood at this instant (RFC 3339, or a date: its midnight UTC); default now
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Instant>,
    /// For people or for programs (JSON, one provider a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let rater = Rater::newest(&Client::new(&config.clickhouse)).await?;
        let known = |id: &String| rater.book().providers.get(id).is_some_and(|one| one.programme.is_some());
        if let Some(id) = self.provider.as_ref().filter(|id| !known(id)) {
            return match rater.book().providers.contains_key(id) {
                true => refused(format!("provider {id} of the price book is in no programme")),
                false => refused(unknown::provider(id, rater.book())),
            };
        }
        let at = self.at.unwrap_or_else(watch::now);
        let is_asked = |id: &str| self.provider.as_deref().is_none_or(|own| own == id);
        let register = closed::register(rater.client()).await?;
        let (mut after, mut out) = (None, std::io::stdout().lock());
        loop {
            let providers = page(rater.book(), is_asked, after.as_deref(), PAGE);
            let Some(last) = providers.last() else { break };
            after = Some(last.clone());
            let standings = match levels(
                &rater,
                &register,
                &Asked { providers, seller: None, at, is_past: self.at.is_some() },
                OpenAmounts::Rated,
            )
            .await
            {
                Err(ProgrammeError::Statement { contract, label, error })
                    if matches!(*error, StatementError::Rate(_)) =>
                {
                    return refused(format!("contract {contract}, period {label}: {error}"));
                }
                standings => standings?,
            };
            match self.format {
                Format::Table => out.write_all(table::levels(&standings, columns()).as_bytes())?,
                Format::Json => {
                    for one in &standings {
                        writeln!(out, "{}", serde_json::to_string(one)?)?;
                    }
                }
            }
        }
        Ok(out.flush().map(|()| ExitCode::SUCCESS)?)
    }
}
