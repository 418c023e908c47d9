//! From where the weights come by which wholesale is split.

use super::rerate::of_lines;
use super::{Ledger, Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::{past, weights};
use crate::core::cut::CutPoint;
use crate::core::pricing::period::Span;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::weight::{Weights, asked, weights as of_usages};

/// From where.
pub enum Weighed<'a> {
    /// From buckets as they are; at a cut no event above it says whether an array was handed over.
    Buckets(Option<&'a [CutPoint]>),
    /// From the ledger below a cut, metered again: buckets count more than it.
    Ledger(&'a Ledger<'a>, Progress<'a>),
}

impl Weighed<'_> {
    /// The weights of lines of one provider, in their order.
    pub(super) async fn read(&self, client: &Client, lines: &[LineSelection]) -> Result<Vec<Weights>, ProveError> {
        match self {
            Weighed::Buckets(cut) => Ok(weights::read(client, lines, *cut).await?),
            Weighed::Ledger(ledger, progress) => again(ledger, lines, *progress).await,
        }
    }
}

async fn again(
    ledger: &Ledger<'_>,
    lines: &[LineSelection],
    progress: Progress<'_>,
) -> Result<Vec<Weights>, ProveError> {
    let meters = of_lines(ledger.meters, lines);
    let ledger = Ledger { meters: &meters, ..*ledger };
    let hold_ms = ledger.meters.iter().map(|(_, meter)| meter.max_hold_ms).max().unwrap_or(0);
    let (Some(from), Some(until)) =
        (lines.iter().map(|line| line.from).min(), lines.iter().map(|line| line.until).max())
    else {
        return Ok(Vec::new());
    };
    let span = Span { from: from.plus_ms(-hold_ms), until };
    let tags = past::tags(ledger.client, ledger.provider, span, &ledger.below()).await?;
    let each: Vec<Vec<LineSelection>> = lines.iter().map(|line| asked(line, &tags)).collect();
    let count = each.iter().map(Vec::len).sum();
    weights::check_pairs(count, ledger.provider)?;
    let all: Vec<LineSelection> = each.iter().flatten().cloned().collect();
    let usages = ledger.usages(&all, |_, effort| progress(effort)).await?;
    let mut usages = usages.as_slice();
    let mut found = Vec::with_capacity(lines.len());
    for (line, asked) in lines.iter().zip(&each) {
        let own = usages.split_off(..asked.len()).unwrap_or_default();
        found.push(of_usages(line, &tags, own)?);
    }
    Ok(found)
}
