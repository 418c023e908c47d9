//! The sheet of one currency: sums of what documents say, held against the documents.

use std::collections::{BTreeMap, BTreeSet};

use super::{Figures, MarginError, NotComparable, OfCustomer, Purchase, Sale, Sheet, UnitQuantity};
use crate::core::billing::allocation::Allocated;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::number::Number;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// Sums of one line of a sheet.
#[derive(Clone, Debug, Default)]
struct Sums {
    quantities: BTreeMap<String, i128>,
    retail: i128,
    wholesale: i128,
}

impl Sums {
    fn add(&mut self, other: &Sums) -> Result<(), Overflow> {
        self.retail = plus(self.retail, other.retail)?;
        self.wholesale = plus(self.wholesale, other.wholesale)?;
        other.quantities.iter().try_for_each(|(unit, quantity)| add_to(&mut self.quantities, unit, *quantity))
    }

    fn take(&mut self, part: &Allocated) -> Result<(), Overflow> {
        self.wholesale = plus(self.wholesale, part.amount)?;
        match (&part.unit, part.quantity) {
            (Some(unit), Some(quantity)) if matches!(&*part.kind, "commitment" | "overage" | "usage") => {
                add_to(&mut self.quantities, unit, quantity)
            }
            _ => Ok(()),
        }
    }

    fn figures(&self, currency: &Currency) -> Result<Figures, Overflow> {
        let margin = self.retail.checked_sub(self.wholesale).ok_or(Overflow)?;
        Ok(Figures {
            quantities: shown(&self.quantities),
            retail: currency.show(self.retail),
            wholesale: currency.show(self.wholesale),
            margin: currency.show(margin),
            margin_percent: percent(margin, self.retail)?,
        })
    }
}

/// The sheets of documents that were rated at one cut, and what cannot be compared: a currency that only one of the two sides has.
///
/// # Errors
/// Parts that are not their document (I19), sums that are not their documents'.
pub fn sheets(sales: &[Sale], purchases: &[Purchase]) -> Result<(Vec<Sheet>, Vec<NotComparable>), MarginError> {
    let sold: BTreeSet<&str> = sales.iter().map(|sale| &*sale.currency.code).collect();
    let bought: BTreeSet<&str> = purchases.iter().map(|purchase| &*purchase.currency.code).collect();
    let is_compared =
        |code: &str| (bought.contains(code) || bought.is_empty()) && (sold.contains(code) || sold.is_empty());
    let mut sheets = Vec::new();
    for code in sold.union(&bought).filter(|code| is_compared(code)) {
        let sales: Vec<&Sale> = sales.iter().filter(|sale| sale.currency.code == *code).collect();
        let purchases: Vec<&Purchase> = purchases.iter().filter(|purchase| purchase.currency.code == *code).collect();
        let currency = sales.first().map(|sale| &sale.currency).or(purchases.first().map(|one| &one.currency));
        if let Some(currency) = currency {
            sheets.push(sheet(currency, &sales, &purchases)?);
        }
    }
    let others = purchases.iter().map(|one| (&one.contract, None, &one.currency, one.net));
    let others = others.chain(sales.iter().map(|one| (&one.contract, Some(&one.customer), &one.currency, one.net)));
    let not_comparable = others.filter(|(.., currency, _)| !is_compared(&currency.code));
    let shown = |(contract, customer, currency, net): (&String, Option<&String>, &Currency, i128)| NotComparable {
        contract: contract.clone(),
        customer: customer.cloned(),
        currency: currency.code.clone(),
        net: currency.show(net),
    };
    Ok((sheets, not_comparable.map(shown).collect()))
}

fn sheet(currency: &Currency, sales: &[&Sale], purchases: &[&Purchase]) -> Result<Sheet, MarginError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut customers: BTreeMap<&str, Sums> = BTreeMap::new();
    let (mut unallocated, mut credits, mut over) = (Sums::default(), Sums::default(), BTreeMap::new());
    for sale in sales {
        names.insert(&sale.customer, &sale.name);
        let sums = customers.entry(&sale.customer).or_default();
        sums.retail = plus(sums.retail, sale.net)?;
    }
    for purchase in purchases {
        check(purchase)?;
        for part in &purchase.parts {
            match &part.customer {
                Some(customer) => customers.entry(customer).or_default().take(part)?,
                None => unallocated.take(part)?,
            }
            if let (Some(unit), true) = (&part.unit, part.over_attributed != 0) {
                add_to(&mut over, unit, part.over_attributed)?;
            }
        }
        let credited = purchase.net.checked_sub(purchase.subtotal).ok_or(Overflow)?;
        credits.wholesale = plus(credits.wholesale, credited)?;
    }
    let mut total = Sums::default();
    customers.values().chain([&unallocated, &credits]).try_for_each(|sums| total.add(sums))?;
    // not by construction: what the lines of the margin add up to against what the documents say
    let retail = sales.iter().try_fold(0, |sum, sale| plus(sum, sale.net))?;
    let wholesale = purchases.iter().try_fold(0, |sum, purchase| plus(sum, purchase.net))?;
    if (total.retail, total.wholesale) != (retail, wholesale) {
        return Err(MarginError::Total(currency.code.clone()));
    }
    let of_customer = |(customer, sums): (&&str, &Sums)| {
        let name = names.get(customer).unwrap_or(customer);
        Ok(OfCustomer { customer: (*customer).to_owned(), name: (*name).to_owned(), figures: sums.figures(currency)? })
    };
    Ok(Sheet {
        currency: currency.code.clone(),
        customers: customers.iter().map(of_customer).collect::<Result<_, Overflow>>()?,
        unallocated: unallocated.figures(currency)?,
        credits: (credits.wholesale != 0).then(|| credits.figures(currency)).transpose()?,
        total: total.figures(currency)?,
        over_attributed: shown(&over),
    })
}

/// I19: Σ allocated + unallocated = wholesale.
fn check(purchase: &Purchase) -> Result<(), MarginError> {
    let allocated = purchase.parts.iter().try_fold(0, |sum, part| plus(sum, part.amount))?;
    if allocated == purchase.subtotal {
        return Ok(());
    }
    Err(MarginError::Unbalanced { contract: purchase.contract.clone(), allocated, subtotal: purchase.subtotal })
}

fn plus(one: i128, other: i128) -> Result<i128, Overflow> {
    one.checked_add(other).ok_or(Overflow)
}

fn add_to(quantities: &mut BTreeMap<String, i128>, unit: &str, quantity: i128) -> Result<(), Overflow> {
    let sum = quantities.entry(unit.to_owned()).or_default();
    *sum = plus(*sum, quantity)?;
    Ok(())
}

fn shown(quantities: &BTreeMap<String, i128>) -> Vec<UnitQuantity> {
    let show = |(unit, nano): (&String, &i128)| UnitQuantity {
        unit: unit.clone(),
        quantity: Number { mantissa: *nano, places: 9 }.to_string(),
    };
    quantities.iter().map(show).collect()
}

/// The margin in percent of retail at two places, half to even; none where nothing was earned.
fn percent(margin: i128, retail: i128) -> Result<Option<String>, Overflow> {
    if retail <= 0 {
        return Ok(None);
    }
    let hundredths = wide::product([Wide::from(margin), Wide::from(10_000)])?;
    let mantissa = wide::narrow(wide::divide(hundredths, Wide::from(retail), Rounding::HalfEven)?)?;
    Ok(Some(Number { mantissa, places: 2 }.padded()))
}
