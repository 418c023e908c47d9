//! Closes of a period that count, and the ratings that they made.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};
use crate::core::decision::Decision;
use crate::core::decision::closing::{Close, DraftKey, PeriodKey};

/// What the control log says of a period.
#[derive(Debug, Default)]
pub struct Closes {
    /// The closes that count, by revision.
    pub counting: Vec<Close>,
    /// Drafts that were discarded before anybody issued them.
    pub discarded: BTreeSet<DraftKey>,
}

/// The header of a rating.
#[derive(Debug, Row, Deserialize)]
pub struct RatingRow {
    /// The rating.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// Its document, JSON.
    pub document: String,
}

#[derive(Debug, Row, Deserialize)]
struct DecisionRow {
    offset: u64,
    body: String,
}

/// The closes of a period and what was discarded of them, from the mirror of decisions. A close counts if its revision is next and
/// nothing that concerns the provider was decided between its `after` and itself (DESIGN §7).
///
/// # Errors
/// The server's, and a decision that this build does not understand.
pub async fn closes(client: &Client, period: &PeriodKey) -> Result<Closes, Error> {
    let sql = "SELECT offset, if(kind = 'PriceBookPublished', '', body) AS body FROM decision FINAL WHERE kind IN \
               ('PeriodClosed', 'DraftDiscarded', 'InvoiceIssued', 'StreamOpened', 'PriceBookPublished', 'CreditGranted') \
               AND provider IN ('', {provider:String}) ORDER BY offset";
    let rows: Vec<DecisionRow> = client.fetch_all(client.select(sql).param("provider", &period.provider)).await?;
    let (mut closes, mut issued, mut last_concerning) = (Closes::default(), BTreeSet::new(), None);
    for DecisionRow { offset, body } in rows {
        if body.is_empty() {
            last_concerning = Some(offset);
            continue;
        }
        let decision = serde_json::from_str(&body)
            .map_err(|error| Error::refusal(format!("decision {offset}: {error}"), "upgrade this process"))?;
        match decision {
            Decision::PeriodClosed { close, .. } => {
                let is_undisturbed = last_concerning.is_none_or(|last| last < close.after.0);
                let is_next = close.period != *period || close.revision as usize == closes.counting.len();
                if is_undisturbed && is_next {
                    last_concerning = Some(offset);
                    if close.period == *period {
                        closes.counting.push(*close);
                    }
                }
            }
            Decision::InvoiceIssued { issue, .. } => {
                issued.insert(issue.draft);
            }
            Decision::DraftDiscarded { draft, .. } if !issued.contains(&draft) => {
                closes.discarded.insert(draft);
            }
            Decision::StreamOpened { .. } | Decision::CreditGranted { .. } => last_concerning = Some(offset),
            _ => {}
        }
    }
    Ok(closes)
}

/// The headers of ratings, by contract and customer.
///
/// # Errors
/// The server's.
pub async fn ratings(client: &Client, rating_ids: &[String]) -> Result<Vec<RatingRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, customer, document FROM rating FINAL \
               WHERE has({ratings:Array(String)}, rating_id) ORDER BY contract, customer, revision";
    client.fetch_all(client.select(sql).param("ratings", rating_ids)).await
}
