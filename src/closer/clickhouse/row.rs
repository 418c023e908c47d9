//! Drafts as rows of tables, and back.

use crate::clickhouse::rated_line::RatedLineRow;
use crate::clickhouse::rating::{NewHeader, RatingRow};
use crate::closer::error::CloseError;
use crate::closer::seam::{NewRating, StoredDraft};
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::statement::Place;

/// The rows of drafts.
pub fn lines(rating_id: &str, drafts: &[StoredDraft]) -> Result<Vec<RatedLineRow>, CloseError> {
    let mut rows = Vec::new();
    for StoredDraft { place, document, .. } in drafts {
        rows.extend(RatedLineRow::of(&place.draft(rating_id), document).map_err(|error| named(place, error))?);
    }
    Ok(rows)
}

/// The headers of drafts.
pub fn headers(rating: &NewRating<'_>, drafts: &[StoredDraft]) -> Result<Vec<RatingRow>, CloseError> {
    let header = |StoredDraft { place, document, detail, blocked }: &StoredDraft| {
        let (draft, period, revision) = (&place.draft(rating.rating_id), &rating.inputs.period, rating.inputs.revision);
        let new = NewHeader { draft, period, revision, document, detail, blocked: blocked.as_deref() };
        RatingRow::of(&new).map_err(|error| named(place, error))
    };
    drafts.iter().map(header).collect()
}

/// A draft as its header holds it: the one that was written (I9).
pub fn draft(row: RatingRow) -> Result<StoredDraft, CloseError> {
    let place = Place { contract: row.contract, customer: Some(row.customer).filter(|customer| !customer.is_empty()) };
    let document = Document::from_json(&row.document).map_err(|error| named(&place, error))?;
    let detail = serde_json::from_str(&row.detail).map_err(|error| named(&place, error.into()))?;
    let blocked = Some(row.blocked).filter(|blocked| !blocked.is_empty());
    Ok(StoredDraft { place, document, detail, blocked })
}

fn named(place: &Place, error: DocumentError) -> CloseError {
    CloseError::document(&place.contract)(error)
}
