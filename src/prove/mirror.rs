//! The mirror of decisions, held against its own chain of hashes: a row that is missing, altered or put in breaks it.

use clickhouse::Row;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ProveError;
use crate::clickhouse::Client;
use crate::clickhouse::read::rows::Rows;
use crate::core::decision::Decision;
use crate::core::word::{Instant, Offset};

#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
struct DecisionRow {
    offset: u64,
    append_time: i64,
    kind: String,
    provider: String,
    actor: String,
    body: String,
    hash: String,
}

impl DecisionRow {
    /// The decision, if the columns that say something of it say what it says.
    fn read(&self) -> Result<Decision, ProveError> {
        let wrong = |error| ProveError::Decision { offset: self.offset, error };
        let decision: Decision = serde_json::from_str(&self.body).map_err(wrong)?;
        let provider = decision.provider().unwrap_or_default();
        let columns = [
            ("kind", &self.kind, decision.kind()),
            ("provider", &self.provider, provider),
            ("actor", &self.actor, decision.actor()),
        ];
        if let Some((column, stored, said)) = columns.into_iter().find(|(_, stored, said)| stored != said) {
            let (stored, said) = (stored.clone(), said.to_owned());
            return Err(ProveError::Column { offset: self.offset, column, stored, said });
        }
        Ok(decision)
    }
}

/// One decision of the mirror.
#[derive(Clone, Debug)]
pub struct Mirrored {
    /// Where it lies in the control log.
    pub offset: Offset,
    /// When the broker appended it.
    pub append_time: Instant,
    /// What it says.
    pub decision: Decision,
    /// The hash of the log up to it, in hex.
    pub hash: String,
}

/// Reads the decisions that are mirrored behind one, or all of them, in the order of the log.
///
/// # Errors
/// The server's; a row whose hash does not follow from the rows before it, or of which another column does not say what its decision says; one
/// that this build does not understand.
pub async fn after(client: &Client, last: Option<&Mirrored>) -> Result<Vec<Mirrored>, ProveError> {
    // rows that were not merged yet are read too: one of an offset may be another than the one that is shown
    let sql = "SELECT d.offset AS offset, toUnixTimestamp64Milli(d.append_time) AS append_time, toString(d.kind) AS kind, \
               toString(d.provider) AS provider, d.actor AS actor, d.body AS body, d.hash AS hash \
               FROM decision AS d WHERE d.offset >= {from:UInt64} ORDER BY d.offset";
    let from = last.map_or(0, |last| last.offset.0 + 1);
    let mut rows: Rows<DecisionRow> = Rows::of(client, client.select(sql).param("from", from))?;
    let mut chain = Chain(last.map(|last| last.hash.clone()).unwrap_or_default());
    let mut decisions = Vec::new();
    let mut before: Option<DecisionRow> = None;
    while let Some(row) = rows.next().await? {
        if let Some(before) = before.as_ref().filter(|before| before.offset == row.offset) {
            // written twice
            if *before == row {
                continue;
            }
            return Err(ProveError::Several { offset: row.offset });
        }
        chain.follow(&row.body, &row.hash).map_err(|Broken| ProveError::Chain { offset: row.offset })?;
        let (offset, append_time, decision) = (Offset(row.offset), Instant(row.append_time), row.read()?);
        decisions.push(Mirrored { offset, append_time, decision, hash: row.hash.clone() });
        before = Some(row);
    }
    Ok(decisions)
}

/// Holds the mirror against the log itself, of which `log` gives offsets, append times and running hashes from the first record on: all that
/// is mirrored is there, and says the same. The hash stands for the record, and [`after`] has held all other columns against it; when a
/// record was appended is outside of it.
///
/// # Errors
/// The first decision that the log lacks or says otherwise.
pub fn against<'l>(
    decisions: &[Mirrored],
    log: impl IntoIterator<Item = (Offset, Instant, &'l str)>,
) -> Result<(), ProveError> {
    let mut log = log.into_iter();
    for decision in decisions {
        let offset = decision.offset.0;
        // the chain makes each hash stand for all records before it
        let logged = log.next().filter(|(at, _, hash)| *at == decision.offset && *hash == decision.hash);
        let (_, appended, _) = logged.ok_or(ProveError::Log { offset })?;
        if appended != decision.append_time {
            let (stored, logged) = (decision.append_time.rfc3339(), appended.rfc3339());
            return Err(ProveError::Appended { offset, stored, logged });
        }
    }
    Ok(())
}

