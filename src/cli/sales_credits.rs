//! `plimsoll sales-credits`: what the vendor's teams are credited.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use serde_json::json;

use super::levels::Format;
use super::output::refused;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::wholesale::WholesaleQuery;
use crate::config::Config;
use crate::core::programme::error::ProgrammeError as FigureError;
use crate::core::programme::group::keys;
use crate::core::programme::month::Months;
use crate::programme::sales::{Documents, Summary};
use crate::programme::{ProgrammeError, table};
use crate::statement::Rater;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Each row of an issued wholesale document credits teams as [sales_credit] of its price book says; corrections take back. The last line checks that account teams get the same for a currency unit at list, as a service and resale; exit code 1 if they do not. An invoice counts in the month in which its period begins, what corrects one in the month of issue.\n\nExamples:\n  plimsoll sales-credits --by route,team\n  plimsoll sales-credits --by provider,deal --periods 2026-07..2026-09\n  plimsoll sales-credits --by number,no,customer,team,role --format json"
)]
pub(super) struct Args {
    /// By what they are put together, of route, team, role, provider, customer, month, deal, number, no; always apart by currency
    #[arg(long, value_name = "KEYS", default_value = "route,team")]
    by: String,
    /// Only this provider's
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only what counts in these months, both included: 2026-08..2026-10, or one: 2026-10
    #[arg(long, value_name = "A..B", value_parser = Months::parse)]
    periods: Option<Months>,
    /// For people or for programs (JSON, one group a line, the check last)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let keys = match keys(&self.by) {
            Ok(keys) => keys,
            Err(error) => return refused(error),
        };
        let client = Client::new(&config.clickhouse);
        if let Some(id) = &self.provider {
            let rater = Rater::newest(&client).await?;
            if !rater.book().providers.contains_key(id) {
                return refused(unknown::provider(id, rater.book()));
            }
        }
        let providers = self.provider.map(|id| vec![id]);
        let query = WholesaleQuery { providers, months: self.periods, ..WholesaleQuery::default() };
        let summary = match Documents::new(&client, query, None).summary(keys).await {
            Err(ProgrammeError::Figure(error @ FigureError::Groups(_))) => return refused(error),
            summary => summary?,
        };
        let text = match self.format {
            Format::Table => table::sales_credits(&summary)?,
            Format::Json => lines(&summary)?,
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        let is_neutral = summary.neutrality.checks()?.iter().all(|check| check.equal != Some(false));
        Ok(if is_neutral { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn lines(summary: &Summary) -> anyhow::Result<String> {
    let mut text = String::new();
    for group in summary.groups.groups() {
        text.push_str(&(serde_json::to_string(&group)? + "\n"));
    }
    text.push_str(&(json!({ "neutrality": summary.neutrality.checks()? }).to_string() + "\n"));
    Ok(text)
}
