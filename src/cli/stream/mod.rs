//! `plimsoll stream`: makes a stream's topic and the record of its rules; opens it again; records what it lost.

mod lost;
mod name;
mod reopen;
mod void;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand};

use super::actor::default_actor;
use super::control::{ensure_control, follow, wait_for};
use super::output::say;
use super::refusal::refuse;
use super::{closing, unknown};
use crate::clickhouse::Client;
use crate::clickhouse::store::ClickHouseStore;
use crate::config::Config;
use crate::core::decision::Decision;
use crate::core::event::{MAX_EVENT_BYTES, MAX_EVENT_READINGS, MAX_ID_BYTES};
use crate::core::ledger::rules::{DEFAULT_ACCEPTANCE_WINDOW_MS, FOLD_VERSION, FUTURE_LIMIT_MS, StreamRules};
use crate::core::word::StreamId;
use crate::kafka::control::ControlFollower;
use crate::kafka::control_writer::append;
use crate::kafka::topic::{Purpose, Topics};

/// Most partitions of a stream: each costs a worker a thread and a queue.
const MAX_PARTITIONS: u32 = 1024;
/// The longest acceptance window in days: identities are kept in memory for so long.
const MAX_WINDOW_DAYS: i64 = 3660;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open a stream: make its topic and record its rules, which then never change
    #[command(
        after_help = "Examples:\n  plimsoll stream open usage --provider northwind --partitions 12 --acceptance-window 40d"
    )]
    Open(Open),
    Reopen(reopen::Reopen),
    Lost(lost::Lost),
    Void(void::Void),
    /// List the streams that are open
    #[command(after_help = "Examples:\n  plimsoll stream list\n  plimsoll stream list --all")]
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The generations that are closed as well, with their ends
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").args(["provider", "shared"]).required(true))]
pub(super) struct Open {
    /// The stream's topic
    topic: String,
    /// The provider it is bound to: events of another are quarantined as foreign
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Shared by providers who trust each other
    #[arg(long)]
    shared: bool,
    /// How many partitions, for ever
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTITIONS)))]
    partitions: u32,
    /// How long after its instant an event is accepted: 40d, 36h, 90m
    #[arg(long, value_parser = window_ms, default_value_t = Window(DEFAULT_ACCEPTANCE_WINDOW_MS), value_name = "DURATION")]
    acceptance_window: Window,
    /// Who opens it, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

/// A span of time on the command line, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window(pub(super) i64);

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}d", self.0 / 86_400_000)
    }
}

/// A span of time as people write it: 40d, 36h, 5m.
pub(super) fn window_ms(text: &str) -> Result<Window, String> {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)];
    let parsed = units.into_iter().find_map(|(unit, ms)| text.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(ms));
    match parsed {
        Some(ms) if (60_000..=MAX_WINDOW_DAYS * 86_400_000).contains(&ms) => Ok(Window(ms)),
        _ => Err(format!("write a number and d, h or m, from 1m to {MAX_WINDOW_DAYS}d: 40d")),
    }
}

impl Command {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Runtime::new()?;
        match self {
            Command::Open(open) => runtime.block_on(open.run(config)),
            Command::Reopen(reopen) => reopen.run(config, &runtime),
            Command::Lost(lost) => lost.run(config, &runtime),
            Command::Void(void) => void.run(config, &runtime),
            Command::List(list) => list.run(config),
        }
    }
}

