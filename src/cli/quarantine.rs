//! `plimsoll quarantine` and `plimsoll late`: records that were put aside, listed and resolved.

use std::cell::Cell;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant as Moment};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::stream::{default_actor, follow};
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideQuery, AsideRow, read};
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::config::Config;
use crate::core::word::{Instant, Offset, Partition, Reason, StreamId};
use crate::quarantine::{Outcome, Resolver, State, Verb, Why, batch};

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Bytes of a value that `show` prints.
const SHOWN_BYTES: usize = 4096;

#[derive(Debug, Subcommand)]
pub(super) enum Quarantine {
    /// List quarantined records and how they stand, as lines of JSON
    List(Which),
    /// Show one record: where it lies, why, its key, headers and value
    Show {
        /// STREAM/PARTITION/OFFSET, as `list` prints it
        #[arg(value_parser = position)]
        position: At,
    },
    /// Send records again, rightly routed, under a recorded decision each; repeating it bills nothing twice
    #[command(
        after_help = "Examples:\n  plimsoll quarantine retry --by-reason misrouted --reason \"producer's partitioner fixed\" --dry-run\n  plimsoll quarantine retry --at usage-1/3/8812 --reason \"clock was wrong\""
    )]
    Retry(Resolve),
    /// Record that records are nothing that has to be billed
    Discard(Resolve),
}

#[derive(Debug, Subcommand)]
pub(super) enum Late {
    /// List late records and how they stand, as lines of JSON
    List(Which),
    /// Bill late records after all: each is sent again under a recorded decision; one whose identity is accepted already is left alone
    Accept(Resolve),
}

/// Which records.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Of this provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Whose key names this array
    #[arg(long, value_name = "ID")]
    array: Option<String>,
    /// Quarantined for this reason
    #[arg(long, value_name = "CODE", value_parser = reason)]
    by_reason: Option<String>,
    /// In this stream: usage-1
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// Appended at this time or later: an instant in RFC 3339, or a date (UTC)
    #[arg(long, value_name = "T", value_parser = instant)]
    from: Option<Instant>,
    /// Appended before this time
    #[arg(long, value_name = "T", value_parser = instant)]
    to: Option<Instant>,
    /// This record only: STREAM/PARTITION/OFFSET
    #[arg(long, value_name = "POSITION", value_parser = position)]
    at: Option<At>,
}

/// Which records, and why something is done with them.
#[derive(Debug, Args)]
pub(super) struct Resolve {
    #[command(flatten)]
    which: Which,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides, for the record
    #[arg(long, default_value_t = default_actor(), value_name = "WHO")]
    actor: String,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// A position on the command line.
#[derive(Clone, Debug)]
pub(super) struct At(StreamId, Partition, Offset);

fn position(text: &str) -> Result<At, String> {
    let mut parts = text.rsplitn(3, '/');
    let parsed = (parts.next().map(str::parse), parts.next().map(str::parse), parts.next());
    match parsed {
        (Some(Ok(offset)), Some(Ok(partition)), Some(stream)) if !stream.is_empty() => {
            Ok(At(StreamId(stream.to_owned()), Partition(partition), Offset(offset)))
        }
        _ => Err("write STREAM/PARTITION/OFFSET: usage-1/3/8812".to_owned()),
    }
}

fn reason(text: &str) -> Result<String, String> {
    let codes = Reason::ALL.map(Reason::as_str);
    if codes.contains(&text) { Ok(text.to_owned()) } else { Err(format!("write one of {}", codes.join(", "))) }
}

fn instant(text: &str) -> Result<Instant, String> {
    let zone = parse_zone(None).map_err(|error| error.to_string())?;
    parse_instant(text, zone).map_err(|error| error.to_string())
}

/// One line of a listing.
#[derive(Serialize)]
struct Line<'a> {
    position: String,
    appended: String,
    reason: Option<&'a str>,
    detail: &'a str,
    provider: Option<&'a str>,
    array: Option<&'a str>,
    bytes: u64,
    state: &'a str,
    because: Option<&'a str>,
    at: Option<&'a str>,
}

impl Quarantine {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Quarantine::List(which) => list(config, which.query(false)).await,
            Quarantine::Show { position } => show(config, position).await,
            Quarantine::Retry(resolve) => resolve.run(config, false, Verb::Resend).await,
            Quarantine::Discard(resolve) => resolve.run(config, false, Verb::Discard).await,
        }
    }
}

impl Late {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Late::List(which) => list(config, which.query(true)).await,
            Late::Accept(resolve) => resolve.run(config, true, Verb::Resend).await,
        }
    }
}

impl Which {
    fn query(&self, late: bool) -> AsideQuery {
        AsideQuery {
            late,
            provider: self.provider.clone(),
            array: self.array.clone(),
            reason: self.by_reason.clone(),
            from: self.from,
            to: self.to,
            stream: self.stream.clone(),
            positions: self.at.clone().map(|At(stream, partition, offset)| vec![(stream, partition, offset)]),
            ..AsideQuery::default()
        }
    }
}

