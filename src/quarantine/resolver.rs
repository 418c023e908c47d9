//! Resolving records: a decision first, then the bytes. Killed in between, the same command goes on under the same decision, and an
//! event that is sent twice is a duplicate of itself: it is billed once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::ResolveError;
use super::resend::Resender;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideRow, OutcomeRow, is_accepted, outcomes};
use crate::config::Config;
use crate::core::decision::Decision;
use crate::core::decision::resolution::{Position, Resolution, resolutions};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Offset;
use crate::kafka::control::{ControlFollower, ControlWriter};

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is sent again.
    Resend,
    /// It is discarded.
    Discard,
}

/// How a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided about it.
    Unresolved,
    /// It was discarded, for this reason.
    Discarded(String),
    /// It was sent again, and no worker has met it since (or the sender was killed before).
    Resent,
    /// It was sent again, and this became of it there.
    Became(String, String),
}

impl State {
    /// A word for tables and JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            State::Unresolved => "unresolved",
            State::Discarded(_) => "discarded",
            State::Resent => "resent",
            State::Became(disposition, _) => disposition,
        }
    }
}

/// What a run found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decided now.
    pub decided: u64,
    /// Sent (again, if it was decided before).
    pub sent: u64,
    /// Resolved before, nothing done.
    pub resolved: u64,
    /// Left alone since an event of their identity is accepted already.
    pub accepted_already: u64,
}

/// Resolves records, with what was decided before in view.
pub struct Resolver {
    client: Client,
    streams: HashMap<String, Arc<StreamRules>>,
    resolved: BTreeMap<Position, Resolution>,
    outcomes: HashMap<i64, OutcomeRow>,
    writer: ControlWriter,
    resender: Resender,
}

impl Resolver {
    /// A resolver that knows all decisions up to now.
    ///
    /// # Errors
    /// Kafka's and the server's.
    pub async fn new(config: &Config, client: Client, control: &ControlFollower) -> Result<Self, ResolveError> {
        let records = control.records(Offset(0));
        let register = control.register();
        // a record of a closed generation is sent to where its stream goes on
        let goes_on = register.all().filter_map(|one| {
            let now = register.now(&one.rules.stream)?;
            Some((one.rules.stream.0.clone(), Arc::clone(&now.rules)))
        });
        let streams = goes_on.collect();
        // of a record that was sent several times under one decision the first counts: the others are its duplicates
        let mut first = HashMap::new();
        for outcome in outcomes(&client).await? {
            first.entry(outcome.decision).or_insert(outcome);
        }
        Ok(Self {
            streams,
            resolved: resolutions(records.iter().map(|record| (record.offset, &record.decision))),
            outcomes: first,
            writer: ControlWriter::new(&config.kafka)?,
            resender: Resender::new(&config.kafka)?,
            client,
        })
    }

    /// How a record stands.
    #[must_use]
    pub fn state(&self, row: &AsideRow) -> State {
        let Some(resolution) = self.resolved.get(&row.position()) else { return State::Unresolved };
        if !resolution.resent {
            return State::Discarded(resolution.reason.clone());
        }
        let outcome = i64::try_from(resolution.decision.0).ok().and_then(|decision| self.outcomes.get(&decision));
        outcome.map_or(State::Resent, |outcome| {
            let at = format!("{}/{}/{}", outcome.stream, outcome.partition, outcome.offset);
            State::Became(outcome.disposition.clone(), at)
        })
    }

    /// Resolves a batch: decisions for what has none, then the bytes of everything that is not known to have arrived.
    ///
    /// # Errors
    /// Kafka's and the server's. What was decided stands, and the same call goes on from there.
    pub async fn resolve(
        &mut self,
        rows: &[AsideRow],
        verb: Verb,
        why: (&str, &str),
        tally: &mut Tally,
    ) -> Result<(), ResolveError> {
        let mut due = Vec::new();
        for row in rows {
            match (self.state(row), verb) {
                (State::Unresolved, Verb::Resend)
                    if row.identity != 0 && is_accepted(&self.client, row.identity).await? =>
                {
                    tally.accepted_already += 1;
                }
                (State::Unresolved, _) | (State::Resent, Verb::Resend) => due.push(row),
                _ => tally.resolved += 1,
            }
        }
        let undecided: Vec<&AsideRow> =
            due.iter().copied().filter(|row| !self.resolved.contains_key(&row.position())).collect();
        let decisions: Vec<Decision> = undecided.iter().map(|row| decision(row, verb, why)).collect();
        let offsets = try_join_all(decisions.iter().map(|decision| self.writer.append(decision))).await?;
        let decided = offsets.iter().zip(&decisions).map(|(offset, decision)| (*offset, decision));
        tally.decided += undecided.len() as u64;
        self.resolved.extend(resolutions(decided));
        if verb == Verb::Resend {
            let sends = due.iter().map(|row| async {
                let rules = self.streams.get(&row.stream).ok_or_else(|| ResolveError::NoStream(row.stream.clone()))?;
                let decision = self.resolved.get(&row.position()).map_or(Offset(0), |resolution| resolution.decision);
                self.resender.send(row, rules, decision).await
            });
            tally.sent += try_join_all(sends).await?.len() as u64;
        }
        Ok(())
    }
}

fn decision(row: &AsideRow, verb: Verb, (reason, actor): (&str, &str)) -> Decision {
    let (stream, partition, offset) = row.position();
    let raw_hash = format!("{:032x}", row.raw_hash);
    let (reason, actor) = (reason.to_owned(), actor.to_owned());
    match verb {
        Verb::Resend => Decision::RecordResent { stream, partition, offset, raw_hash, reason, actor },
        Verb::Discard => Decision::RecordDiscarded { stream, partition, offset, raw_hash, reason, actor },
    }
}
