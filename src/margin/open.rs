//! Both sides of an open period, from statements.

use super::{MarginError, Sides};
use crate::core::billing::document::Document;
use crate::core::billing::figure::Figure;
use crate::core::billing::margin::{Purchase, Sale};
use crate::core::book::model::Buyer;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::Period;
use crate::prove::{Weighed, allocate};
use crate::statement::{Rater, StatementError};

/// Rates contracts of a provider at one checkpoint vector and allocates its wholesale.
///
/// # Errors
/// A contract that cannot be rated: without it the sums would be wrong.
pub async fn rate(rater: &Rater, provider: &str, period: &Period, contracts: &[String]) -> Result<Sides, MarginError> {
    let places = rater.places(contracts, &period.label).await?;
    let (mut sides, mut wholesale) = (Sides::default(), Vec::new());
    rater
        .each(&places, &period.label, |place, document| {
            let document = match document {
                // its contract gave the whole period to others
                Err(StatementError::Rate(RateError::NotInForce { .. })) => return Ok(()),
                Err(error) => return Err(MarginError::Statement { contract: place.contract.clone(), error }),
                Ok(document) => document,
            };
            sides.cut.clone_from(&document.proof.cut);
            let buys = rater.book().contracts.get(&place.contract).map(|contract| &contract.buyer);
            if matches!(buys, Some(Buyer::Provider(_))) {
                wholesale.push(document);
            } else {
                // of a large provider there are more documents than memory should hold
                sides.sales.push(sale(&document)?);
            }
            Ok(())
        })
        .await?;
    let as_they_are = Weighed::Buckets(None);
    let parts = allocate(rater.client(), rater.book(), provider, period, &wholesale, &as_they_are).await?;
    for (document, parts) in wholesale.iter().zip(parts) {
        let currency = Currency::new(&document.currency)?;
        sides.purchases.push(Purchase {
            contract: document.contract.clone(),
            subtotal: Figure::parse(&document.subtotal)?.minor(currency.places)?,
            net: Figure::parse(&document.net)?.minor(currency.places)?,
            currency,
            parts,
        });
    }
    Ok(sides)
}

fn sale(document: &Document) -> Result<Sale, MarginError> {
    let currency = Currency::new(&document.currency)?;
    Ok(Sale {
        contract: document.contract.clone(),
        customer: document.buyer.id.clone(),
        name: document.buyer.name.clone(),
        net: Figure::parse(&document.net)?.minor(currency.places)?,
        currency,
    })
}
