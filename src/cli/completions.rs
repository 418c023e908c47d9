//! `plimsoll completions`: what a shell needs to complete our commands.

use std::io::Write as _;
use std::process::ExitCode;

use clap::CommandFactory as _;

/// `plimsoll completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  plimsoll completions bash > /etc/bash_completion.d/plimsoll\n  plimsoll completions zsh > \"${fpath[1]}/_plimsoll\"\n  plimsoll completions fish > ~/.config/fish/completions/plimsoll.fish"
)]
pub struct Args {
    /// For which shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        // written at once: the generator itself panics where nobody reads on
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "plimsoll", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
