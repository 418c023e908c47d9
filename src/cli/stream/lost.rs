//! `plimsoll stream lost`: records that offsets of a partition will never be folded, so that the others are.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::runtime::Runtime;

use super::name::open;
use super::store;
use crate::cli::actor::default_actor;
use crate::cli::control::follow;
use crate::cli::output::say;
use crate::config::Config;
use crate::core::decision::Decision;
use crate::core::decision::stream::Generation;
use crate::core::word::{Offset, Partition};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::comparison::Comparison;
use crate::fold::error::SeamError;
use crate::fold::ledger::{LedgerRow, LedgerSpan};
use crate::fold::seam::{LogEnds, Store};
use crate::kafka::control_writer::append;
use crate::kafka::reader::{Reader, Stamp};

/// Most rows above the checkpoint that are held against the log.
const MAX_ROWS: usize = 250_000;

/// Record that offsets of a partition are lost: retention deleted them, or the log was cut and refilled there.
///
/// What was folded stays. What the ledger has at these offsets without a checkpoint becomes void. The worker's refusal names this command
/// with the offsets that are due.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll stream lost usage-1 --partition 3 --from 8812 --to 9001 \\\n      --reason \"retention was too short\" --dry-run"
)]
pub(in crate::cli) struct Lost {
    /// The stream: its id, its topic, or the name under which it was opened first
    stream: String,
    /// The partition
    #[arg(long, value_name = "P")]
    partition: u32,
    /// The offset that is due: everything below it is folded
    #[arg(long, value_name = "OFFSET")]
    from: u64,
    /// Folding goes on here
    #[arg(long, value_name = "OFFSET")]
    to: u64,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// Who decides, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
    /// Check and say what would be recorded, and record nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is known of a partition whose offsets are said to be lost.
struct Found {
    due: Offset,
    /// The first offset from `due` on that the ledger has no row above.
    known: Offset,
    ends: LogEnds,
    is_changed: bool,
}

impl Lost {
    pub(super) fn run(self, config: &Config, runtime: &Runtime) -> anyhow::Result<ExitCode> {
        let control = follow(config)?;
        let register = control.register();
        let generation = open(&register, &self.stream)?;
        let partition = Partition(self.partition);
        if partition.0 >= generation.rules.partitions {
            bail!("{} has the partitions 0 to {}", generation.rules.stream, generation.rules.partitions - 1);
        }
        let (from, to) = (Offset(self.from), Offset(self.to));
        if generation.holes(partition).any(|hole| (hole.from, hole.to) == (from, to)) {
            say(format_args!(
                "[{}, {}) of {} is recorded as lost already",
                from.0,
                to.0,
                generation.rules.label(partition)
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let found = Found::look(config, runtime, generation, partition)?;
        if let Err(refusal) = found.permits(generation, partition, (from, to)) {
            eprintln!("plimsoll: {refusal}");
            return Ok(ExitCode::from(2));
        }
        let label = generation.rules.label(partition);
        if self.dry_run {
            say(format_args!(
                "would record [{}, {}) of {label} as lost; folding would go on at {}",
                from.0, to.0, to.0
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (stream, reason, actor) = (generation.rules.stream.clone(), self.reason, self.actor);
        let decision = Decision::OffsetsLost { stream, partition, from, to, reason, actor };
        let at = runtime.block_on(append(&config.kafka, &decision))?;
        say(format_args!(
            "[{}, {}) of {label} is recorded as lost (decision {}); start the workers: folding goes on at {}",
            from.0, to.0, at.0, to.0
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Found {
    fn look(config: &Config, runtime: &Runtime, generation: &Generation, partition: Partition) -> anyhow::Result<Self> {
        let mut store = store(config, runtime);
        let checkpoints = store.checkpoints(&generation.rules, partition, 0).context("the manifest is not read")?;
        let newest = checkpoints.first();
        let next = newest.map_or(Offset(0), |newest| newest.next);
        let (due, _) = generation.past_holes(partition, next);
        let mut rows = Vec::new();
        let span = LedgerSpan { rules: &generation.rules, partition, from: due, below: Offset(u64::MAX) };
        store.rows(span, &mut |row| {
            if rows.len() < MAX_ROWS {
                rows.push(row);
            }
        })?;
        let known = rows.last().map_or(due, |row| Offset(row.offset + 1));
        let reader = Reader::new(&config.kafka)?;
        let ends = reader.ends(&generation.rules.topic, partition)?;
        let newest = newest.filter(|_| due == next);
        let is_changed =
            ends.first <= due && ends.end >= known && is_changed(&reader, generation, partition, newest, rows)?;
        Ok(Self { due, known, ends, is_changed })
    }

    /// Whether these offsets are lost, and nothing but these.
    fn permits(
        &self,
        generation: &Generation,
        partition: Partition,
        (from, to): (Offset, Offset),
    ) -> Result<(), String> {
        let (label, stream) = (generation.rules.label(partition), &generation.rules.stream);
        let Self { due, known, ends, .. } = *self;
        let right = |to: Offset| {
            format!(
                "plimsoll stream lost {stream} --partition {} --from {} --to {} --reason WHY",
                partition.0, due.0, to.0
            )
        };
        if from != due {
            return Err(format!(
                "{label}: offset {} is due, not {}: what lies below was folded or is recorded as lost",
                due.0, from.0
            ));
        }
        if ends.end < known {
            return Err(format!(
                "{label}: the log ends at {}, but {} was folded: offsets that come again cannot be told from those that were there; open a \
                 new generation: plimsoll stream reopen {stream} --at-checkpoints --reason WHY",
                ends.end.0, known.0
            ));
        }
        let (lost_to, why) = match (ends.first > due, self.is_changed) {
            (true, _) => (ends.first, "the log begins there"),
            (false, true) => (known, "the ledger has no row from there on"),
            (false, false) => {
                return Err(format!(
                    "{label}: nothing is lost: offset {} is still to be folded, start a worker",
                    due.0
                ));
            }
        };
        match to == lost_to {
            true => Ok(()),
            false => Err(format!("{label}: {} is where folding can go on: {why}: {}", lost_to.0, right(lost_to))),
        }
    }
}

/// Whether the log has other records than those that were folded last.
fn is_changed(
    reader: &Reader,
    generation: &Generation,
    partition: Partition,
    newest: Option<&Checkpoint>,
    rows: Vec<LedgerRow>,
) -> Result<bool, SeamError> {
    let mut comparison = Comparison::new(&generation.rules, newest.and_then(|newest| newest.last), rows);
    let Some((from, to)) = comparison.span() else { return Ok(false) };
    let topic = &*generation.rules.topic;
    let from = from.max(reader.ends(topic, partition)?.first);
    reader.read((topic, partition), (from, to), Stamp::Any, &mut |record| {
        comparison.meet(record);
        Ok(())
    })?;
    Ok(comparison.is_changed())
}
