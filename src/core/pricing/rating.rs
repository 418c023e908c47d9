//! A contract's period rated: its lines' rows, minimum and maximum, total and saving (PRICING).

use super::amount::Quantity;
use super::coverage;
use super::currency::Currency;
use super::digest;
use super::discount::{self, Discount};
use super::error::{Overflow, RateError, at};
use super::fee;
use super::line::UsageLine;
use super::minimum;
use super::party;
use super::period::{Period, Span};
use super::rounding::Rounding;
use super::row::{Row, RowKind};
use super::series::series;
use super::tally::{Entry, Place, Tally};
use super::tax;
use super::terms::{self, Segment};
use super::usage::LineUsage;
use super::window::{length, windows};
use crate::core::book::model::{Book, Card, Charge, Contract, Line, Tax, UsageRate};
use crate::core::book::unit::size_name;

/// What a contract's period costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// The contract's currency.
    pub currency: Currency,
    /// How amounts were rounded.
    pub rounding: Rounding,
    /// The buyer's level in force at the start of the contract's part, wholesale only (PRICING §8).
    pub level: Option<String>,
    /// Reference of the deal in force then.
    pub deal: Option<String>,
    /// The contract's part of the period.
    pub part: Vec<Span>,
    /// In the order of the lines, minimum or maximum last.
    pub rows: Vec<Row>,
    /// Σ amounts, in minor units.
    pub subtotal: i128,
    /// Σ rounded list - Σ rounded net (PRICING §8).
    pub saving: i128,
    /// The least coverage of a line; none if nothing was expected (PRICING §12).
    pub coverage: Option<Quantity>,
}

impl Rating {
    /// The contract's tax on a base in minor units (PRICING §13).
    pub fn tax(&self, base: i128, tax: &Tax) -> Result<i128, RateError> {
        tax::tax(base, tax.percent, self.rounding).map_err(at("tax"))
    }
}

/// What the lines of a contract have in common.
struct Terms<'book> {
    book: &'book Book,
    contract: &'book Contract,
    card: &'book Card,
    currency: Currency,
    rounding: Rounding,
    discounts: Vec<Discount>,
    part: Vec<Span>,
    period_ms: i64,
}

/// Rates a contract's period: pure, so equal inputs always give equal rows (PRICING). `usages` answer
/// [`super::selection::selections`], one each, in its order.
pub fn rate(
    book: &Book,
    contract_id: &str,
    customer: Option<&str>,
    period: &Period,
    usages: &[LineUsage],
) -> Result<Rating, RateError> {
    let terms = Terms::new(book, contract_id, customer, period)?;
    let mut by_line = terms.lines(usages)?;
    terms.shares(&mut by_line)?;
    let mut rows: Vec<Row> = by_line.into_iter().flatten().collect();
    rows.extend(terms.limits(&rows)?);
    let subtotal = sum(rows.iter().map(|row| row.amount)).map_err(at("subtotal"))?;
    let list = sum(rows.iter().map(|row| row.list_amount)).map_err(at("saving"))?;
    assert_eq!(subtotal, rows.iter().map(|row| row.amount).sum::<i128>(), "I12: the rows are not the total");
    let start = terms.part[0].from;
    Ok(Rating {
        level: discount::level(book, terms.contract, start).map(str::to_owned),
        deal: discount::deal(terms.contract, start).map(|deal| deal.reference.clone()),
        coverage: rows.iter().filter_map(|row| row.coverage).min(),
        currency: terms.currency,
        rounding: terms.rounding,
        part: terms.part,
        rows,
        subtotal,
        saving: list.checked_sub(subtotal).ok_or(Overflow).map_err(at("saving"))?,
    })
}

fn sum(amounts: impl Iterator<Item = i128>) -> Result<i128, Overflow> {
    amounts.into_iter().try_fold(0i128, i128::checked_add).ok_or(Overflow)
}

impl<'book> Terms<'book> {
    fn new(book: &'book Book, id: &str, customer: Option<&str>, period: &Period) -> Result<Self, RateError> {
        let contract = party::contract(book, id)?;
        let customer = party::rated_customer(id, contract, customer)?;
        let part = party::part(book, contract, customer, period);
        let not_in_force = || RateError::NotInForce { contract: id.to_owned(), label: period.label.clone() };
        let start = part.first().ok_or_else(not_in_force)?.from;
        let dangling = || RateError::Dangling { contract: id.to_owned(), what: format!("card {}", contract.card) };
        let card = book.cards.get(&contract.card).ok_or_else(dangling)?;
        Ok(Self {
            book,
            contract,
            card,
            currency: Currency::new(&card.currency)?,
            rounding: if contract.half_up { Rounding::HalfUp } else { Rounding::HalfEven },
            discounts: discount::discounts(book, contract, card.level_discount, start),
            part,
            period_ms: period.span().ms(),
        })
    }

    fn active(&self) -> (i64, i64) {
        (length(&self.part), self.period_ms)
    }

    /// The rows of each line but of shares.
    fn lines(&self, usages: &[LineUsage]) -> Result<Vec<Vec<Row>>, RateError> {
        let mut given = usages.iter();
        let mut wanted = 0;
        let mut by_line = Vec::with_capacity(self.contract.lines.len());
        for line in &self.contract.lines {
            let segments = terms::segments(self.card, self.contract, line, &self.part)?;
            by_line.push(match segments.last().map(|segment| &segment.rate.charge) {
                Some(Charge::Usage(_)) => {
                    wanted += 1;
                    let usage = given.next().ok_or(RateError::Usages { given: usages.len(), wanted })?;
                    self.usage(line, &segments, usage)?
                }
                Some(Charge::Fee(price)) => {
                    if segments.len() > 1 {
                        return Err(RateError::SplitPackage(line.id.clone()));
                    }
                    let fee = fee::fee(&line.id, *price, self.active(), &self.discounts, &self.currency, self.rounding);
                    vec![fee.map_err(at(&line.id))?]
                }
                Some(Charge::Share { .. }) | None => Vec::new(),
            });
        }
        if wanted == usages.len() { Ok(by_line) } else { Err(RateError::Usages { given: usages.len(), wanted }) }
    }

