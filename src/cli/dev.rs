//! `plimsoll dev`.

use std::path::PathBuf;
use std::process::ExitCode;

use comfy_table::Table;

use super::output::say;
use crate::dev::{Dev, Part, Progress, State, Status};

/// What `status` ends with when a part is not up.
const NOT_UP: u8 = 3;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Start what does not run, fetching it first if need be, and write a configuration file that points at it
    #[command(
        after_help = "Examples:\n  plimsoll dev up\n  plimsoll dev up --only engine\n  eval \"$(plimsoll dev up | grep export)\""
    )]
    Up(Choice),
    /// End what was started, and nothing else; data stays
    #[command(after_help = "Examples:\n  plimsoll dev down")]
    Down(Choice),
    /// Show what runs and where; exit code 3 unless both parts are up
    #[command(after_help = "Examples:\n  plimsoll dev status --format json")]
    Status(Place),
}

#[derive(Debug, clap::Args)]
pub struct Choice {
    /// One part instead of both
    #[arg(long)]
    only: Option<Part>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
pub struct Place {
    /// Where data, logs and the configuration file are [default: $XDG_STATE_HOME/plimsoll/dev or ~/.local/state/plimsoll/dev]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_DEV_DIR")]
    dir: Option<PathBuf>,
    /// How to print what runs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Command {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Up(Choice { only, place }) => {
                let status = place.dev()?.up(only)?;
                place.print(&status)?;
                if place.format == Format::Table {
                    say(format_args!("export PLIMSOLL_CONFIG={}", status.config.display()))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::Down(Choice { only, place }) => {
                let status = place.dev()?.down(only)?;
                place.print(&status)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Status(place) => {
                let status = place.dev()?.status()?;
                place.print(&status)?;
                Ok(if status.is_up() { ExitCode::SUCCESS } else { ExitCode::from(NOT_UP) })
            }
        }
    }
}

impl Place {
    fn dev(&self) -> anyhow::Result<Dev> {
        let directory = match &self.dir {
            Some(directory) => std::path::absolute(directory)?,
            None => Dev::default_directory()?,
        };
        Ok(Dev::new(directory).with_progress(Progress::for_terminal()))
    }

    fn print(&self, status: &Status) -> anyhow::Result<()> {
        match self.format {
            Format::Json => say(format_args!("{}", serde_json::to_string(status)?))?,
            Format::Table => say(format_args!("{}", table(status)))?,
        }
        Ok(())
    }
}

fn table(status: &Status) -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(["", "state", "process", "address"]);
    for (name, part) in [("kafka", &status.kafka), ("engine", &status.engine)] {
        let state = if part.state == State::Up { "up" } else { "down" };
        let pid = part.pid.map(|pid| pid.to_string()).unwrap_or_default();
        let address = part.url.as_ref().or(part.address.as_ref()).cloned().unwrap_or_default();
        table.add_row([name, state, &pid, &address]);
    }
    // what `plimsoll serve` will listen on; whether it runs is not known here
    for (name, url) in [("api", &status.api), ("metrics", &status.metrics)] {
        table.add_row([name, "", "", url.as_deref().unwrap_or_default()]);
    }
    table.add_row(["config", "", "", &status.config.display().to_string()]);
    table
}
