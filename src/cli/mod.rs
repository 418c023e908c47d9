//! The command line: one file a sub-command, each a thin shell around the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Metering and billing for storage sold by consumption.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {}

impl Cli {
    /// Runs the chosen sub-command.
    ///
    /// # Errors
    /// Whatever the sub-command could not do, as a text for the person at the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {}
    }
}
