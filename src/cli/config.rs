//! `plimsoll config`: what is in force.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::output::say;
use crate::config::{Config, REFERENCE};

/// `plimsoll config`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the configuration in force, secrets as ***, and which file it came from
    #[command(
        after_help = "Examples:\n  plimsoll config show\n  plimsoll config show --format json | jq .config.kafka"
    )]
    Show {
        /// The form to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the annotated reference: every key with its default and meaning
    #[command(after_help = "Examples:\n  plimsoll config reference > plimsoll.toml")]
    Reference,
}

/// The form of `plimsoll config show`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    /// The form of the file itself
    #[default]
    Toml,
    /// One JSON document
    Json,
}

impl Command {
    /// Prints what was asked for.
    ///
    /// # Errors
    /// When the configuration cannot be written out.
    pub fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Command::Show { format: Format::Toml } => {
                say(format_args!("# file: {}\n", config.source))?;
                say(format_args!("{}", toml::to_string(config.redacted())?.trim_end()))?;
            }
            Command::Show { format: Format::Json } => {
                let shown = serde_json::json!({
                    "file": config.source.path(),
                    "config": config.redacted(),
                });
                say(format_args!("{}", serde_json::to_string_pretty(&shown)?))?;
            }
            Command::Reference => say(format_args!("{}", REFERENCE.trim_end()))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
