//! `plimsoll events`: the ledger as lines of JSON.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::clickhouse::Client;
use crate::clickhouse::read::{events, stream};
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
        let stream = stream::resolve(&client, &self.stream).await?;
        let part = events::Part { stream, partition: self.partition, from: self.from_offset, to: self.to_offset };
        let mut out = BufWriter::new(std::io::stdout().lock());
        events::read::<anyhow::Error>(&client, &part, |row| {
            serde_json::to_writer(&mut out, &row.printed(&part.stream))?;
            Ok(out.write_all(b"\n")?)
        })
        .await
        .context("cannot read the ledger")?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
