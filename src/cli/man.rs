//! `plimsoll man`: manual pages of every command, from the same description as `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

/// `plimsoll man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  plimsoll man /usr/local/share/man/man1 && man plimsoll-run")]
pub struct Args {
    /// Where to write the pages; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let directory = &self.directory;
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let written = clap_mangen::generate_to(super::Cli::command(), directory);
        written.with_context(|| format!("cannot write the pages to {}", directory.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
