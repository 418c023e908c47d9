//! `plimsoll stream reopen`: ends a generation of a stream and opens the next one on a new topic.

use std::process::ExitCode;
use std::time::{Duration, Instant as Moment};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;
use tokio::runtime::Runtime;

use super::name::open;
use super::{MAX_PARTITIONS, Window, check_topic_name, store, window_ms};
use crate::cli::actor::default_actor;
use crate::cli::control::{follow, wait_for};
use crate::cli::output::say;
use crate::clickhouse::store::ClickHouseStore;
use crate::config::Config;
use crate::core::decision::Decision;
use crate::core::decision::stream::{Closes, Generation};
use crate::core::ledger::rules::{FOLD_VERSION, StreamRules};
use crate::core::word::{Offset, Partition, StreamId};
use crate::fold::seam::Store as _;
use crate::kafka::control_writer::append;
use crate::kafka::reader::Reader;
use crate::kafka::topic::{Purpose, Topics};

/// Between two looks at how far workers are.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Open a stream again: a new generation on a new topic, with another number of partitions or other rules
///
/// Stop producers, or point them to the new topic afterwards: what they send to the old one past its end is void. The command waits until
/// workers have folded the old topic to its end, which is then the generation's.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll stream reopen usage --partitions 24 --reason \"more arrays\"\n  plimsoll stream reopen usage --at-checkpoints --reason \"the topic was re-created\""
)]
pub(in crate::cli) struct Reopen {
    /// The stream: its id, its topic, or the name under which it was opened first
    stream: String,
    /// How many partitions the new generation has; else as many as the old one
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTITIONS)))]
    partitions: Option<u32>,
    /// How long after its instant an event is accepted; else as before
    #[arg(long, value_parser = window_ms, value_name = "DURATION")]
    acceptance_window: Option<Window>,
    /// The new topic; else the stream's first name and the number of the generation: usage-2
    #[arg(long)]
    topic: Option<String>,
    /// End where the newest checkpoints stand, and wait for nothing: for a log that was cut, changed or re-created
    #[arg(long)]
    at_checkpoints: bool,
    /// How long workers may take to fold the old topic to its end: 30s, 5m, 2h
    #[arg(long, value_parser = wait, default_value = "2m", value_name = "DURATION")]
    wait: Duration,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// Who decides, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
    /// Check and say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Reopen {
    pub(super) fn run(self, config: &Config, runtime: &Runtime) -> anyhow::Result<ExitCode> {
        let control = follow(config)?;
        let register = control.register();
        let old = open(&register, &self.stream)?;
        let rules = self.rules(old);
        check_topic_name(&rules.topic)?;
        if let Some(other) = register.all().find(|other| other.rules.topic == rules.topic) {
            eprintln!(
                "plimsoll: topic {} is or was {}: name another one with --topic",
                rules.topic, other.rules.stream
            );
            return Ok(ExitCode::from(2));
        }
        let mut ending = Ending { old, reader: Reader::new(&config.kafka)?, store: store(config, runtime) };
        let ends = match self.at_checkpoints {
            true => ending.checkpoints()?,
            false => ending.wait_until_folded(self.wait)?,
        };
        let told = |ends: &[Offset]| ends.iter().map(|end| end.0.to_string()).collect::<Vec<_>>().join(", ");
        if self.dry_run {
            say(format_args!(
                "{} would end at {}; {} would be opened on topic {}, {} partitions",
                old.rules.stream,
                told(&ends),
                rules.stream,
                rules.topic,
                rules.partitions
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let topics = Topics::new(&config.kafka)?;
        runtime.block_on(async {
            topics.create(&rules.topic, rules.partitions, Purpose::Usage).await?;
            wait_for(&topics, &rules.topic, rules.partitions, Purpose::Usage).await?;
            let closes = Closes { stream: old.rules.stream.clone(), ends: ends.clone(), reason: self.reason.clone() };
            let decision =
                Decision::StreamOpened { rules: rules.clone(), closes: Some(closes), actor: self.actor.clone() };
            append(&config.kafka, &decision).await?;
            control.read_to_end()?;
            anyhow::Ok(())
        })?;
        let counts = control.register().get(&rules.stream).is_some_and(|opened| *opened.rules == rules);
        if !counts {
            bail!(
                "somebody else opened {} again at the same time, and was first: plimsoll stream list",
                old.rules.stream
            );
        }
        say(format_args!("{} ended at {}", old.rules.stream, told(&ends)))?;
        say(format_args!(
            "{} is open: topic {}, {} partitions; producers go there now",
            rules.stream, rules.topic, rules.partitions
        ))?;
        ending.tell_void(&topics, &ends)?;
        Ok(ExitCode::SUCCESS)
    }

    fn rules(&self, old: &Generation) -> StreamRules {
        let generation = old.rules.generation + 1;
        let stream = StreamId(format!("{}-{generation}", old.base()));
        StreamRules {
            topic: self.topic.clone().unwrap_or_else(|| stream.0.clone()),
            stream,
            generation,
            partitions: self.partitions.unwrap_or(old.rules.partitions),
            acceptance_window_ms: self.acceptance_window.map_or(old.rules.acceptance_window_ms, |window| window.0),
            fold_version: FOLD_VERSION,
            ..(*old.rules).clone()
        }
    }
}

/// A span of time as people write it, seconds too: 30s, 5m, 2h.
fn wait(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let parsed = units.into_iter().find_map(|(unit, s)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(s));
    match parsed {
        Some(seconds) if (1..=86_400).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err("write a number and s, m or h, from 1s to 24h: 5m".to_owned()),
    }
}

/// A generation on its way to its end.
struct Ending<'a> {
    old: &'a Generation,
    reader: Reader,
    store: ClickHouseStore,
}

impl Ending<'_> {
    fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.old.rules.partitions).map(Partition)
    }

    /// Where the newest checkpoints stand.
    fn checkpoints(&mut self) -> anyhow::Result<Vec<Offset>> {
        let Self { old, store, .. } = self;
        let newest = (0..old.rules.partitions).map(Partition).map(|partition| {
            let found = store.checkpoints(&old.rules, partition, 0)?;
            Ok(found.first().map_or(Offset(0), |newest| newest.next))
        });
        newest.collect::<anyhow::Result<Vec<Offset>>>().context("the manifest is not read")
    }

    /// Waits until a checkpoint covers everything that the log holds, and gives the checkpoints that do.
    fn wait_until_folded(&mut self, limit: Duration) -> anyhow::Result<Vec<Offset>> {
        let since = Moment::now();
        let bar = ProgressBar::new_spinner();
        loop {
            let ends = self.partitions().map(|partition| {
                let ends = self.reader.ends(&self.old.rules.topic, partition);
                ends.map(|ends| ends.end)
            });
            let ends: Vec<Offset> = ends.collect::<Result<_, _>>().context("the old topic is not read")?;
            let stand = self.checkpoints()?;
            let places: Vec<(Partition, Offset, Offset)> = self
                .partitions()
                .zip(ends.into_iter().zip(stand.iter().copied()))
                .map(|(p, (e, c))| (p, e, c))
                .collect();
            let label = |partition: Partition| self.old.rules.label(partition);
            if let Some((partition, end, stands)) = places.iter().find(|(_, end, stands)| end < stands) {
                bail!(
                    "{}: the log ends at offset {}, but {} was folded: the topic was cut or re-created; add --at-checkpoints",
                    label(*partition),
                    end.0,
                    stands.0
                );
            }
            let Some((partition, end, stands)) = places.iter().find(|(_, end, stands)| end > stands) else {
                bar.finish_and_clear();
                return Ok(stand);
            };
            let left: u64 = places.iter().map(|(_, end, stands)| end.0 - stands.0).sum();
            if since.elapsed() >= limit {
                bail!(
                    "{} is folded to {} of {} ({left} records in all): keep a worker running and producers stopped, and try again; or \
                     make void what is not folded: --at-checkpoints",
                    label(*partition),
                    stands.0,
                    end.0
                );
            }
            bar.set_message(format!("{left} records to fold until {} ends", self.old.rules.stream));
            bar.tick();
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Says how many records lie past the ends. Nothing depends on it, so a topic that is gone is no trouble.
    fn tell_void(&self, topics: &Topics, ends: &[Offset]) -> anyhow::Result<()> {
        let (topic, stream) = (&self.old.rules.topic, &self.old.rules.stream);
        let partitions = topics.partitions(topic).ok().flatten().unwrap_or(0);
        let void = (0..partitions).filter_map(|number| {
            let log = self.reader.ends(topic, Partition(number)).ok()?;
            let end = ends.get(number as usize).copied().unwrap_or_default();
            Some(log.end.0.saturating_sub(end.max(log.first).0))
        });
        let void: u64 = void.sum();
        if void > 0 {
            say(format_args!(
                "{void} records of topic {topic} are void: plimsoll stream void {stream} lists them, --send-again sends them to the new topic"
            ))?;
        }
        Ok(())
    }
}
