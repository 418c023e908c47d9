//! What is allowed in a book and may surprise all the same.

use rust_decimal::Decimal;

use super::model::{Band, Book, Charge, Contract, Edge, Line, Mode, Price};
use super::term::terms;

impl Book {
    /// Warnings for the person who publishes it, one text each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        self.inversions(&mut warnings);
        self.unused(&mut warnings);
        for (id, contract) in &self.contracts {
            for line in &contract.lines {
                self.shares(id, contract, line, &mut warnings);
                self.idle_keys(id, contract, line, &mut warnings);
            }
        }
        let bare = self.customers.iter().filter(|(_, customer)| customer.party.address.is_empty());
        warnings.extend(bare.map(|(id, _)| format!("customer {id} has no address: its documents cannot be issued")));
        warnings
    }

    fn inversions(&self, warnings: &mut Vec<String>) {
        for (id, card) in &self.cards {
            for rate in &card.rates {
                if let Charge::Usage(usage) = &rate.charge
                    && let Price::Bands { mode: Mode::Volume, bands, .. } = &usage.price
                {
                    warnings.extend(inversions(bands).map(|span| format!("card {id}, rate {}: {span}", rate.id)));
                }
            }
        }
    }

    /// Rates that nobody pays: what they were to price may be left without a price.
    fn unused(&self, warnings: &mut Vec<String>) {
        for (id, card) in &self.cards {
            let lines = || self.contracts.values().filter(|contract| contract.card == *id).flat_map(|it| &it.lines);
            let unused = card.rates.iter().enumerate().filter(|(place, rate)| {
                !card.rates[..*place].iter().any(|before| before.id == rate.id)
                    && !lines().any(|line| line.rate == rate.id)
            });
            warnings.extend(unused.map(|(_, rate)| {
                format!("card {id}, rate {}: no line of a contract has it, so it prices nothing", rate.id)
            }));
        }
    }

    /// Lines of which a share is a percentage, but that count 0 (PRICING, refusals of a quote).
    fn shares(&self, id: &str, contract: &Contract, line: &Line, warnings: &mut Vec<String>) {
        let mut told = Vec::new();
        for term in terms(self, contract, line) {
            let Charge::Share { of, .. } = &term.rate.charge else { continue };
            for of in of {
                let place = contract.lines.iter().position(|other| other.id == *of);
                let later = place.is_some_and(|place| {
                    let own = contract.lines.iter().position(|own| own.id == line.id);
                    own <= Some(place) && self.is_share(contract, &contract.lines[place])
                });
                let why = match place {
                    None => "which the contract lacks",
                    Some(_) if later => "which is a share that does not stand before it",
                    Some(_) => continue,
                };
                let text = format!("contract {id}, line {}: a share of line {of}, {why}: it counts 0", line.id);
                if !told.contains(&text) {
                    told.push(text);
                }
            }
        }
        warnings.append(&mut told);
    }

    fn is_share(&self, contract: &Contract, line: &Line) -> bool {
        terms(self, contract, line).iter().any(|term| matches!(term.rate.charge, Charge::Share { .. }))
    }

    /// Keys of a line that say nothing to its rate.
    fn idle_keys(&self, id: &str, contract: &Contract, line: &Line, warnings: &mut Vec<String>) {
        let place = format!("contract {id}, line {}", line.id);
        if terms(self, contract, line).iter().all(|term| term.usage().is_none()) {
            let keys = [
                ("sites", !line.sites.is_empty()),
                ("arrays", !line.arrays.is_empty()),
                ("per", line.per.is_some()),
                ("gap", line.gap_hold),
            ];
            let idle = keys.iter().filter(|(_, set)| *set);
            warnings.extend(idle.map(|(key, _)| format!("{place}: {key} says nothing to a fee or a share")));
        }
        if let Some(first) = line.commitment.first().and_then(|first| first.from).filter(|from| *from > contract.from) {
            warnings.push(format!(
                "{place}: the first commitment is dated {first}, but it holds from the contract's start, {}",
                contract.from
            ));
        }
    }
}

/// Where more costs less: just above an edge of volume prices (PRICING §5).
fn inversions(bands: &[Band]) -> impl Iterator<Item = String> {
    bands.windows(2).filter_map(|pair| {
        let Some(Edge::Quantity(edge)) = pair[0].up_to else { return None };
        let (below, above) = (pair[0].price.unwrap_or_default(), pair[1].price.unwrap_or_default());
        // packages are compared by the price of a unit: a whole number of them lies at any edge that a clerk would write
        let unit = |band: &Band, price: Decimal| price.checked_div(band.per.unwrap_or(Decimal::ONE));
        let (below, above) = (unit(&pair[0], below)?, unit(&pair[1], above)?);
        let before = edge.checked_mul(below)?.checked_add(pair[0].flat.unwrap_or_default())?;
        let flat = pair[1].flat.unwrap_or_default();
        if edge.checked_mul(above)?.checked_add(flat)? >= before {
            return None;
        }
        if above.is_zero() {
            return Some(format!("above {edge} everything is cheaper than at {edge}, whatever the quantity"));
        }
        let even = before.checked_sub(flat)?.checked_div(above)?;
        // above its own edge the next band decides, which is compared with this one in turn
        let even = match pair[1].up_to {
            Some(Edge::Quantity(next)) => even.min(next),
            _ => even,
        };
        let even = even.round_dp(6).max(Decimal::ZERO).normalize();
        Some(format!("above {edge} everything is cheaper than at {edge}, up to {even}"))
    })
}
