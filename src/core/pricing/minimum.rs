//! Minimum and maximum (PRICING §7, §13): by active seconds, over all rounded rows.

use super::decimal::Decimal;
use super::error::Overflow;
use super::exact::Exact;
use super::money::Money;
use super::row::{Row, sum};
use super::row_kind::RowKind;

/// Least and most that is charged for a whole period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Least.
    pub minimum: Option<Decimal>,
    /// Most.
    pub maximum: Option<Decimal>,
}

impl Limits {
    /// Adds the rows that top up to the minimum or cut down to the maximum, each prorated and rounded once.
    pub fn add(
        &self,
        line: Option<&str>,
        (active_ms, period_ms): (i64, i64),
        money: Money,
        rows: &mut Vec<Row>,
    ) -> Result<(), Overflow> {
        for (kind, limit) in [(RowKind::Minimum, self.minimum), (RowKind::Maximum, self.maximum)] {
            let Some(limit) = limit else { continue };
            let limit = Exact::prorated(limit, active_ms, period_ms)?;
            let charged = sum(&*rows)?;
            let missing = money.minor(limit)?.checked_sub(charged).ok_or(Overflow)?;
            if (kind == RowKind::Minimum && missing > 0) || (kind == RowKind::Maximum && missing < 0) {
                let exact = limit.plus(Exact::whole(charged, money.places)?.negated())?;
                rows.push(Row { amount: missing, list_amount: missing, ..Row::plain(line, kind, exact) });
            }
        }
        Ok(())
    }
}
