//! A contract's period rated: its lines' rows, minimum and maximum, total and saving (PRICING).

use super::charge::entry::{Entry, Place, Tally};
use super::charge::price::Price;
use super::coverage;
use super::credit::{self, Applied, Credit};
use super::currency::Currency;
use super::decimal::Decimal;
use super::digest::InputsDigest;
use super::discount::{self, Discount};
use super::error::{Overflow, RateError, at};
use super::exact::Exact;
use super::fee;
use super::line::UsageLine;
use super::minimum::Limits;
use super::money::Money;
use super::party;
use super::period::{Period, Span};
use super::rounding::Rounding;
use super::row::{self, Row};
use super::row_kind::RowKind;
use super::series::{Series, series};
use super::terms::{self, Segment};
use super::usage::LineUsage;
use super::window::{length, windows};
use crate::core::book::model::{Book, Card, Charge, Contract, Line, Tax, UsageRate};
use crate::core::book::unit::size_name;
use crate::core::metering::definition::Definition;
use crate::core::word::Instant;

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
    /// Credits that came off, in the order in which they did; none before [`Rating::credited`].
    pub credits: Vec<Applied>,
    /// Σ amounts less credits, in minor units.
    pub net: i128,
    /// Σ rounded list - Σ rounded net (PRICING §8).
    pub saving: i128,
    /// The least coverage of a line; none if nothing was expected (PRICING §12).
    pub coverage: Option<Decimal>,
}

impl Rating {
    /// The rating with the credits of its contract taken off; those that have expired by the period's end are not (PRICING §13).
    pub fn credited(self, credits: &[Credit], period_end: Instant) -> Result<Self, RateError> {
        let due = credit::due(credits, period_end);
        let (credits, net) = credit::apply(due.iter().map(|credit| (&*credit.id, credit.amount)), self.subtotal)
            .map_err(at("credits"))?;
        Ok(Self { credits, net, ..self })
    }

    /// The contract's tax on a base in minor units (PRICING §13).
    pub fn tax(&self, base: i128, tax: &Tax) -> Result<i128, RateError> {
        let money = Money { places: self.currency.places, rounding: self.rounding };
        let tax = Decimal::from_decimal(tax.percent).and_then(|percent| Exact::percent(percent, base, money.places));
        tax.and_then(|tax| money.minor(tax)).map_err(at("tax"))
    }
}

/// What the lines of a contract have in common.
struct Terms<'book> {
    book: &'book Book,
    contract: &'book Contract,
    card: &'book Card,
    currency: Currency,
    money: Money,
    discounts: Vec<Discount>,
    percents: Vec<Decimal>,
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
    terms.limits(&mut rows)?;
    let subtotal = row::sum(&rows).map_err(at("subtotal"))?;
    let saving = row::saving(&rows).map_err(at("saving"))?;
    let start = terms.part[0].from;
    Ok(Rating {
        level: discount::level(book, terms.contract, start).map(str::to_owned),
        deal: discount::deal(terms.contract, start).map(|deal| deal.reference.clone()),
        coverage: rows.iter().filter_map(|row| row.coverage).min(),
        currency: terms.currency,
        rounding: terms.money.rounding,
        part: terms.part,
        rows,
        credits: Vec::new(),
        net: subtotal,
        subtotal,
        saving,
    })
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
        let currency = Currency::new(&card.currency)?;
        let rounding = if contract.half_up { Rounding::HalfUp } else { Rounding::HalfEven };
        let discounts = discount::discounts(book, contract, card.level_discount, start);
        Ok(Self {
            book,
            contract,
            card,
            money: Money { places: currency.places, rounding },
            currency,
            percents: discount::percents(&discounts).map_err(at("discounts"))?,
            discounts,
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
                    vec![self.fee(line, *price).map_err(at(&line.id))?]
                }
                Some(Charge::Share { .. }) | None => Vec::new(),
            });
        }
        if wanted == usages.len() { Ok(by_line) } else { Err(RateError::Usages { given: usages.len(), wanted }) }
    }

    fn fee(&self, line: &Line, price: rust_decimal::Decimal) -> Result<Row, Overflow> {
        let price = Price::less(Decimal::from_decimal(price)?, &self.percents)?;
        let row = fee::fee(&line.id, price, self.active(), self.money)?;
        Ok(Row { discounts: self.discounts.clone(), ..row })
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
            let base = row::sum(by_line.iter().flatten().filter(counts)).map_err(at(&line.id))?;
            let exact = Decimal::from_decimal(*percent).map_err(at(&line.id))?;
            let share = fee::share(&line.id, exact, base, &self.currency.code, self.money).map_err(at(&line.id))?;
            let description = format!("{} % of {}", percent.normalize(), of.join(", "));
            by_line[index] = vec![Row { description, ..share }];
        }
        Ok(())
    }

    /// Minimum, then maximum, over all rows (PRICING §13).
    fn limits(&self, rows: &mut Vec<Row>) -> Result<(), RateError> {
        let bound = |limit: Option<rust_decimal::Decimal>| limit.map(Decimal::from_decimal).transpose();
        let limits = bound(self.contract.minimum)
            .and_then(|minimum| Ok(Limits { minimum, maximum: bound(self.contract.maximum)? }))
            .map_err(at("minimum and maximum"))?;
        let lines = rows.len();
        limits.add(None, self.active(), self.money, rows).map_err(at("minimum and maximum"))?;
        for row in &mut rows[lines..] {
            row.description = format!("{} of the period", row.kind.as_str());
        }
        Ok(())
    }

    fn usage(&self, line: &'book Line, segments: &[Segment<'book>], usage: &LineUsage) -> Result<Vec<Row>, RateError> {
        let days = windows(self.contract.time_zone, &self.part, &terms::cuts(segments, line));
        let priced = UsageLine::new(line, segments, &days, self.period_ms, &self.percents)?;
        let meter = self.book.meters.get(&priced.rate.meter);
        let meter_hold_ms = meter.map_or(Definition::OBSERVED.max_hold_ms, |meter| meter.definition.max_hold_ms);
        let Series { parts, estimated } = series(line, priced.rate, &self.part, usage, meter_hold_ms)?;
        let (mut tally, mut digest) = (Tally::default(), InputsDigest::default());
        for (name, slots) in &parts {
            priced.part((name, slots), &mut tally, &mut digest)?;
        }
        let coverage = coverage::coverage(self.book, &usage.arrays, &self.part).map_err(at(&line.id))?;
        let arrays = coverage::arrays(self.book, &usage.arrays, &self.part);
        let digest = digest.finish(&usage.arrays);
        let mut rows = Vec::new();
        for (place, entry) in tally.into_entries() {
            let mut row = self.row(line, &priced, &entry).map_err(at(&line.id))?;
            (row.coverage, row.arrays, row.estimated) = (coverage, Some(arrays), estimated);
            row.inputs_digest = Some(digest.clone());
            row.period = period_of(place, segments);
            rows.push(row);
        }
        Ok(rows)
    }

    /// The row of an entry: rounded once, here (PRICING §11).
    fn row(&self, line: &Line, priced: &UsageLine<'_>, entry: &Entry) -> Result<Row, Overflow> {
        let rate = priced.rate;
        Ok(Row {
            description: describe(line, rate, entry),
            sites: line.sites.clone(),
            meter: Some(rate.meter.clone()),
            statistic: Some(rate.statistic),
            discounts: self.discounts.clone(),
            ..Row::of_usage(&line.id, entry, &rate.unit, priced.commitment(), self.money)?
        })
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
