//! `plimsoll health`: how arrays are.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::instant::instant;
use super::levels::Format;
use super::output::refused;
use super::terminal::columns;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::arrays::ArrayQuery;
use crate::config::Config;
use crate::core::programme::health::State;
use crate::core::word::Instant;
use crate::programme::Stand;
use crate::programme::{health, table};
use crate::statement::Rater;

/// Arrays in memory at once.
const PAGE: usize = 1_000;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "States: ok; silent (not heard of for 24 h); orphaned (nobody is billed for it, and why); demo; demo_busy (customers' resources on it); demo_expired (it still reports); moved (another provider reports it); contested (two did within 24 h).\n\nExamples:\n  plimsoll health\n  plimsoll health --state orphaned --state demo_expired\n  plimsoll health --provider northwind --at 2026-10-04 --format json"
)]
pub(super) struct Args {
    /// This provider's arrays only
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// As things stood at this instant (RFC 3339, or a date: its midnight UTC); default the log's own time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Instant>,
    /// Only arrays in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Vec<State>,
    /// For people (the last line counts all states) or for programs (JSON, one array a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

fn state(text: &str) -> Result<State, String> {
    let known = State::ALL.map(State::as_str).join(", ");
    State::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("write one of {known}"))
}

/// Those that are silent besides what their one state says.
fn also_silent(counts: &BTreeMap<State, u64>) -> String {
    let parts = counts.iter().map(|(state, count)| format!("{count} more silent and {}", state.as_str()));
    parts.map(|part| format!("; {part}")).collect()
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let rater = Rater::newest(&client).await?;
        if let Some(id) = self.provider.as_ref().filter(|id| !rater.book().providers.contains_key(*id)) {
            return refused(unknown::provider(id, rater.book()));
        }
        let mut out = std::io::stdout().lock();
        let Some(stand) = Stand::read(&client, self.at).await? else {
            eprintln!("nothing was folded yet");
            return Ok(ExitCode::SUCCESS);
        };
        let (mut counts, mut more_silent) = (BTreeMap::<State, u64>::new(), BTreeMap::<State, u64>::new());
        let providers = self.provider.map(|id| [id].into());
        let at = stand.at;
        let mut query = ArrayQuery { providers, at, after: None, limit: PAGE };
        loop {
            let (mut arrays, more) = health::page(&client, rater.book(), &stand, &query).await?;
            query.after = arrays.last().map(|array| (array.provider.clone(), array.array.clone()));
            for array in &arrays {
                *counts.entry(array.state).or_default() += 1;
                if array.silent && array.state != State::Silent {
                    *more_silent.entry(array.state).or_default() += 1;
                }
            }
            arrays.retain(|array| self.state.is_empty() || self.state.contains(&array.state));
            match self.format {
                Format::Table if arrays.is_empty() => {}
                Format::Table => out.write_all(table::arrays(&arrays, columns()).as_bytes())?,
                Format::Json => {
                    for array in &arrays {
                        writeln!(out, "{}", serde_json::to_string(array)?)?;
                    }
                }
            }
            if !more {
                break;
            }
        }
        if matches!(self.format, Format::Table) {
            let counts = State::ALL.map(|state| format!("{} {}", counts.get(&state).unwrap_or(&0), state.as_str()));
            writeln!(out, "{}: {}{}", at.rfc3339(), counts.join(", "), also_silent(&more_silent))?;
        }
        Ok(out.flush().map(|()| ExitCode::SUCCESS)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_silent_besides_its_state_is_told() {
        assert_eq!(also_silent(&BTreeMap::new()), "");
        let counts = BTreeMap::from([(State::Orphaned, 2), (State::Demo, 1)]);
        let told = also_silent(&counts);
        assert!(told.contains("; 2 more silent and orphaned") && told.contains("; 1 more silent and demo"), "{told}");
    }
}
