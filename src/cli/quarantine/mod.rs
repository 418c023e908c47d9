//! `plimsoll quarantine` and `plimsoll late`: records that were put aside, listed and resolved.

mod line;
mod list;
mod resolve;
mod show;
mod table;
mod tally;
mod which;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::quarantine::Verb;
use list::List;
use resolve::Resolve;
use which::{At, position};

#[derive(Debug, Subcommand)]
pub(super) enum Quarantine {
    /// List quarantined records and how they stand
    #[command(
        after_help = "Examples:\n  plimsoll quarantine list --by-reason misrouted --format json | jq -r .position\n  plimsoll quarantine list --counts"
    )]
    List(List),
    /// Show one record: where it lies, why, its key, headers and value
    #[command(after_help = "Examples:\n  plimsoll quarantine show usage-1/3/8812")]
    Show {
        /// STREAM/PARTITION/OFFSET, as `list` prints it
        #[arg(value_parser = position)]
        position: At,
    },
    /// Send records again, rightly routed, under a recorded decision each; repeating it bills nothing twice
    #[command(
        after_help = "Examples:\n  plimsoll quarantine retry --by-reason misrouted \\\n      --reason \"producer's partitioner fixed\" --dry-run\n  plimsoll quarantine retry --at usage-1/3/8812 --reason \"clock was wrong\""
    )]
    Retry(Resolve),
    /// Record that records are nothing that has to be billed
    #[command(
        after_help = "Examples:\n  plimsoll quarantine discard --at usage-1/3/8812 --reason \"test of the installer\""
    )]
    Discard(Resolve),
}

#[derive(Debug, Subcommand)]
pub(super) enum Late {
    /// List late records and how they stand
    #[command(after_help = "Examples:\n  plimsoll late list --provider northwind\n  plimsoll late list --counts")]
    List(List),
    /// Bill late records after all: each is sent again under a recorded decision; one whose identity is accepted already is left alone
    #[command(
        after_help = "Examples:\n  plimsoll late accept --provider northwind --from 2026-10-01 \\\n      --reason \"the site was offline\" --dry-run"
    )]
    Accept(Resolve),
}

impl Quarantine {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Quarantine::List(list) => list.run(config, false).await,
            Quarantine::Show { position } => show::show(config, position).await,
            Quarantine::Retry(resolve) => resolve.run(config, false, Verb::Resend).await,
            Quarantine::Discard(resolve) => resolve.run(config, false, Verb::Discard).await,
        }
    }
}

impl Late {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Late::List(list) => list.run(config, true).await,
            Late::Accept(resolve) => resolve.run(config, true, Verb::Resend).await,
        }
    }
}
