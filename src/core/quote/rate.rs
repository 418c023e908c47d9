//! The rows of one line (PRICING §4 to §13).

use super::frame::{Frame, Stretch as Time};
use super::level::{Height, Levels};
use super::line::{Billed, Item, Line, Usage, Used};
use super::refusal::{Refusal, refuse};
use crate::core::book::model::Statistic;
use crate::core::pricing::charge::Charge;
use crate::core::pricing::charge::entry::Tally;
use crate::core::pricing::charge::part::{Part, Stretch};
use crate::core::pricing::coverage::ratio;
use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::Overflow;
use crate::core::pricing::exact::Exact;
use crate::core::pricing::fee::{fee, share};
use crate::core::pricing::money::Money;
use crate::core::pricing::row::{Row, saving, sum};
use crate::core::pricing::row_kind::RowKind;
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
        let active = (line.active.ms(), self.frame.ms);
        let mut rows = match &line.item {
            Item::Usage(usage) => self.usage(line, usage, None)?,
            Item::Fee(price) => vec![fee(&line.id, *price, active, self.money).map_err(&overflow)?],
            Item::Share { percent, of } => {
                let base = sum(of.iter().filter_map(|index| earlier.get(*index)).flatten()).map_err(&overflow)?;
                vec![share(&line.id, *percent, base, self.currency, self.money).map_err(&overflow)?]
            }
        };
        line.limits.add(Some(&line.id), active, self.money, &mut rows).map_err(&overflow)?;
        match line.billed {
            None => {}
            Some(Billed::Amount(amount)) => {
                rows.push(self.billed(Some(&line.id), amount).map_err(&overflow)?);
            }
            Some(Billed::Quantity(quantity)) => rows.push(self.billed_quantity(line, quantity)?),
        }
        Ok(rows)
    }

    /// What was invoiced before comes off.
    pub fn billed(&self, line: Option<&str>, amount: Decimal) -> Result<Row, Overflow> {
        let exact = Exact::times(1, amount)?.negated();
        Row::charged(line, RowKind::Billed, (exact, exact), self.money)
    }

    /// What a quantity that was invoiced before cost under the same line comes off.
    fn billed_quantity(&self, line: &Line, quantity: Decimal) -> Result<Row, Refusal> {
        let name = format!("line {}, billed", line.id);
        let overflow = refuse(&line.pointer, &name);
        let Item::Usage(usage) = &line.item else { return Err(overflow(Overflow)) };
        let mut rows = self.usage(line, usage, Some(quantity))?;
        let active = (line.active.ms(), self.frame.ms);
        line.limits.add(Some(&line.id), active, self.money, &mut rows).map_err(&overflow)?;
        let exact = rows.iter().try_fold(Exact::ZERO, |sum, row| sum.plus(row.unrounded)).map_err(&overflow)?;
        let (amount, saved) = (sum(&rows).map_err(&overflow)?, saving(&rows).map_err(&overflow)?);
        let list = amount.checked_add(saved).ok_or(Overflow).map_err(&overflow)?;
        let row = Row::plain(Some(&line.id), RowKind::Billed, exact.negated());
        Ok(Row { amount: -amount, list_amount: -list, ..row })
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
            let row = Row::of_usage(&line.id, &entry, &usage.unit, Some(usage.commitment), self.money);
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

/// Observed over expected time; none if nothing was expected (PRICING §12).
fn coverage(levels: &Levels, active: Time) -> Result<Option<Decimal>, Overflow> {
    let (observed, expected) = levels.observed(active);
    if expected == 0 { Ok(None) } else { ratio(i128::from(observed), i128::from(expected)).map(Some) }
}
