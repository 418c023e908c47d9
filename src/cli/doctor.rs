//! `plimsoll doctor`.

use std::io::Write as _;
use std::process::ExitCode;

use crate::config::Config;
use crate::doctor::{Finding, Look, examine, is_well};

/// `plimsoll doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  plimsoll doctor                              what is wrong, and the mend of each\n  plimsoll doctor --broker-clock               the broker's clock as well\n  plimsoll doctor --format json | jq '.findings[] | select(.level == \"wrong\")'\n\nExit code 1 if something is wrong or could not be found out; warnings are none of it."
)]
pub struct Args {
    /// Compare the broker's clock too: makes the topic plimsoll-doctor-..., sends one record to it and deletes it
    #[arg(long)]
    broker_clock: bool,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let findings = examine(config, Look { broker_clock: self.broker_clock }).await;
        let well = is_well(&findings);
        match self.format {
            Format::Text => print(&findings)?,
            Format::Json => {
                let shown = serde_json::json!({ "well": well, "findings": findings });
                writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&shown)?)?;
            }
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(findings: &[Finding]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for Finding { about, level, found, mend } in findings {
        writeln!(out, "{:<8} {about}: {found}", level.as_str())?;
        if !mend.is_empty() {
            writeln!(out, "         -> {mend}")?;
        }
    }
    Ok(())
}
