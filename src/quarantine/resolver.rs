//! Resolving records: a decision first, then the bytes. Killed in between, the same command goes on under the same decision, and an
//! event that is sent twice is a duplicate of itself: it is billed once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use futures_util::future::try_join_all;

use super::ResolveError;
use super::forecast::forecast;
use super::resend::Resender;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideRow, OutcomeRow, accepted, outcomes};
use crate::config;
use crate::core::decision::Decision;
use crate::core::decision::resolution::{Position, Resolution, resolutions};
use crate::core::word::{Disposition, Instant, Offset, StreamId};
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::kafka::control_writer::ControlWriter;

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is sent again.
    Resend,
    /// It is discarded.
    Discard,
}

/// For the record: why, and who decides.
#[derive(Clone, Copy, Debug)]
pub struct Why<'a> {
    /// The reason that a person gives.
    pub reason: &'a str,
    /// Who decides.
    pub actor: &'a str,
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

/// What a call did with a record, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody had decided about it: it is decided now, and sent if that is the decision.
    Decided,
    /// It was decided before that it is sent again, and no worker has met it: it is sent once more under the same decision.
    SentAgain,
    /// Resolved before, nothing done.
    ResolvedBefore,
    /// Left alone, since an event of its identity is accepted already.
    AcceptedAlready,
}

/// Resolves records, with what was decided before in view.
pub struct Resolver {
    client: Client,
    control: ControlFollower,
    /// The first decision about each record, of those below `seen`.
    resolved: BTreeMap<Position, Resolution>,
    seen: Offset,
    writer: ControlWriter,
    resender: Resender,
}

impl Resolver {
    /// A resolver over a control log that is followed; it connects when it is used.
    ///
    /// # Errors
    /// Kafka's settings.
    pub fn new(kafka: &config::Kafka, client: Client, control: ControlFollower) -> Result<Self, ResolveError> {
        let (writer, resender) = (ControlWriter::new(kafka)?, Resender::new(kafka)?);
        Ok(Self { client, control, resolved: BTreeMap::new(), seen: Offset(0), writer, resender })
    }

    /// How records stand now, in their order.
    ///
    /// # Errors
    /// Kafka's and the server's.
    pub async fn states(&mut self, rows: &[AsideRow]) -> Result<Vec<State>, ResolveError> {
        self.catch_up().await?;
        let sent = rows.iter().filter_map(|row| self.resolved.get(&row.position())).filter(|found| found.resent);
        let decisions: Vec<i64> = sent.filter_map(|found| i64::try_from(found.decision.0).ok()).collect();
        // of a record that was sent several times under one decision the first counts: the others are its duplicates
        let mut first: HashMap<i64, OutcomeRow> = HashMap::new();
        for outcome in outcomes(&self.client, &decisions).await? {
            first.entry(outcome.decision).or_insert(outcome);
        }
        Ok(rows.iter().map(|row| self.state(row, &first)).collect())
    }

    fn state(&self, row: &AsideRow, outcomes: &HashMap<i64, OutcomeRow>) -> State {
        let Some(resolution) = self.resolved.get(&row.position()) else { return State::Unresolved };
        if !resolution.resent {
            return State::Discarded(resolution.reason.clone());
        }
        let outcome = i64::try_from(resolution.decision.0).ok().and_then(|decision| outcomes.get(&decision));
        outcome.map_or(State::Resent, |outcome| {
            let at = format!("{}/{}/{}", outcome.stream, outcome.partition, outcome.offset);
            State::Became(outcome.disposition.clone(), at)
        })
    }

    /// What [`Resolver::resolve`] would do with records, in their order.
    ///
    /// # Errors
    /// Kafka's and the server's.
    pub async fn plan(&mut self, rows: &[AsideRow], verb: Verb) -> Result<Vec<Outcome>, ResolveError> {
        let states = self.states(rows).await?;
        let is_asked =
            |state: &State, row: &AsideRow| verb == Verb::Resend && *state == State::Unresolved && row.identity != 0;
        let asked = states.iter().zip(rows).filter(|(state, row)| is_asked(state, row));
        let asked: BTreeSet<u128> = asked.map(|(_, row)| row.identity).collect();
        let accepted = accepted(&self.client, &asked).await?;
        let outcome = |(state, row): (&State, &AsideRow)| match state {
            State::Unresolved if is_asked(state, row) && accepted.contains(&row.identity) => Outcome::AcceptedAlready,
            State::Unresolved => Outcome::Decided,
            State::Resent if verb == Verb::Resend => Outcome::SentAgain,
            State::Resent | State::Discarded(_) | State::Became(..) => Outcome::ResolvedBefore,
        };
        Ok(states.iter().zip(rows).map(outcome).collect())
    }