impl List {
    fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        for generation in follow(config)?.register().all().filter(|generation| self.all || generation.ends.is_none()) {
            let rules = &generation.rules;
            let provider = rules.provider.as_deref().unwrap_or("(shared)");
            let days = rules.acceptance_window_ms / 86_400_000;
            let topic = if rules.stream.0 == format!("{}-1", rules.topic) {
                String::new()
            } else {
                format!("  topic {}", rules.topic)
            };
            let ended = match &generation.ends {
                None => String::new(),
                Some(ends) => {
                    format!("  ended at {}", ends.iter().map(|end| end.0.to_string()).collect::<Vec<_>>().join(", "))
                }
            };
            say(format_args!(
                "{}  {} partitions  {provider}  acceptance window {days} d{topic}{ended}",
                rules.stream, rules.partitions
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The store, for commands that ask it what workers have done. Its calls block, so they are made outside of the runtime.
fn store(config: &Config, runtime: &tokio::runtime::Runtime) -> ClickHouseStore {
    ClickHouseStore::new(Client::new(&config.clickhouse), runtime.handle().clone(), Arc::new(|_, _, _| {}))
}

/// Refuses a name that Kafka does not take.
fn check_topic_name(topic: &str) -> anyhow::Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if topic.is_empty() || topic.len() > 200 || !topic.chars().all(legal) {
        bail!("a topic's name is made of letters, digits, '.', '_' and '-', at most 200 of them: {topic:?}");
    }
    Ok(())
}

impl Open {
    async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        check_topic_name(&self.topic)?;
        let rules = self.rules();
        if rules
            .provider
            .as_ref()
            .is_some_and(|provider| provider.is_empty() || provider.len() > rules.max_id_bytes as usize)
        {
            bail!(
                "--provider must be an id of 1 to {} bytes: events of another provider are quarantined",
                rules.max_id_bytes
            );
        }
        let topics = Topics::new(&config.kafka)?;
        ensure_control(config, &topics).await?;
        let control = follow(config)?;
        if let Some(open) = control.streams().iter().find(|open| open.topic == self.topic) {
            if **open == rules {
                wait_for(&topics, &self.topic, self.partitions, Purpose::Usage).await?;
                say(format_args!("{} is open already with these rules", rules.stream))?;
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!(
                "plimsoll: {} is open with other rules, and a stream's rules never change:\n  {}\nto change them: plimsoll stream reopen {}",
                open.stream,
                serde_json::to_string(&**open)?,
                open.stream
            );
            return Ok(ExitCode::from(2));
        }
        let register = control.register();
        if let Some(taken) =
            register.all().find(|taken| taken.rules.topic == self.topic || taken.rules.stream == rules.stream)
        {
            eprintln!("plimsoll: {} was opened before and is closed: its name is taken", taken.rules.stream);
            return Ok(ExitCode::from(2));
        }
        let bound = |open: &StreamRules| open.provider.is_some() && open.provider == rules.provider;
        if let Some(open) = control.streams().iter().find(|open| bound(open)) {
            eprintln!(
                "plimsoll: {} is open for this provider already: a provider has exactly one open stream",
                open.stream
            );
            return Ok(ExitCode::from(2));
        }
        let is_unbooked = match &rules.provider {
            Some(provider) => !is_in_book(provider, &control)?,
            None => false,
        };
        topics.create(&self.topic, self.partitions, Purpose::Usage).await?;
        wait_for(&topics, &self.topic, self.partitions, Purpose::Usage).await?;
        append(&config.kafka, &Decision::StreamOpened { rules: rules.clone(), closes: None, actor: self.actor })
            .await?;
        say(format_args!("{} is open: topic {}, {} partitions", rules.stream, rules.topic, rules.partitions))?;
        if let Some(provider) = rules.provider.filter(|_| is_unbooked) {
            say(format_args!(
                "{provider} is in no price book yet: name it in the first, `plimsoll catalog apply DIR`"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rules(&self) -> StreamRules {
        StreamRules {
            stream: StreamId(format!("{}-1", self.topic)),
            topic: self.topic.clone(),
            generation: 1,
            partitions: self.partitions,
            provider: self.provider.clone(),
            acceptance_window_ms: self.acceptance_window.0,
            future_limit_ms: FUTURE_LIMIT_MS,
            max_event_bytes: MAX_EVENT_BYTES as u64,
            max_event_readings: MAX_EVENT_READINGS as u32,
            max_id_bytes: MAX_ID_BYTES as u32,
            fold_version: FOLD_VERSION,
        }
    }
}

/// Whether the newest price book has a provider. One that it lacks is refused: most likely its name is misspelt, and its events would be put
/// aside as foreign. Before the first book that has providers any may be meant, and a stream may be opened first.
fn is_in_book(provider: &str, control: &ControlFollower) -> anyhow::Result<bool> {
    let decided = closing::register(control);
    let book = decided.newest_book().map(|(_, book)| book).filter(|book| !book.providers.is_empty());
    let known = unknown::providers(decided.streams(), book);
    match (book, known.contains(provider)) {
        (None, _) => Ok(false),
        (Some(_), true) => Ok(true),
        (Some(_), false) => refuse(unknown::told("provider", provider, known)),
    }
}

/// Opens a shared stream, or finds it open.
pub(super) async fn open_shared(
    config: &Config,
    topic: &str,
    partitions: u32,
    window_ms: i64,
) -> anyhow::Result<ExitCode> {
    let (provider, actor, acceptance_window) = (None, default_actor(), Window(window_ms));
    Open { topic: topic.to_owned(), provider, shared: true, partitions, acceptance_window, actor }.run(config).await
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn a_stream_has_partitions_and_a_window_up_to_their_limits() {
        let fits = |partitions: String, days: i64| {
            let window = format!("{days}d");
            let words =
                ["plimsoll", "open", "usage", "--shared", "--partitions", &partitions, "--acceptance-window", &window];
            Line::try_parse_from(words).is_ok()
        };
        for (partitions, taken) in [(0, false), (1, true), (MAX_PARTITIONS, true), (MAX_PARTITIONS + 1, false)] {
            assert_eq!(fits(partitions.to_string(), 40), taken, "{partitions} partitions");
        }
        for (days, taken) in [(MAX_WINDOW_DAYS - 1, true), (MAX_WINDOW_DAYS, true), (MAX_WINDOW_DAYS + 1, false)] {
            assert_eq!(fits("1".to_owned(), days), taken, "{days} days");
        }
    }
}
