//! Drafts: what a close makes of the rating of one contract and buyer (INVOICE §1).

use super::hole::Hole;
use super::record::Inputs;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::gap::LineGaps;
use crate::core::billing::proof::DocumentProof;
use crate::core::billing::{adjustment, close};
use crate::core::book::model::{Buyer, Contract};
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::Overflow;

/// The draft of a close for one contract and buyer: the whole, or of a later revision what it differs by from the documents before it.
/// `open` is what they come to, none if the ledger has nothing of the buyer any more; `before` are the documents of earlier revisions, by
/// age. None if nothing differs.
///
/// # Errors
/// Documents that do not belong together or do not add up.
pub fn draft(
    inputs: &Inputs,
    rating_id: &str,
    open: Option<Document>,
    before: &[Document],
) -> Result<Option<Document>, DocumentError> {
    let whole = open.map(|open| close::closed(open, rating_id)).transpose()?;
    let difference = adjustment::difference(whole.as_ref(), before, inputs.cause)?;
    let (None, Some(mut draft)) = (&whole, difference.clone()) else { return Ok(difference) };
    // without a whole the difference has the proof of a document before it
    draft.proof = DocumentProof {
        rating_id: rating_id.to_owned(),
        cut: inputs.cut.clone(),
        after: inputs.after.0,
        versions: inputs.versions,
        price_book: inputs.book.clone(),
        digest: None,
    };
    draft.sealed().map(Some)
}

/// What a contract without any usage in its period bills all the same, in words; none if something that it prices was measured, or it
/// prices no usage. The whole is meant, not a correction.
#[must_use]
pub fn without_usage(whole: &Document) -> Option<String> {
    let mut metered = whole.rows.iter().filter(|row| row.meter.is_some()).peekable();
    metered.peek()?;
    if metered.any(|row| row.coverage.is_some()) {
        return None;
    }
    let charged = whole.rows.iter().filter(|row| Figure::parse(&row.amount).is_ok_and(|amount| !amount.is_zero()));
    let charged: Vec<String> = charged.map(|row| format!("{} {}", row.kind.as_str(), row.amount)).collect();
    let of = if charged.is_empty() { String::new() } else { format!(" ({})", charged.join(", ")) };
    // what its rows come to: credits and taxes are no answer to what is charged without usage
    Some(format!("it bills {} {} all the same{of}", whole.subtotal, whole.currency))
}

/// Wholesale lines of which too little was measured (DESIGN §7, PRICING §12), with the arrays of which most is missing.
///
/// # Errors
/// A limit that does not fit.
pub fn uncovered(contract: &Contract, whole: &Document, detail: &Detail) -> Result<Vec<Hole>, Overflow> {
    if !matches!(contract.buyer, Buyer::Provider(_)) {
        return Ok(Vec::new());
    }
    let needs = Decimal::from_decimal(contract.close_below)?;
    let mut holes: Vec<Hole> = Vec::new();
    // a contract that asks for no coverage asks for no usage either
    let bills = without_usage(whole).filter(|_| !contract.close_below.is_zero());
    holes.extend(bills.map(|bills| Hole::NoUsage { contract: whole.contract.clone(), bills }));
    for row in &whole.rows {
        let Some(coverage) = row.coverage.as_deref().and_then(Decimal::parse).filter(|coverage| *coverage < needs)
        else {
            continue;
        };
        let line = row.line.clone().unwrap_or_default();
        let gaps = detail.gaps.iter().find(|gaps| gaps.line == line).cloned().unwrap_or_default();
        let LineGaps { arrays, others, .. } = gaps;
        let hole = Hole::Coverage { contract: whole.contract.clone(), line, coverage, needs, arrays, others };
        // all rows of a line have its coverage
        if !holes.contains(&hole) {
            holes.push(hole);
        }
    }
    Ok(holes)
}
