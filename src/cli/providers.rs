//! `plimsoll providers`: scorecards.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::instant::instant;
use super::levels::Format;
use super::output::refused;
use super::terminal::columns;
use super::unknown;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::word::Instant;
use crate::programme::Stand;
use crate::programme::{Asked, page, scorecards, table, watch};
use crate::statement::Rater;

/// Providers in memory at once.
const PAGE: usize = 100;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Revenue and growth are of 12 months (or as many as the programme says) of issued wholesale; customers and TiB are of the last day, new customers had no usage on the day 90 days before. Nothing accepted for 30 days is dormant.\n\nExamples:\n  plimsoll providers\n  plimsoll providers --format json | jq 'select(.dormant) | .provider'"
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

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let rater = Rater::newest(&client).await?;
        if let Some(id) = self.provider.as_ref().filter(|id| !rater.book().providers.contains_key(*id)) {
            return refused(unknown::provider(id, rater.book()));
        }
        let at = self.at.unwrap_or_else(watch::now);
        let is_asked = |id: &str| self.provider.as_deref().is_none_or(|own| own == id);
        let stand = match self.at {
            Some(_) => None,
            None => Stand::read(&client, None).await?,
        };
        let (mut after, mut out) = (None, std::io::stdout().lock());
        loop {
            let providers = page(rater.book(), is_asked, after.as_deref(), PAGE);
            let Some(last) = providers.last() else { break };
            after = Some(last.clone());
            let asked = Asked { providers, seller: None, at, is_past: self.at.is_some() };
            let cards = scorecards(&client, rater.book(), &asked, true, stand.as_ref()).await?;
            match self.format {
                Format::Table => out.write_all(table::scorecards(&cards, columns()).as_bytes())?,
                Format::Json => {
                    for card in &cards {
                        writeln!(out, "{}", serde_json::to_string(card)?)?;
                    }
                }
            }
        }
        Ok(out.flush().map(|()| ExitCode::SUCCESS)?)
    }
}
