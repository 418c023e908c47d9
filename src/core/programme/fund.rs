//! Marketing funds: an accrual on revenue, never on a document.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::revenue::{Rates, percent_of};
use crate::core::billing::figure::Figure;
use crate::core::book::model::Programme;

/// What a programme puts aside for a provider's marketing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fund {
    /// Percent of revenue.
    pub percent: String,
    /// The revenue of the months that count.
    pub base: String,
    /// What has accrued in them.
    pub accrued: String,
}

/// The accrual of a programme that has one.
///
/// # Errors
/// A sum that does not fit.
pub fn fund(programme: &Programme, revenue: Figure, rates: &Rates<'_>) -> Result<Option<Fund>, ProgrammeError> {
    let Some(percent) = programme.market_fund_percent else { return Ok(None) };
    let accrued = percent_of(revenue, percent, rates.currency.places)?;
    let (base, accrued) = (rates.show(revenue)?, rates.show(accrued)?);
    Ok(Some(Fund { percent: percent.normalize().to_string(), base, accrued }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::programme;
    use super::*;

    #[test]
    fn it_accrues_a_percentage_rounded_once() {
        let mut programme = programme();
        let accrued = |programme: &Programme, revenue: &str| {
            let rates = Rates::of(programme).unwrap();
            fund(programme, Figure::parse(revenue).unwrap(), &rates).unwrap().map(|fund| fund.accrued)
        };
        assert_eq!(accrued(&programme, "3260.87").as_deref(), Some("32.61"));
        assert_eq!(accrued(&programme, "0.50").as_deref(), Some("0.00"), "half to even");
        assert_eq!(accrued(&programme, "-150.00").as_deref(), Some("-1.50"), "what is taken back accrues nothing");
        programme.market_fund_percent = None;
        assert_eq!(accrued(&programme, "3260.87"), None);
    }
}
