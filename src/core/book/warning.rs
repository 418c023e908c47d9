//! What is allowed in a book and may surprise all the same.

use rust_decimal::Decimal;

use super::model::{Band, Book, Charge, Edge, Mode, Price};

impl Book {
    /// Warnings for the person who publishes it, one text each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (id, card) in &self.cards {
            for rate in &card.rates {
                if let Charge::Usage(usage) = &rate.charge
                    && let Price::Bands { mode: Mode::Volume, bands, .. } = &usage.price
                {
                    warnings.extend(inversions(bands).map(|span| format!("card {id}, rate {}: {span}", rate.id)));
                }
            }
        }
        for (id, contract) in &self.contracts {
            let rates = self.cards.get(&contract.card).into_iter().flat_map(|card| &card.rates);
            for rate in rates.filter(|rate| contract.lines.iter().any(|line| line.rate == rate.id)) {
                if let Charge::Share { of, .. } = &rate.charge {
                    let missing =
                        of.iter().filter(|of| !contract.lines.iter().any(|line| line.id == **of || line.rate == **of));
                    warnings.extend(missing.map(|of| {
                        format!(
                            "contract {id}: share {} is of line {of}, which the contract lacks: it counts 0",
                            rate.id
                        )
                    }));
                }
            }
        }
        let bare = self.customers.iter().filter(|(_, customer)| customer.party.address.is_empty());
        warnings.extend(bare.map(|(id, _)| format!("customer {id} has no address: its documents cannot be issued")));
        warnings
    }
}

/// Where more costs less: just above an edge of volume prices (PRICING §5).
fn inversions(bands: &[Band]) -> impl Iterator<Item = String> {
    bands.windows(2).filter_map(|pair| {
        let Some(Edge::Quantity(edge)) = pair[0].up_to else { return None };
        let (below, above) = (pair[0].price?, pair[1].price?);
        let before = edge.checked_mul(below)?.checked_add(pair[0].flat.unwrap_or_default())?;
        let flat = pair[1].flat.unwrap_or_default();
        if above.is_zero() || edge.checked_mul(above)?.checked_add(flat)? >= before {
            return None;
        }
        let even = before.checked_sub(flat)?.checked_div(above)?;
        let even = even.round_dp(6).max(Decimal::ZERO).normalize();
        Some(format!("above {edge} everything is cheaper than at {edge}, up to {even}"))
    })
}