    /// What would become of records if they were sent again now, in their order; none of a stream that goes on nowhere. The rows have to
    /// be whole.
    #[must_use]
    pub fn forecast(&self, rows: &[AsideRow], now: Instant) -> Vec<Option<Disposition>> {
        let register = self.control.register();
        let one = |row: &AsideRow| {
            let generation = register.now(&StreamId(row.stream.clone()))?;
            Some(forecast(row, &generation.rules, now))
        };
        rows.iter().map(one).collect()
    }

    /// Resolves a batch: decisions for what has none, then the bytes of everything that is not known to have arrived.
    ///
    /// # Errors
    /// Kafka's and the server's. What was decided stands, and the same call goes on from there.
    pub async fn resolve(&mut self, rows: &[AsideRow], verb: Verb, why: Why<'_>) -> Result<Vec<Outcome>, ResolveError> {
        let mut outcomes = self.plan(rows, verb).await?;
        let undecided = rows.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Decided);
        let decisions: Vec<Decision> = undecided.map(|(row, _)| decision(row, verb, why)).collect();
        let made = try_join_all(decisions.iter().map(|decision| self.writer.append(decision))).await?;
        let made: BTreeSet<Offset> = made.into_iter().collect();
        if !made.is_empty() {
            // somebody else may have decided meanwhile: the first decision counts, and it alone is acted on
            self.catch_up().await?;
        }
        let mut due = Vec::new();
        for (row, outcome) in rows.iter().zip(&mut outcomes) {
            let Some(first) = self.resolved.get(&row.position()) else { continue };
            if *outcome == Outcome::Decided && !made.contains(&first.decision) {
                let is_sent = verb == Verb::Resend && first.resent;
                *outcome = if is_sent { Outcome::SentAgain } else { Outcome::ResolvedBefore };
            }
            if verb == Verb::Resend && matches!(outcome, Outcome::Decided | Outcome::SentAgain) {
                due.push((row, first.decision));
            }
        }
        try_join_all(due.into_iter().map(|(row, decision)| self.send(row, decision))).await?;
        Ok(outcomes)
    }

    async fn send(&self, row: &AsideRow, decision: Offset) -> Result<(), ResolveError> {
        // a record of a closed generation is sent to where its stream goes on
        let register = self.control.register();
        let now = register.now(&StreamId(row.stream.clone()));
        let rules = &now.ok_or_else(|| ResolveError::NoStream(row.stream.clone()))?.rules;
        let recorded = self.control.recorded(decision);
        let hash = recorded
            .map(|recorded| recorded.hash)
            .ok_or_else(|| SeamError::retryable(format!("decision {} is not to be read", decision.0)))?;
        self.resender.send(row, rules, decision, &hash).await
    }

    /// Takes in what was decided since the last time.
    async fn catch_up(&mut self) -> Result<(), ResolveError> {
        let control = self.control.clone();
        let read = tokio::task::spawn_blocking(move || control.read_to_end()).await;
        let end = read.map_err(|error| SeamError::retryable(format!("the control log was not read: {error}")))??;
        let (new, seen) = self.control.look(self.seen, |records| {
            let new = resolutions(records.iter().map(|record| (record.offset, &record.decision)));
            (new, records.last().map_or(end, |record| Offset(record.offset.0 + 1)))
        });
        for (position, resolution) in new {
            self.resolved.entry(position).or_insert(resolution);
        }
        self.seen = self.seen.max(seen);
        Ok(())
    }
}

fn decision(row: &AsideRow, verb: Verb, Why { reason, actor }: Why<'_>) -> Decision {
    let (stream, partition, offset) = row.position();
    let raw_hash = format!("{:032x}", row.raw_hash);
    let (reason, actor) = (reason.to_owned(), actor.to_owned());
    match verb {
        Verb::Resend => Decision::RecordResent { stream, partition, offset, raw_hash, reason, actor, nonce: nonce() },
        Verb::Discard => Decision::RecordDiscarded { stream, partition, offset, raw_hash, reason, actor },
    }
}

/// 128 bits that nobody can foretell: hashes under keys that the standard library takes from the system.
fn nonce() -> String {
    let half = || RandomState::new().hash_one(std::time::SystemTime::now());
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::decision::decision_hash;

    /// Two decisions that say the same have two hashes: a header can name neither before it is made.
    #[test]
    fn a_decisions_hash_cannot_be_known_before_it_is_made() {
        let why = Why { reason: "r", actor: "a" };
        let hash =
            || decision_hash(&serde_json::to_string(&decision(&AsideRow::default(), Verb::Resend, why)).unwrap());
        assert_ne!(hash(), hash());
        assert_eq!(nonce().len(), 32);
    }
}
