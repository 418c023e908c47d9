//! Bands: which portion of a quantity lies in which band, and what a portion costs (PRICING §5).

use super::amount::{Exact, Fixed, Number, Price, Quantity};
use super::discount::{Discount, net};
use super::error::{Overflow, RateError, at};
use crate::core::book::model::{Band, Edge, Mode};

/// A band with its list and net prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedBand {
    /// Upper edge, inclusive, if it is a quantity.
    pub up_to: Option<Quantity>,
    /// Lower and upper edge as documents show them: a percent edge as its percent.
    pub range: Range,
    /// List and net price per unit or package.
    pub price: Option<(Price, Price)>,
    /// Package size.
    pub per: Option<Quantity>,
    /// List and net price of entering the band.
    pub flat: Option<(Price, Price)>,
}

/// A band's edges as documents show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Lower edge, exclusive.
    pub over: Number,
    /// Upper edge, inclusive.
    pub up_to: Option<Number>,
}

/// The bands of a rate with their net prices (PRICING §8).
pub fn priced(line: &str, bands: &[Band], discounts: &[Discount]) -> Result<Vec<PricedBand>, RateError> {
    let both = |price: rust_decimal::Decimal| -> Result<(Price, Price), RateError> {
        let list = Price::from_decimal(price).map_err(at(line))?;
        Ok((list, net(list, discounts).map_err(at(line))?))
    };
    let mut priced: Vec<PricedBand> = Vec::with_capacity(bands.len());
    for band in bands {
        let over = priced.last().and_then(|below| below.range.up_to).unwrap_or(Number { mantissa: 0, places: 0 });
        let up_to = match band.up_to {
            Some(Edge::Quantity(edge)) => Some(Quantity::from_decimal(edge).map_err(at(line))?),
            Some(Edge::Percent(_)) | None => None,
        };
        let shown = band.up_to.map(|(Edge::Quantity(edge) | Edge::Percent(edge))| Number::from_decimal(edge));
        let per = band.per.map(Quantity::from_decimal).transpose().map_err(at(line))?;
        if per.is_some_and(|per| per.0 <= 0) || (band.price.is_none() && band.flat.is_none()) {
            return Err(RateError::Band { line: line.to_owned(), band: priced.len() + 1 });
        }
        let range = Range { over, up_to: shown };
        let (price, flat) = (band.price.map(both).transpose()?, band.flat.map(both).transpose()?);
        priced.push(PricedBand { up_to, range, price, per, flat });
    }
    Ok(priced)
}

/// The portions of a quantity in the bands that it enters, by band (PRICING §5). The first band is entered even at 0.
pub fn portions(mode: Mode, bands: &[PricedBand], quantity: Quantity) -> Result<Vec<(usize, Quantity)>, Overflow> {
    if mode == Mode::Volume {
        let band = bands.iter().position(|band| band.up_to.is_none_or(|edge| quantity <= edge)).ok_or(Overflow)?;
        return Ok(vec![(band, quantity)]);
    }
    let mut portions = Vec::new();
    let mut lower = Quantity::ZERO;
    for (index, band) in bands.iter().enumerate() {
        if index > 0 && quantity <= lower {
            break;
        }
        let upper = band.up_to.map_or(quantity, |edge| edge.min(quantity));
        portions.push((index, upper.minus(lower)?));
        lower = upper;
    }
    let sum = portions.iter().try_fold(Quantity::ZERO, |sum, portion| sum.plus(portion.1))?;
    assert_eq!(sum, quantity, "I12: the bands' portions are not the quantity");
    Ok(portions)
}

/// What a portion costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// At list prices.
    pub list: Exact,
    /// At net prices.
    pub net: Exact,
    /// How many packages, where the band has a package size.
    pub packages: Option<i128>,
}

impl PricedBand {
    /// The charge of this band's price for a portion: `q × price`, or `⌈q / per⌉ × price` (PRICING §5).
    pub fn cost(&self, portion: Quantity) -> Result<Cost, Overflow> {
        let (list, net) = self.price.unwrap_or((Fixed::ZERO, Fixed::ZERO));
        let Some(per) = self.per else {
            return Ok(Cost { list: portion.times(list)?, net: portion.times(net)?, packages: None });
        };
        let packages = portion.0.div_euclid(per.0) + i128::from(portion.0.rem_euclid(per.0) != 0);
        Ok(Cost { list: list.times_whole(packages)?, net: net.times_whole(packages)?, packages: Some(packages) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::currency::Currency;
    use super::super::rounding::Rounding;
    use super::super::sample::{dec, three};
    use super::*;

    fn amounts(mode: Mode, quantity: &str) -> Vec<String> {
        let (bands, euro) = (priced("u", &three(), &[]).unwrap(), Currency::new("EUR").unwrap());
        let quantity = Quantity::from_decimal(dec(quantity)).unwrap();
        let portions = portions(mode, &bands, quantity).unwrap();
        let amount = |(band, portion): (usize, Quantity)| bands[band].cost(portion).unwrap().net;
        portions.into_iter().map(|one| euro.show(Rounding::HalfEven.minor(amount(one), 2).unwrap())).collect()
    }

    #[test]
    fn own_02_to_06_edges() {
        assert_eq!(amounts(Mode::Graduated, "100"), ["3000.00"]);
        assert_eq!(amounts(Mode::Graduated, "100.000001"), ["3000.00", "0.00"]);
        assert_eq!(amounts(Mode::Volume, "500"), ["13750.00"]);
        assert_eq!(amounts(Mode::Volume, "500.000001"), ["12500.00"]);
        assert_eq!(amounts(Mode::Graduated, "0"), ["0.00"]);
        assert_eq!(amounts(Mode::Graduated, "128.75"), ["3000.00", "790.62"]);
    }
}
