//! The rows of one line (PRICING §4 to §13).

use super::frame::{Frame, Stretch as Time};
use super::level::{Height, Levels};
use super::line::{Billed, Item, Limits, Line, Usage, Used};
use super::refusal::Refusal;
use super::row::{Money, Row, refuse, sum};
use crate::core::book::model::Statistic;
use crate::core::pricing::amount::Number;
use crate::core::pricing::charge::Charge;
use crate::core::pricing::charge::entry::Tally;
use crate::core::pricing::charge::part::{Part, Stretch};
use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::Overflow;
use crate::core::pricing::exact::Exact;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::row::RowKind;
use crate::core::pricing::wide::{self, Wide};

/// What all lines of a request have in common.
pub struct Rater<'a> {
    /// Places and rounding.
    pub money: Money,
    /// The currency's code.
    pub currency: &'a str,
    /// The period.
    pub frame: &'a Frame,
}

impl Rater<'_> {
    /// A line's rows in order; `earlier` are the rows of the lines before it.
    pub fn line(&self, line: &Line, earlier: &[Vec<Row>]) -> Result<Vec<Row>, Refusal> {
        let name = format!("line {}", line.id);
        let overflow = refuse(&line.pointer, &name);
        let mut rows = match &line.item {
            Item::Usage(usage) => self.usage(line, usage, None)?,
            Item::Fee(price) => {
                let fee = |price| Exact::prorated(price, line.active.ms(), self.frame.ms);
                let (list, net) = (fee(price.list).map_err(&overflow)?, fee(price.net).map_err(&overflow)?);
                let row = self.money.row(Some(&line.id), RowKind::Fee, list, net).map_err(&overflow)?;
                let part = fee(Decimal::ONE).and_then(|part| part.minor(9, Rounding::HalfEven)).map_err(&overflow)?;
                let price = Some((price.list.number(), price.net.number()));
                let quantity = Some(Number { mantissa: part, places: 9 });
                vec![Row { quantity, unit: Some("period".to_owned()), price, ..row }]
            }
            Item::Share { percent, of } => vec![self.share(line, *percent, of, earlier).map_err(&overflow)?],
        };
        self.limit(Some(&line.id), &line.limits, line.active, &mut rows).map_err(&overflow)?;
        match line.billed {
            None => {}
            Some(Billed::Amount(amount)) => {
                rows.push(self.billed(Some(&line.id), amount).map_err(&overflow)?);
            }
            Some(Billed::Quantity(quantity)) => rows.push(self.billed_quantity(line, quantity)?),
        }
        Ok(rows)
    }

    fn share(&self, line: &Line, percent: Decimal, of: &[usize], earlier: &[Vec<Row>]) -> Result<Row, Overflow> {
        let base = sum(of.iter().filter_map(|index| earlier.get(*index)).flatten())?;
        let exact = Exact::percent(percent, base, self.money.places)?;
        let row = self.money.row(Some(&line.id), RowKind::Share, exact, exact)?;
        let price = Number { mantissa: percent.nano(), places: 11 };
        Ok(Row {
            quantity: Some(Number { mantissa: base, places: self.money.places }),
            unit: Some(self.currency.to_owned()),
            price: Some((price, price)),
            ..row
        })
    }

    /// Minimum and maximum over rows, by active time (PRICING §13).
    pub fn limit(
        &self,
        line: Option<&str>,
        limits: &Limits,
        active: Time,
        rows: &mut Vec<Row>,
    ) -> Result<(), Overflow> {
        for (kind, limit) in [(RowKind::Minimum, limits.minimum), (RowKind::Maximum, limits.maximum)] {
            let Some(limit) = limit else { continue };
            let limit = Exact::prorated(limit, active.ms(), self.frame.ms)?;
            let charged = sum(&*rows)?;
            let missing = self.money.minor(limit)?.checked_sub(charged).ok_or(Overflow)?;
            if (kind == RowKind::Minimum && missing > 0) || (kind == RowKind::Maximum && missing < 0) {
                let exact = limit.plus(Exact::whole(charged, self.money.places)?.negated())?;
                rows.push(Row { amount: missing, list_amount: missing, ..Row::plain(line, kind, exact) });
            }
        }
        Ok(())
    }

    /// What was invoiced before comes off.
    pub fn billed(&self, line: Option<&str>, amount: Decimal) -> Result<Row, Overflow> {
        let exact = Exact::times(1, amount)?.negated();
        self.money.row(line, RowKind::Billed, exact, exact)
    }

    /// What a quantity that was invoiced before cost under the same line comes off.
    fn billed_quantity(&self, line: &Line, quantity: Decimal) -> Result<Row, Refusal> {
        let name = format!("line {}, billed", line.id);
        let overflow = refuse(&line.pointer, &name);
        let Item::Usage(usage) = &line.item else { return Err(overflow(Overflow)) };
        let mut rows = self.usage(line, usage, Some(quantity))?;
        self.limit(Some(&line.id), &line.limits, line.active, &mut rows).map_err(&overflow)?;
        let exact = rows.iter().try_fold(Exact::ZERO, |sum, row| sum.plus(row.exact)).map_err(&overflow)?.negated();
        let list = rows.iter().try_fold(0i128, |sum, row| sum.checked_add(row.list_amount));
        let list = list.ok_or(Overflow).map_err(&overflow)?;
        let amount = -sum(&rows).map_err(&overflow)?;
        Ok(Row { amount, list_amount: -list, ..Row::plain(Some(&line.id), RowKind::Billed, exact) })
    }

    /// The rows of usage: of what the line says was used, or of this quantity instead.
    fn usage(&self, line: &Line, usage: &Usage, instead: Option<Decimal>) -> Result<Vec<Row>, Refusal> {
        let name = format!("line {}, quantity", line.id);
        let overflow = refuse(&line.pointer, &name);
        let mut tally = Tally::default();
        for part in self.parts(line, usage, instead).map_err(&overflow)? {
            if let Charge::Bands { found_by: Some(all), .. } = &usage.charge
                && all.is_zero()
                && !part.quantity().is_zero()
            {
                let pointer = format!("{}/band_quantity", line.pointer);
                return Err(Refusal::at(pointer, "0 for a quantity that is not: write the quantity of all segments"));
            }
            usage.charge.add(&part, self.frame.ms, &mut tally).map_err(&overflow)?;
        }
        let coverage = match (&usage.used, instead) {
            (Used::Levels(_, levels), None) => coverage(levels, line.active).map_err(&overflow)?,
            _ => None,
        };
        let mut rows = Vec::new();
        for (_, entry) in tally.into_entries() {
            let name = format!("line {}, {} row {}", line.id, entry.kind.as_str(), rows.len() + 1);
            let row = self.money.entry(&line.id, &entry, &usage.unit, usage.commitment);
            let row = row.map_err(refuse(&line.pointer, &name))?;
            rows.push(Row { coverage, ..row });
        }
        Ok(rows)
    }

    fn parts(&self, line: &Line, usage: &Usage, instead: Option<Decimal>) -> Result<Vec<Part>, Overflow> {
        let given = |quantity: &Decimal| Part::given(vec![whole(usage, line.active)], *quantity);
        let parts = match (&usage.used, instead) {
            (_, Some(quantity)) => vec![given(&quantity)],
            (Used::Quantities(quantities), None) => quantities.iter().map(given).collect(),
            (Used::Levels(statistic, levels), None) => vec![self.measured(line, usage, *statistic, levels)?],
        };
        let adjust = |mut part: Part| {
            if let Some(multiple) = &usage.multiple {
                part = part.rounded(multiple, usage.charge.by_day(), self.frame.ms)?;
            }
            Ok(match usage.ceiling {
                Some(ceiling) => part.at_most(ceiling),
                None => part,
            })
        };
        parts.into_iter().map(adjust).collect()
    }

    /// Levels as a part: windows of a mean, or the height of a peak or percentile (PRICING §4).
    fn measured(&self, line: &Line, usage: &Usage, statistic: Statistic, levels: &Levels) -> Result<Part, Overflow> {
        let size = wide::product([Wide::from(usage.size.size), Wide::from(NANO)])?;
        let height = |height: Height| {
            let one = wide::product([size, Wide::from(height.ms)])?;
            Part::level(vec![whole(usage, line.active)], height.area, one)
        };
        match statistic {
            Statistic::Peak => height(levels.peak(&self.frame.days(line.active))?),
            Statistic::P95 => height(levels.p95(line.active)?),
            Statistic::Mean | Statistic::Sum => {
                let times = if usage.charge.by_day() { self.frame.days(line.active) } else { vec![line.active] };
                let mut stretches = Vec::with_capacity(times.len());
                for time in times {
                    stretches.push(Stretch { used: levels.area(time)?, ..whole(usage, time) });
                }
                let time_ms = usage.size.mean_ms(self.frame.ms);
                Part::windows(stretches, wide::product([size, Wide::from(time_ms)])?)
            }
        }
    }
}

/// A stretch of time with the line's commitment, its weight its time.
fn whole(usage: &Usage, time: Time) -> Stretch {
    Stretch { segment: 0, ms: time.ms(), committed: usage.commitment, used: Wide::from(time.ms()) }
}

/// Observed over expected time, of 6 places; none if nothing was expected (PRICING §12).
fn coverage(levels: &Levels, active: Time) -> Result<Option<Decimal>, Overflow> {
    let (observed, expected) = levels.observed(active);
    if expected == 0 {
        return Ok(None);
    }
    let micro = wide::product([Wide::from(observed), wide::ten(6)])?;
    let micro = wide::narrow(wide::divide(micro, Wide::from(expected), Rounding::HalfEven)?)?;
    Ok(Some(Decimal::from_nano(micro * 1_000)))
}
