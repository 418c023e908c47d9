//! `plimsoll credit`: amounts that come off a contract's documents.

use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::actor::default_actor;
use super::closing::{decided, with_closer};
use super::grant::Command;
use super::output::say;
use crate::closer::credit::Credited;
use crate::config::Config;

/// `plimsoll credit`: a credit note over a document, or credits for documents to come.
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Without --row all that is left of the document is credited; where a later correction took a part of it back, rows and amounts have to be named.\n\nExamples:\n  plimsoll credit EG-2026-000118 --reason \"agreed on 12 November\"\n  plimsoll credit EG-2026-000118 --row 2 --row 3=12.50 --reason \"wrong array\"\n  plimsoll credit grant northwind-wholesale --id sla-7 --amount 120.00 --reference \"outage\""
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The number of the issued document
    #[arg(required = true)]
    number: Option<String>,
    /// A row by its number, or NO=AMOUNT for a part of it without tax; all that is left of the document without any
    #[arg(long, value_name = "NO[=AMOUNT]", value_parser = parse_row)]
    row: Vec<(usize, Option<String>)>,
    /// Why: it stands on the note
    #[arg(long, value_name = "TEXT", required = true)]
    reason: Option<String>,
    /// Who credits, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

fn parse_row(text: &str) -> Result<(usize, Option<String>), String> {
    let (no, amount) = text.split_once('=').map_or((text, None), |(no, amount)| (no, Some(amount.to_owned())));
    no.parse().map(|no| (no, amount)).map_err(|_| "write it as 2 or as 2=12.50".to_owned())
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if let Some(command) = self.command {
            return super::block_on(command.run(config));
        }
        let (number, reason) = (self.number.unwrap_or_default(), self.reason.unwrap_or_default());
        let credited = if self.row.is_empty() { Credited::Whole } else { Credited::Rows(self.row) };
        with_closer(config, self.actor, |closer| match decided(closer.credit(&number, &credited, &reason))? {
            Ok(note) => {
                closer.materialise()?;
                say(format_args!("{number} is credited by {note}"))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(refused) => Ok(refused),
        })
    }
}
