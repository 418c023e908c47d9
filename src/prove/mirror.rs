//! The mirror of decisions, held against its own chain of hashes: a row that is missing, altered or put in breaks it.

use clickhouse::Row;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ProveError;
use crate::clickhouse::Client;
use crate::clickhouse::read::rows::Rows;
use crate::core::decision::Decision;
use crate::core::word::{Instant, Offset};

#[derive(Debug, Row, Deserialize)]
struct DecisionRow {
    offset: u64,
    append_time: i64,
    body: String,
    hash: String,
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
/// The server's; a row whose hash does not follow from the rows before it; one that this build does not understand.
pub async fn after(client: &Client, last: Option<&Mirrored>) -> Result<Vec<Mirrored>, ProveError> {
    let sql = "SELECT offset, toUnixTimestamp64Milli(append_time) AS append_time, body, hash FROM decision FINAL \
               WHERE offset >= {from:UInt64} ORDER BY offset";
    let from = last.map_or(0, |last| last.offset.0 + 1);
    let mut rows: Rows<DecisionRow> = Rows::of(client, client.select(sql).param("from", from))?;
    let mut chain = Chain(last.map(|last| last.hash.clone()).unwrap_or_default());
    let mut decisions = Vec::new();
    while let Some(row) = rows.next().await? {
        chain.follow(&row.body, &row.hash).map_err(|Broken| ProveError::Chain { offset: row.offset })?;
        let wrong = |error| ProveError::Decision { offset: row.offset, error };
        let decision = serde_json::from_str(&row.body).map_err(wrong)?;
        let (offset, append_time) = (Offset(row.offset), Instant(row.append_time));
        decisions.push(Mirrored { offset, append_time, decision, hash: row.hash });
    }
    Ok(decisions)
}

/// Holds the mirror against the log itself, of which `log` gives offsets and running hashes from the first record on: all that is mirrored
/// is there, and says the same.
///
/// # Errors
/// The first decision that the log lacks or says otherwise.
pub fn against<'l>(decisions: &[Mirrored], log: impl IntoIterator<Item = (Offset, &'l str)>) -> Result<(), ProveError> {
    let mut log = log.into_iter();
    for decision in decisions {
        // the chain makes each hash stand for all records before it
        if log.next() != Some((decision.offset, decision.hash.as_str())) {
            return Err(ProveError::Log { offset: decision.offset.0 });
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
