//! The difference of two whole ratings, row by row, credit by credit, tax by tax (PRICING §14).

use std::collections::BTreeMap;

use crate::core::billing::document::{Document, DocumentCredit, DocumentTax};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::row_kind::RowKind;

/// What two ratings have in common: line, kind, band, segment. Should a document have such a row twice, as bands of a commitment of 0
/// could, the first is compared with the first and the second with the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'d> {
    line: Option<&'d str>,
    kind: RowKind,
    band: Option<(&'d str, Option<&'d str>)>,
    segment: Option<(&'d str, &'d str)>,
    repeat: usize,
}

fn keyed(rows: &[DocumentRow]) -> Vec<(Key<'_>, &DocumentRow)> {
    let mut seen: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let keyed = rows.iter().map(|row| {
        let band = row.band.as_ref().map(|band| (&*band.over, band.up_to.as_deref()));
        let segment = row.period.as_ref().map(|span| (&*span.start, &*span.end));
        let first = Key { line: row.line.as_deref(), kind: row.kind, band, segment, repeat: 0 };
        let count = seen.entry(first).or_default();
        *count += 1;
        (Key { repeat: *count - 1, ..first }, row)
    });
    keyed.collect()
}

/// Something of the whole and of the documents before it.
struct Sides<'d, T> {
    whole: Option<&'d T>,
    before: Vec<&'d T>,
}

impl<T> Default for Sides<'_, T> {
    fn default() -> Self {
        Self { whole: None, before: Vec::new() }
    }
}

impl<'d, T> Sides<'d, T> {
    /// What the difference looks like: the whole's, or the newest that there was.
    fn form(&self) -> Option<&'d T> {
        self.whole.or(self.before.last().copied())
    }

    /// Whole less the sum of what was before; none where nobody has such a figure.
    fn less(&self, figure: impl Fn(&'d T) -> Option<&'d str>) -> Result<Option<Figure>, DocumentError> {
        let whole = self.whole.and_then(&figure);
        let before: Vec<&str> = self.before.iter().filter_map(|one| figure(one)).collect();
        if whole.is_none() && before.is_empty() {
            return Ok(None);
        }
        Figure::sum(whole)?.minus(Figure::sum(before)?).map(Some)
    }

    /// The same where everybody has it.
    fn less_of(&self, figure: impl Fn(&'d T) -> &'d str) -> Result<Figure, DocumentError> {
        Ok(self.less(|one| Some(figure(one)))?.unwrap_or_default())
    }
}

/// Everything of the whole, in its order, then what only documents before it have.
fn sides<'d, K: Ord + Copy, T: 'd>(
    whole: Option<&'d Document>,
    before: &'d [Document],
    parts: impl Fn(&'d Document) -> Vec<(K, &'d T)>,
) -> Vec<(K, Sides<'d, T>)> {
    let mut sides: Vec<(K, Sides<'d, T>)> = Vec::new();
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let wholes = whole.into_iter().map(|document| (document, true));
    for (document, is_whole) in wholes.chain(before.iter().map(|document| (document, false))) {
        for (key, part) in parts(document) {
            let place = *places.entry(key).or_insert(sides.len());
            if place == sides.len() {
                sides.push((key, Sides::default()));
            }
            let (_, side) = &mut sides[place];
            match is_whole {
                true => side.whole = Some(part),
                false => side.before.push(part),
            }
        }
    }
    sides
}

/// The rows that moved. A row whose amount did not, rounded or unrounded, is none: a document is about money, and nothing is lost by
/// leaving out a quantity that costs nothing, since the next revision is taken from the whole again.
pub(super) fn rows(
    whole: Option<&Document>,
    before: &[Document],
    places: u32,
) -> Result<Vec<DocumentRow>, DocumentError> {
    let first = before.first().map(|first| keyed(&first.rows)).unwrap_or_default();
    let corrected: BTreeMap<Key<'_>, usize> = first.into_iter().map(|(key, row)| (key, row.no)).collect();
    let mut rows = Vec::new();
    for (key, sides) in sides(whole, before, |document| keyed(&document.rows)) {
        let corrects = corrected.get(&key).copied();
        if let Some(row) = row(&sides, places)? {
            rows.push(DocumentRow { no: rows.len() + 1, corrects, ..row });
        }
    }
    Ok(rows)
}

fn row(sides: &Sides<'_, DocumentRow>, places: u32) -> Result<Option<DocumentRow>, DocumentError> {
    let Some(form) = sides.form() else { return Ok(None) };
    let (amount, unrounded) = (sides.less_of(|row| &row.amount)?, sides.less_of(|row| &row.unrounded)?);
    if amount.is_zero() && unrounded.is_zero() {
        return Ok(None);
    }
    let shown = |figure: Option<Figure>| figure.map(|figure| figure.to_string());
    Ok(Some(DocumentRow {
        description: description(sides, form),
        quantity: shown(sides.less(|row| row.quantity.as_deref())?),
        unrounded: unrounded.to_string(),
        amount: amount.amount(places)?,
        used_quantity: shown(sides.less(|row| row.used_quantity.as_deref())?),
        unused_quantity: shown(sides.less(|row| row.unused_quantity.as_deref())?),
        ..form.clone()
    }))
}

/// The row's own words, and what its price was where another book changed it: then the quantity alone does not explain the amount.
fn description(sides: &Sides<'_, DocumentRow>, form: &DocumentRow) -> String {
    let old = sides.before.last().and_then(|row| row.price.as_deref());
    match (sides.whole.and_then(|row| row.price.as_deref()), old) {
        (Some(new), Some(old)) if new != old => format!("{}, price {new} instead of {old}", form.description),
        _ => form.description.clone(),
    }
}

/// The credits of which another part comes off; a negative part goes back to the credit.
pub(super) fn credits(
    whole: Option<&Document>,
    before: &[Document],
    places: u32,
) -> Result<Vec<DocumentCredit>, DocumentError> {
    let mut credits = Vec::new();
    for (id, sides) in
        sides(whole, before, |document| document.credits.iter().map(|credit| (&*credit.id, credit)).collect())
    {
        let applied = sides.less_of(|credit| &credit.applied)?;
        let Some(form) = sides.form().filter(|_| !applied.is_zero()) else { continue };
        let left = match sides.whole {
            Some(whole) => Figure::parse(&whole.left)?,
            None => Figure::parse(&form.left)?.minus(applied)?,
        };
        credits.push(DocumentCredit {
            id: id.to_owned(),
            applied: applied.amount(places)?,
            left: left.amount(places)?,
        });
    }
    Ok(credits)
}

/// The taxes of which base or amount moved.
pub(super) fn taxes(
    whole: Option<&Document>,
    before: &[Document],
    places: u32,
) -> Result<Vec<DocumentTax>, DocumentError> {
    let mut taxes = Vec::new();
    for (percent, sides) in
        sides(whole, before, |document| document.taxes.iter().map(|tax| (&*tax.percent, tax)).collect())
    {
        let (base, amount) = (sides.less_of(|tax| &tax.base)?, sides.less_of(|tax| &tax.amount)?);
        let Some(form) = sides.form().filter(|_| !base.is_zero() || !amount.is_zero()) else { continue };
        let (base, amount) = (base.amount(places)?, amount.amount(places)?);
        taxes.push(DocumentTax { percent: percent.to_owned(), base, amount, note: form.note.clone() });
    }
    Ok(taxes)
}