    /// Shares last, in order: they are of the rounded rows of other lines (PRICING §5).
    fn shares(&self, by_line: &mut [Vec<Row>]) -> Result<(), RateError> {
        for (index, line) in self.contract.lines.iter().enumerate() {
            let segments = terms::segments(self.card, self.contract, line, &self.part)?;
            let Some(Charge::Share { percent, of }) = segments.last().map(|segment| &segment.rate.charge) else {
                continue;
            };
            if segments.len() > 1 {
                return Err(RateError::Changed(line.id.clone()));
            }
            let counts = |row: &&Row| row.line.as_ref().is_some_and(|id| of.contains(id));
            let base = sum(by_line.iter().flatten().filter(counts).map(|row| row.amount)).map_err(at(&line.id))?;
            let share = fee::share(&line.id, *percent, (of, base), &self.currency, self.rounding);
            by_line[index] = vec![share.map_err(at(&line.id))?];
        }
        Ok(())
    }

    /// Minimum, then maximum, over all rows (PRICING §13).
    fn limits(&self, rows: &[Row]) -> Result<Vec<Row>, RateError> {
        let mut limits: Vec<Row> = Vec::new();
        let bounds = [(RowKind::Minimum, self.contract.minimum), (RowKind::Maximum, self.contract.maximum)];
        for (kind, bound) in bounds {
            let Some(bound) = bound else { continue };
            let overflow = at(kind.as_str());
            let sum = sum(rows.iter().chain(&limits).map(|row| row.amount)).map_err(&overflow)?;
            let bound = minimum::prorated(bound, self.active(), &self.currency, self.rounding).map_err(&overflow)?;
            limits.extend(minimum::limit(kind, bound, sum, &self.currency).map_err(&overflow)?);
        }
        Ok(limits)
    }

    fn usage(&self, line: &'book Line, segments: &[Segment<'book>], usage: &LineUsage) -> Result<Vec<Row>, RateError> {
        let days = windows(self.contract.time_zone, &self.part, &terms::cuts(segments, line));
        let priced = UsageLine::new(line, segments, &days, self.period_ms, &self.discounts)?;
        let (series, estimated) = series(line, priced.rate, &self.part, usage)?;
        let mut tally = Tally::default();
        for slots in &series {
            priced.part(slots, &mut tally)?;
        }
        let coverage = coverage::coverage(self.book, &usage.arrays, &self.part).map_err(at(&line.id))?;
        let arrays = coverage::arrays(self.book, &usage.arrays, &self.part);
        let digest = digest::inputs(usage);
        let mut rows = Vec::new();
        for (place, entry) in tally.into_entries() {
            let mut row = self.row(line, priced.rate, &entry).map_err(at(&line.id))?;
            (row.coverage, row.arrays, row.estimated) = (coverage, Some(arrays), estimated);
            row.inputs_digest = Some(digest.clone());
            row.period = period_of(place, segments);
            rows.push(row);
        }
        Ok(rows)
    }

    /// The row of an entry: rounded once, here (PRICING §11).
    fn row(&self, line: &Line, rate: &UsageRate, entry: &Entry) -> Result<Row, Overflow> {
        let mut row = Row::plain(Some(&line.id), entry.kind, describe(line, rate, entry));
        row = row.at_prices(entry.prices, &self.discounts);
        row.sites.clone_from(&line.sites);
        (row.meter, row.statistic) = (Some(rate.meter.clone()), Some(rate.statistic));
        row.quantity = Some(entry.quantity.number());
        row.unit = Some(if entry.kind == RowKind::Flat { "flat".to_owned() } else { rate.unit.clone() });
        (row.band, row.packages, row.parts) = (entry.band, entry.packages, entry.parts);
        row.unrounded = entry.net;
        row.amount = self.rounding.minor(entry.net, self.currency.places)?;
        row.list_amount = self.rounding.minor(entry.list, self.currency.places)?;
        if let Some(used) = entry.used {
            (row.used, row.unused) = (Some(used), Some(entry.quantity.minus(used)?));
        }
        Ok(row)
    }
}

fn period_of(place: Place, segments: &[Segment<'_>]) -> Option<Span> {
    if segments.len() > 1 { segments.get(place.segment).map(Segment::hull) } else { None }
}

/// What the row charges for, in words.
fn describe(line: &Line, rate: &UsageRate, entry: &Entry) -> String {
    let what = rate.tier.clone().unwrap_or_else(|| format!("{} of {}", rate.meter, rate.of.as_str()));
    let mut words = match entry.kind {
        RowKind::Commitment => match line.commitment.as_slice() {
            [one] => format!("{what}, commitment {} {}", one.quantity.normalize(), size_name(&rate.unit)),
            _ => format!("{what}, commitment"),
        },
        RowKind::Overage => format!("{what}, overage"),
        RowKind::Flat => format!("{what}, flat price"),
        _ => what,
    };
    if let Some(packages) = entry.packages {
        words.push_str(&format!(", {packages} packages"));
    }
    if line.per.is_some() {
        words.push_str(&format!(", {} parts", entry.parts));
    }
    words
}
