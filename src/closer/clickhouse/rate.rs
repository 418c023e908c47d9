//! Rates a period: at a new cut from buckets, at an old one from the ledger.

use crate::clickhouse::read::bucket_newest::newer;
use crate::clickhouse::{Client, Error};
use crate::closer::error::CloseError;
use crate::closer::seam::{Asked, Rated, StoredDraft, Usage};
use crate::core::billing::document::Document;
use crate::core::book::model::Buyer;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::period::Span;
use crate::core::word::Instant;
use crate::prove::rerate::{Rerating, Source};
use crate::prove::{ProveError, Streams};

/// Rates everything that has a document in the period.
pub async fn rate(client: &Client, asked: &Asked<'_>) -> Result<Usage, CloseError> {
    let streams = Streams::of(asked.basis.streams.clone());
    let rerating = Rerating {
        client,
        provider: &asked.period.key.provider,
        span: Span { from: asked.period.key.start, until: asked.period.key.end },
        cut: asked.cut,
        streams: &streams,
        after: asked.after,
        book: (&asked.basis.book, &asked.basis.hash),
        meters: &asked.basis.meters,
        source: if asked.is_old_cut { Source::Ledger } else { Source::Buckets },
        fold_version: FOLD_VERSION,
        version: asked.version,
        only_named: true,
        credits: asked.credits,
    };
    let mut found: Vec<Rated> = Vec::new();
    let sink = |place: &_, rerated: Result<crate::prove::rerate::Rerated, _>| {
        found.push((Clone::clone(place), rerated.map(|rerated| (rerated.document, rerated.detail))));
        Ok::<(), ProveError>(())
    };
    rerating.each(None, &|_| {}, sink).await?;
    // looked at after they were read: versions only grow, so buckets that count no more than the cut now did not then
    Ok(if !asked.is_old_cut && moved(client, asked).await? { Usage::Moved } else { Usage::AtCut(found) })
}

/// Whether a bucket that a rating may have read counts more than the cut. Lines look at all hours before their end: at which arrays they
/// price, and since when those report.
pub async fn moved(client: &Client, asked: &Asked<'_>) -> Result<bool, Error> {
    let key = &asked.period.key;
    newer(client, &key.provider, (Instant(0), key.end), asked.cut).await
}

/// The wholesale among drafts: what is allocated.
pub fn bought(asked: &Asked<'_>, drafts: &[StoredDraft]) -> Vec<Document> {
    let is_bought = |draft: &&StoredDraft| {
        let contract = asked.basis.book.contracts.get(&draft.place.contract);
        matches!(contract.map(|contract| &contract.buyer), Some(Buyer::Provider(_)))
    };
    drafts.iter().filter(is_bought).map(|draft| draft.document.clone()).collect()
}
