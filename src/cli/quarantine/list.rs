//! `plimsoll quarantine list`, `plimsoll late list`: records that were put aside and how they stand, one by one or counted.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::which::Which;
use crate::cli::refusal::refuse;
use crate::cli::stream::follow;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideRow, read};
use crate::clickhouse::read::void;
use crate::config::Config;
use crate::core::word::Instant;
use crate::quarantine::explanation::explain;
use crate::quarantine::{Resolver, State, batch};
use crate::statement::{Rater, StatementError};

/// Which records, and how they are shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    which: Which,
    /// Not one by one: how many there are by reason, provider and state
    #[arg(long)]
    counts: bool,
}

/// One line of a listing.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    position: String,
    appended: String,
    reason: Option<&'a str>,
    detail: String,
    provider: Option<&'a str>,
    array: Option<&'a str>,
    bytes: u64,
    state: &'a str,
    because: Option<&'a str>,
    at: Option<&'a str>,
}

/// A line of the counts.
#[derive(Serialize)]
struct Count<'a> {
    reason: Option<&'a str>,
    provider: Option<&'a str>,
    state: &'a str,
    records: u64,
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
            for (row, state) in batch.iter().zip(resolver.states(&batch).await?) {
                if self.counts {
                    let key = (row.reason.clone(), row.provider.clone(), state.as_str().to_owned());
                    *counts.entry(key).or_default() += 1;
                } else {
                    writeln!(out, "{}", serde_json::to_string(&line(row, &state, explain(row)))?)?;
                }
            }
        }
        for ((reason, provider, state), records) in &counts {
            let count = Count { reason: some(reason), provider: some(provider), state, records: *records };
            writeln!(out, "{}", serde_json::to_string(&count)?)?;
        }
        out.flush()?;
        if let (false, Some(id)) = (is_any, self.which.provider())
            && !is_known(&client, id).await?
        {
            return refuse(format!("the price book has no provider {id}; `plimsoll catalog show` lists them"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether a provider is in the newest price book or has a stream of its own. Of whoever is in neither there may be records all the same.
async fn is_known(client: &Client, id: &str) -> anyhow::Result<bool> {
    let register = void::register(client).await?;
    if register.all().any(|stream| stream.rules.provider.as_deref() == Some(id)) {
        return Ok(true);
    }
    match Rater::newest(client).await {
        Ok(rater) => Ok(rater.book().providers.contains_key(id)),
        Err(StatementError::NoBook) => Ok(false),
        Err(error) => Err(error.into()),
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
