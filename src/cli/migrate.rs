//! `plimsoll migrate`: makes the database and its tables.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::output::say;
use crate::clickhouse::{Client, check, migrate, wait};
use crate::config::Config;

/// `plimsoll migrate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  plimsoll migrate\n  plimsoll migrate --dry-run")]
pub struct Command {
    /// Print what would be done, as SQL, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait this long for a ClickHouse that is away
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

impl Command {
    /// Applies what is missing, then checks the tables.
    ///
    /// # Errors
    /// What ClickHouse refuses, and a database that is not ours.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let server = client.without_database();
        let ready = wait::until_ready(&server, config.run.retry_max);
        match tokio::time::timeout(Duration::from_secs(self.wait), ready).await {
            Ok(ready) => ready?,
            Err(_) => anyhow::bail!("no answer from {} within {} s", config.clickhouse.url, self.wait),
        }
        if self.dry_run {
            for migration in migrate::plan(&client).await?.missing {
                say(format_args!("-- {:04} {}", migration.number, migration.name))?;
                say(format_args!("{};\n", migration.statements(&client).join(";\n\n")))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let applied = migrate::apply(&client).await?;
        check::tables(&client).await?;
        for migration in &applied {
            say(format_args!("applied {:04} {}", migration.number, migration.name))?;
        }
        if applied.is_empty() {
            say(format_args!("nothing to apply, {} migrations are in place", migrate::MIGRATIONS.len()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
