//! `plimsoll events`: the ledger as lines of JSON.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::output::refused;
use crate::clickhouse::Client;
use crate::clickhouse::read::{events, stream, void};
use crate::config::Config;

/// `plimsoll events`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll events --stream usage | jq -r .disposition | sort | uniq -c\n  plimsoll events --stream usage | tail -n 20\n  plimsoll events --stream usage-1 --partition 3 --from-offset 8800 --to-offset 8900"
)]
pub struct Command {
    /// A stream id (usage-1), or a topic (usage), which means its newest generation
    #[arg(long, value_name = "STREAM")]
    stream: String,
    /// This partition only
    #[arg(long, value_name = "N")]
    partition: Option<u32>,
    /// From this offset on
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    from_offset: u64,
    /// Up to this offset, which is left out
    #[arg(long, value_name = "OFFSET")]
    to_offset: Option<u64>,
}

impl Command {
    /// Prints what became of every record, one JSON object a line, by log time, partition and offset.
    ///
    /// # Errors
    /// An unknown stream, what ClickHouse refuses, and an output that takes no more.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let stream = match stream::resolve(&client, &self.stream).await? {
            Ok(stream) => stream,
            Err(_) if void::register(&client).await?.named(&self.stream).is_some() => {
                eprintln!("plimsoll: no record of {} is stored yet: `plimsoll run` folds what it holds", self.stream);
                return Ok(ExitCode::SUCCESS);
            }
            Err(known) => return refused(unknown(&self.stream, &known)),
        };
        let part = events::Part { stream, partition: self.partition, from: self.from_offset, to: self.to_offset };
        let (mut out, mut is_any) = (BufWriter::new(std::io::stdout().lock()), false);
        events::read::<anyhow::Error>(&client, &part, |row| {
            is_any = true;
            serde_json::to_writer(&mut out, &row.printed(&part.stream))?;
            Ok(out.write_all(b"\n")?)
        })
        .await
        .context("cannot read the ledger")?;
        out.flush()?;
        if !is_any {
            eprintln!("no record fits");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is said of a stream that the ledger has no record of.
fn unknown(name: &str, known: &[String]) -> String {
    match known.is_empty() {
        true => format!("no record of stream {name} is stored, nor of any other: `plimsoll run` folds what they hold"),
        false => format!("no record of stream {name} is stored: name one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stream_that_nobody_knows_the_others_are_named() {
        let known = ["usage-1", "usage-2"].map(str::to_owned);
        assert_eq!(unknown("usgae", &known), "no record of stream usgae is stored: name one of usage-1, usage-2");
        assert!(unknown("usage", &[]).ends_with("nor of any other: `plimsoll run` folds what they hold"));
    }
}