impl Resolve {
    async fn run(self, config: &Config, late: bool, verb: Verb) -> anyhow::Result<ExitCode> {
        if self.reason.trim().is_empty() {
            bail!("--reason is empty: say why, it is kept with the decision");
        }
        let client = Client::new(&config.clickhouse);
        let control = follow(config)?;
        let mut resolver = Resolver::new(&config.kafka, client.clone(), control)?;
        let query = AsideQuery { whole: verb == Verb::Resend && !self.dry_run, ..self.which.query(late) };
        let mut rows = read(&client, &query).await?;
        let (mut tally, mut found) = (Tally::default(), 0u64);
        let progress = Progress::new();
        loop {
            let batch = batch::next(&mut rows).await?;
            found += batch.len() as u64;
            if batch.is_empty() {
                break;
            }
            let outcomes = match self.dry_run {
                true => resolver.plan(&batch, verb).await?,
                false => {
                    let why = Why { reason: &self.reason, actor: &self.actor };
                    resolver.resolve(&batch, verb, why).await?
                }
            };
            outcomes.into_iter().for_each(|outcome| tally.add(outcome, verb));
            progress.show(found);
        }
        progress.end();
        if let (0, Some(At(stream, partition, offset))) = (found, &self.which.at) {
            eprintln!("plimsoll: no such record was put aside at {stream}/{}/{}", partition.0, offset.0);
            return Ok(ExitCode::from(2));
        }
        println!("{}", self.summary(found, &tally, verb));
        Ok(ExitCode::SUCCESS)
    }

    fn summary(&self, found: u64, tally: &Tally, verb: Verb) -> String {
        let Tally { decided, sent, resolved, accepted_already } = tally;
        if self.dry_run {
            let due = if verb == Verb::Resend { *sent } else { *decided };
            return format!("{found} records, {due} of them unresolved; nothing was done (--dry-run)");
        }
        let done = match verb {
            Verb::Resend => format!("{sent} sent again ({decided} newly decided)"),
            Verb::Discard => format!("{decided} discarded"),
        };
        let left = match accepted_already {
            0 => String::new(),
            count => format!(", {count} left alone: an event of their identity is accepted already"),
        };
        format!("{found} records: {done}, {resolved} resolved before{left}")
    }
}

/// What a run found and did.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Decided now.
    decided: u64,
    /// Sent (again, if it was decided before).
    sent: u64,
    /// Resolved before, nothing done.
    resolved: u64,
    /// Left alone since an event of their identity is accepted already.
    accepted_already: u64,
}

impl Tally {
    fn add(&mut self, outcome: Outcome, verb: Verb) {
        match outcome {
            Outcome::Decided => self.decided += 1,
            Outcome::SentAgain => {}
            Outcome::ResolvedBefore => self.resolved += 1,
            Outcome::AcceptedAlready => self.accepted_already += 1,
        }
        let is_sent = matches!(outcome, Outcome::Decided | Outcome::SentAgain) && verb == Verb::Resend;
        self.sent += u64::from(is_sent);
    }
}

/// A bar on a terminal, lines of the log otherwise.
struct Progress {
    bar: ProgressBar,
    said: Cell<Moment>,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} records  {per_sec}") {
            bar.set_style(style);
        }
        Self { bar, said: Cell::new(Moment::now()) }
    }

    fn show(&self, records: u64) {
        self.bar.set_position(records);
        if self.bar.is_hidden() && self.said.get().elapsed() >= SAY_EVERY {
            self.said.set(Moment::now());
            tracing::info!(records, "resolving");
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

async fn list(config: &Config, query: AsideQuery) -> anyhow::Result<ExitCode> {
    let client = Client::new(&config.clickhouse);
    let control = follow(config)?;
    let mut resolver = Resolver::new(&config.kafka, client.clone(), control)?;
    let mut rows = read(&client, &query).await?;
    let mut out = BufWriter::new(std::io::stdout());
    loop {
        let batch = batch::next(&mut rows).await?;
        if batch.is_empty() {
            break;
        }
        for (row, state) in batch.iter().zip(resolver.states(&batch).await?) {
            writeln!(out, "{}", serde_json::to_string(&line(row, &state))?)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn line<'a>(row: &'a AsideRow, state: &'a State) -> Line<'a> {
    let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
    Line {
        position: row.label(),
        appended: Instant(row.appended).rfc3339(),
        reason: some(&row.reason),
        detail: &row.detail,
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

async fn show(config: &Config, At(stream, partition, offset): At) -> anyhow::Result<ExitCode> {
    let client = Client::new(&config.clickhouse);
    for late in [false, true] {
        let positions = Some(vec![(stream.clone(), partition, offset)]);
        let mut rows = read(&client, &AsideQuery { late, positions, whole: true, ..AsideQuery::default() }).await?;
        let Some(row) = rows.next().await? else { continue };
        let control = follow(config)?;
        let mut resolver = Resolver::new(&config.kafka, client, control)?;
        let state = resolver.states(std::slice::from_ref(&row)).await?.pop().unwrap_or(State::Unresolved);
        println!("{}", serde_json::to_string_pretty(&line(&row, &state))?);
        println!("key: {}", String::from_utf8_lossy(&row.key));
        for (name, value) in row.header_names.iter().zip(&row.header_values) {
            println!("{name}: {}", String::from_utf8_lossy(value));
        }
        let shown = shown(&row.raw);
        println!(
            "\n{}",
            String::from_utf8_lossy(shown).escape_debug().to_string().replace("\\n", "\n").replace("\\\"", "\"")
        );
        if row.raw.len() > shown.len() {
            println!("... {} bytes more", row.raw.len() - shown.len());
        }
        return Ok(ExitCode::SUCCESS);
    }
    Err(anyhow::anyhow!("no record was put aside at {stream}/{}/{}", partition.0, offset.0)).context("nothing to show")
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
