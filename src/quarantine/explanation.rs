//! What a person should know of a record that was put aside, where its row does not say it: from what the ledger has of its event.
//!
//! It is made when somebody looks and stands in no table: rows are a function of the log alone, and stay as they were written.

use crate::clickhouse::read::aside::{AsideRow, accepted_at};
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, Reason};

/// What the row says, or else what can be said of its reason.
#[must_use]
pub fn explain(row: &AsideRow) -> String {
    if !row.detail.is_empty() {
        return row.detail.clone();
    }
    let measured = row.measured.map(|ms| Instant(ms).rfc3339());
    let appended = Instant(row.appended).rfc3339();
    match (Reason::parse(&row.reason), measured) {
        (Some(Reason::ForeignProvider), _) if !row.claimed.is_empty() => {
            format!("it says provider {}, and its stream belongs to {}", row.claimed, row.provider)
        }
        (Some(Reason::Misrouted), _) if !row.of_array.is_empty() && row.of_array != row.array => {
            format!("its array is {}, and its key names {}", row.of_array, quoted(&row.array))
        }
        (Some(Reason::Misrouted), _) if !row.of_array.is_empty() => {
            format!("its key is right, and partition {} is not that of array {}", row.partition, row.of_array)
        }
        (Some(Reason::Future), Some(measured)) => format!("measured at {measured}, and appended at {appended} already"),
        (None, Some(measured)) => {
            format!("measured at {measured}, and appended at {appended}, past the acceptance window")
        }
        _ => meaning(&row.reason).to_owned(),
    }
}

/// The same, with the position of the event that it is in conflict with.
///
/// # Errors
/// The server's.
pub async fn explain_whole(client: &Client, row: &AsideRow) -> Result<String, Error> {
    let text = explain(row);
    if Reason::parse(&row.reason) != Some(Reason::Conflict) || row.identity == 0 {
        return Ok(text);
    }
    let at = accepted_at(client, row.identity).await?;
    Ok(at.map_or(text.clone(), |at| format!("{text}: at {at}")))
}

/// What a reason means, where nothing more is known; empty for one that always says more by itself.
#[must_use]
pub fn meaning(reason: &str) -> &'static str {
    match Reason::parse(reason) {
        Some(Reason::ForeignProvider) => "it says another provider than the one to which its stream belongs",
        Some(Reason::Misrouted) => "its key is not its array's id, or its partition is not that of its array",
        Some(Reason::UnmatchedRetry) => "its header plimsoll-decision names no decision to send this very record again",
        Some(Reason::Conflict) => {
            "an event of its provider, array, source and id was accepted before, with other content"
        }
        Some(Reason::Future) => "it was measured later than it was appended, by more than clocks may differ",
        None => "it was measured before the stream's acceptance window",
        Some(_) => "",
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reason: Reason) -> AsideRow {
        AsideRow { reason: reason.as_str().to_owned(), ..AsideRow::default() }
    }

    #[test]
    fn a_person_is_told_what_to_look_for() {
        let foreign = AsideRow { claimed: "q".to_owned(), provider: "p".to_owned(), ..row(Reason::ForeignProvider) };
        assert_eq!(explain(&foreign), "it says provider q, and its stream belongs to p");
        let astray = AsideRow { of_array: "a".to_owned(), array: "b".to_owned(), ..row(Reason::Misrouted) };
        assert_eq!(explain(&astray), "its array is a, and its key names b");
        let late = AsideRow { measured: Some(0), appended: 1000, ..AsideRow::default() };
        assert!(explain(&late).starts_with("measured at 1970-01-01T00:00:00"), "{}", explain(&late));
        let said = AsideRow { detail: "no JSON".to_owned(), ..row(Reason::Undecodable) };
        assert_eq!(explain(&said), "no JSON");
        for reason in
            [Reason::ForeignProvider, Reason::Misrouted, Reason::UnmatchedRetry, Reason::Conflict, Reason::Future]
        {
            assert!(!explain(&row(reason)).is_empty(), "{reason:?}");
        }
    }
}