/// The hash of a log so far.
#[derive(Debug, Default)]
struct Chain(String);

/// A record that does not follow from those before it.
#[derive(Debug, PartialEq, Eq)]
struct Broken;

impl Chain {
    /// Goes on by a record that claims to have this hash.
    fn follow(&mut self, body: &str, hash: &str) -> Result<(), Broken> {
        self.0 = format!("{:x}", Sha256::new().chain_update(&self.0).chain_update(body).finalize());
        if self.0 == hash { Ok(()) } else { Err(Broken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(bodies: &[&str]) -> Vec<(String, String)> {
        let mut before = String::new();
        let link = |body: &&str| {
            before = format!("{:x}", Sha256::new().chain_update(&before).chain_update(body).finalize());
            ((*body).to_owned(), before.clone())
        };
        bodies.iter().map(link).collect()
    }

    #[test]
    fn columns_say_what_the_decision_says() {
        let body = r#"{"kind":"RecordDiscarded","stream":"s-1","partition":0,"offset":7,"raw_hash":"0","reason":"r","actor":"ann"}"#;
        let decision: Decision = serde_json::from_str(body).unwrap();
        let right = DecisionRow {
            offset: 3,
            append_time: 0,
            kind: decision.kind().to_owned(),
            provider: decision.provider().unwrap_or_default().to_owned(),
            actor: "ann".to_owned(),
            body: body.to_owned(),
            hash: String::new(),
        };
        assert_eq!(right.read().unwrap(), decision);
        let wrong = "x".to_owned();
        for (row, column) in [
            (DecisionRow { kind: wrong.clone(), ..right.clone() }, "kind"),
            (DecisionRow { provider: wrong.clone(), ..right.clone() }, "provider"),
            (DecisionRow { actor: wrong.clone(), ..right.clone() }, "actor"),
        ] {
            let said = row.read().unwrap_err().to_string();
            assert!(said.contains(&format!("decision 3 in the table `decision` has {column} x")), "{said}");
        }
    }

    #[test]
    fn when_a_record_was_appended_is_held_against_the_log() {
        let decision = Decision::RecordDiscarded {
            stream: crate::core::word::StreamId("s-1".to_owned()),
            partition: crate::core::word::Partition(0),
            offset: Offset(7),
            raw_hash: "0".to_owned(),
            reason: "r".to_owned(),
            actor: "ann".to_owned(),
        };
        let mirrored = [Mirrored { offset: Offset(0), append_time: Instant(5), decision, hash: "h".to_owned() }];
        let held = |log: (u64, i64, &'static str)| {
            against(&mirrored, [(Offset(log.0), Instant(log.1), log.2)]).map_err(|error| error.to_string())
        };
        assert_eq!(held((0, 5, "h")), Ok(()));
        assert!(held((0, 6, "h")).unwrap_err().contains("append_time 1970-01-01T00:00:00.005Z"));
        assert!(held((0, 5, "other")).unwrap_err().contains("is not what billing-control holds"));
        assert!(held((1, 5, "h")).is_err() && against(&mirrored, []).is_err());
    }

    fn followed(log: &[(String, String)]) -> usize {
        let mut chain = Chain::default();
        log.iter().take_while(|(body, hash)| chain.follow(body, hash).is_ok()).count()
    }

    #[test]
    fn a_row_that_is_missing_altered_or_put_in_breaks_the_chain() {
        let whole = log(&["a", "b", "c", "d"]);
        assert_eq!(followed(&whole), 4);
        for place in 0..4 {
            let (mut missing, mut altered, mut put_in) = (whole.clone(), whole.clone(), whole.clone());
            missing.remove(place);
            altered[place].0.push('x');
            put_in.insert(place, whole[(place + 1) % 4].clone());
            assert_eq!(followed(&missing), place.min(missing.len()));
            assert_eq!(followed(&altered), place);
            assert_eq!(followed(&put_in), place);
        }
    }
}
