//! Which records that were put aside: the filter of the command line.

use clap::Args;

use crate::cli::instant::instant;
use crate::cli::refusal::refuse;
use crate::cli::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::AsideQuery;
use crate::core::event::MAX_ID_BYTES;
use crate::core::word::{Instant, Offset, Partition, Reason, StreamId};

/// Which records: those that fit all of these.
#[derive(Debug, Default, Args)]
pub(super) struct Which {
    /// Of this provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Whose key names this array
    #[arg(long, value_name = "ID")]
    array: Option<String>,
    /// Quarantined for this reason; late records have none
    #[arg(long, value_name = "CODE")]
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
    pub at: Option<At>,
}

/// A position on the command line.
#[derive(Clone, Debug)]
pub(in crate::cli) struct At(pub StreamId, pub Partition, pub Offset);

pub(super) fn position(text: &str) -> Result<At, String> {
    let mut parts = text.rsplitn(3, '/');
    let parsed = (parts.next().map(str::parse), parts.next().map(str::parse), parts.next());
    match parsed {
        (Some(Ok(offset)), Some(Ok(partition)), Some(stream)) if !stream.is_empty() => {
            Ok(At(StreamId(stream.to_owned()), Partition(partition), Offset(offset)))
        }
        _ => Err("write STREAM/PARTITION/OFFSET: usage-1/3/8812".to_owned()),
    }
}

impl Which {
    /// The records that are asked for; a name that nothing can have is refused.
    pub(super) fn query(&self, late: bool) -> anyhow::Result<AsideQuery> {
        self.check(late)?;
        Ok(AsideQuery {
            late,
            provider: self.provider.clone(),
            array: self.array.clone(),
            reason: self.by_reason.clone(),
            from: self.from,
            to: self.to,
            stream: self.stream.clone(),
            positions: self.at.clone().map(|At(stream, partition, offset)| vec![(stream, partition, offset)]),
            ..AsideQuery::default()
        })
    }

    /// Refuses a provider that nobody knows. It is asked once no record is its.
    pub(super) async fn refuse_unknown(&self, client: &Client) -> anyhow::Result<()> {
        unknown::refuse_provider(client, self.provider.as_deref()).await
    }

    /// Whether it names all records there are.
    pub(super) fn is_all(&self) -> bool {
        let Self { provider, array, by_reason, stream, from, to, at } = self;
        let texts = [provider, array, by_reason, stream];
        texts.iter().all(|text| text.is_none()) && from.is_none() && to.is_none() && at.is_none()
    }

    fn check(&self, late: bool) -> anyhow::Result<()> {
        let ids = [("--provider", &self.provider), ("--array", &self.array), ("--stream", &self.stream)];
        for (name, id) in ids {
            match id.as_ref().map(String::len) {
                Some(0) => return refuse(format!("{name} is empty: leave it out to ask for all")),
                Some(length) if length > MAX_ID_BYTES => {
                    return refuse(format!("{name} has {length} bytes, and an id has at most {MAX_ID_BYTES}"));
                }
                _ => {}
            }
        }
        match &self.by_reason {
            Some(_) if late => refuse("late records have no reason code: leave --by-reason out"),
            Some(code) if Reason::parse(code).is_none() => {
                let codes = Reason::ALL.map(Reason::as_str).join(", ");
                refuse(format!("--by-reason {code} is no reason code: write one of {codes}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nothing_can_have_are_refused() {
        let taken = |which: &Which, late: bool| which.query(late).is_ok();
        for (bytes, fine) in [(0, false), (1, true), (MAX_ID_BYTES, true), (MAX_ID_BYTES + 1, false)] {
            assert_eq!(taken(&Which { array: Some("x".repeat(bytes)), ..Which::default() }, false), fine, "{bytes}");
        }
        let reason = |code: &str| Which { by_reason: Some(code.to_owned()), ..Which::default() };
        assert!(taken(&reason("misrouted"), false));
        assert!(!taken(&reason("misroute"), false) && !taken(&reason("misrouted"), true));
        assert!(Which::default().is_all() && !reason("misrouted").is_all());
    }
}
