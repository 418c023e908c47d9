//! `plimsoll quarantine show`: one record that was put aside, whole.

use std::process::ExitCode;

use super::list::line;
use super::which::At;
use crate::cli::control::follow;
use crate::cli::output::say;
use crate::cli::refusal::refuse;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideQuery, read};
use crate::config::Config;
use crate::quarantine::explanation::explain_whole;
use crate::quarantine::{Resolver, State};

/// Bytes of a value that `show` prints.
const SHOWN_BYTES: usize = 4096;

/// Prints it.
pub(super) async fn show(config: &Config, At(stream, partition, offset): At) -> anyhow::Result<ExitCode> {
    let client = Client::new(&config.clickhouse);
    for late in [false, true] {
        let positions = Some(vec![(stream.clone(), partition, offset)]);
        let mut rows = read(&client, &AsideQuery { late, positions, whole: true, ..AsideQuery::default() }).await?;
        let Some(row) = rows.next().await? else { continue };
        let control = follow(config)?;
        let detail = explain_whole(&client, &row).await?;
        let mut resolver = Resolver::new(&config.kafka, client, control)?;
        let state = resolver.states(std::slice::from_ref(&row)).await?.pop().unwrap_or(State::Unresolved);
        say(format_args!("{}", serde_json::to_string_pretty(&line(&row, &state, detail))?))?;
        say(format_args!("key: {}", String::from_utf8_lossy(&row.key)))?;
        for (name, value) in row.header_names.iter().zip(&row.header_values) {
            say(format_args!("{name}: {}", String::from_utf8_lossy(value)))?;
        }
        let shown = shown(&row.raw);
        say(format_args!(
            "\n{}",
            String::from_utf8_lossy(shown).escape_debug().to_string().replace("\\n", "\n").replace("\\\"", "\"")
        ))?;
        if row.raw.len() > shown.len() {
            say(format_args!("... {} bytes more", row.raw.len() - shown.len()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    refuse(format!("no record was put aside at {stream}/{}/{}", partition.0, offset.0))
}

fn shown(raw: &[u8]) -> &[u8] {
    &raw[..raw.len().min(SHOWN_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_printed_up_to_its_limit() {
        for bytes in [SHOWN_BYTES - 1, SHOWN_BYTES, SHOWN_BYTES + 1] {
            assert_eq!(shown(&vec![0; bytes]).len(), bytes.min(SHOWN_BYTES));
        }
    }
}
