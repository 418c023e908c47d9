//! `plimsoll quarantine list`, `plimsoll late list`: records that were put aside and how they stand, one by one or counted.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::line::{Count, Line};
use super::table;
use super::which::Which;
use crate::cli::control::follow;
use crate::cli::levels::Format;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideRow, read};
use crate::config::Config;
use crate::core::word::Instant;
use crate::quarantine::explanation::explain;
use crate::quarantine::{Resolver, State, batch};

/// Which records, and how they are shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    which: Which,
    /// Not one by one: how many there are by reason, provider and state
    #[arg(long)]
    counts: bool,
    /// For people or for programs (JSON, one record or count a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl List {
    pub(super) async fn run(self, config: &Config, late: bool) -> anyhow::Result<ExitCode> {
        let query = self.which.query(late)?;
        let client = Client::new(&config.clickhouse);
        let control = follow(config)?;
        let mut resolver = Resolver::new(&config.kafka, client.clone(), control)?;
        let mut rows = read(&client, &query).await?;
        let mut out = BufWriter::new(std::io::stdout());
        let mut is_any = false;
        let mut counts: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        loop {
            let batch = batch::next(&mut rows).await?;
            if batch.is_empty() {
                break;
            }
            is_any = true;
            let states = resolver.states(&batch).await?;
            if self.counts {
                for (row, state) in batch.iter().zip(&states) {
                    let key = (row.reason.clone(), row.provider.clone(), state.as_str().to_owned());
                    *counts.entry(key).or_default() += 1;
                }
                continue;
            }
            let lines = batch.iter().zip(&states).map(|(row, state)| line(row, state, explain(row)));
            self.print(&mut out, &lines.collect::<Vec<_>>(), table::records)?;
        }
        let counts = counts.iter().map(|((reason, provider, state), records)| Count {
            reason: some(reason),
            provider: some(provider),
            state,
            records: *records,
        });
        self.print(&mut out, &counts.collect::<Vec<_>>(), table::counts)?;
        out.flush()?;
        if !is_any {
            self.which.refuse_unknown(&client).await?;
            if matches!(self.format, Format::Table) {
                eprintln!("no {} record fits", if late { "late" } else { "quarantined" });
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints a batch of rows, nothing of none.
    fn print<T: Serialize>(&self, out: &mut impl Write, rows: &[T], table: fn(&[T]) -> String) -> anyhow::Result<()> {
        match self.format {
            Format::Table if rows.is_empty() => {}
            Format::Table => out.write_all(table(rows).as_bytes())?,
            Format::Json => {
                for row in rows {
                    writeln!(out, "{}", serde_json::to_string(row)?)?;
                }
            }
        }
        Ok(())
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The line of a record.
pub(super) fn line<'a>(row: &'a AsideRow, state: &'a State, detail: String) -> Line<'a> {
    let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
    Line {
        position: row.label(),
        appended: Instant(row.appended).rfc3339(),
        reason: some(&row.reason),
        detail,
        provider: some(&row.provider),
        array: some(&row.array),
        bytes: row.bytes,
        state: state.as_str(),
        because: match state {
            State::Discarded(why) => Some(why),
            _ => None,
        },
        at: match state {
            State::Became(_, at) => Some(at),
            _ => None,
        },
    }
}
