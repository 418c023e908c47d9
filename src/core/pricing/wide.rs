//! Whole numbers of 256 bits for what is multiplied before it is divided: no digit is lost on the way, and nothing wraps.

use super::error::Overflow;
use super::rounding::Rounding;

/// A signed whole number of 256 bits.
pub type Wide = bnum::types::I256;

/// The sum.
pub fn plus(a: Wide, b: Wide) -> Result<Wide, Overflow> {
    a.checked_add(b).ok_or(Overflow)
}

/// The difference.
pub fn minus(a: Wide, b: Wide) -> Result<Wide, Overflow> {
    a.checked_sub(b).ok_or(Overflow)
}

/// The product of all factors.
pub fn product<const N: usize>(factors: [Wide; N]) -> Result<Wide, Overflow> {
    factors.into_iter().try_fold(Wide::ONE, |product, factor| product.checked_mul(factor)).ok_or(Overflow)
}

/// The sum of all summands.
pub fn sum(summands: impl IntoIterator<Item = Wide>) -> Result<Wide, Overflow> {
    summands.into_iter().try_fold(Wide::ZERO, plus)
}

/// Ten to the power of `places`, at most 38.
#[must_use]
pub fn ten(places: u32) -> Wide {
    Wide::from(10i128.pow(places))
}

/// `numerator / denominator` rounded once to a whole number; the denominator is positive (PRICING §11).
pub fn divide(numerator: Wide, denominator: Wide, rounding: Rounding) -> Result<Wide, Overflow> {
    if denominator <= Wide::ZERO {
        return Err(Overflow);
    }
    let size = numerator.checked_abs().ok_or(Overflow)?;
    let (quotient, rest) = (size / denominator, size % denominator);
    let up = match rest.cmp(&(denominator - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => rounding == Rounding::HalfUp || quotient % Wide::from(2) == Wide::ONE,
    };
    let size = if up { plus(quotient, Wide::ONE)? } else { quotient };
    Ok(if numerator.is_negative() { -size } else { size })
}

/// The same number in 128 bits.
pub fn narrow(number: Wide) -> Result<i128, Overflow> {
    i128::try_from(number).map_err(|_| Overflow)
}

/// Shares of `total` that follow `weights[i] · total / whole`: floors first, then one more to each by greatest remainder, ties to
/// the lower one (PRICING §11). The weights are not negative and sum to `whole` within the rounding of `total`; the shares sum to
/// `total` exactly. `scale` is how much of a weight one of the total is.
pub fn apportion(total: i128, weights: &[Wide], scale: Wide) -> Result<Vec<i128>, Overflow> {
    let mut shares = Vec::with_capacity(weights.len());
    let mut left = total;
    for &weight in weights {
        let floor = narrow(weight / scale)?;
        left = left.checked_sub(floor).ok_or(Overflow)?;
        shares.push((floor, weight % scale));
    }
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&one, &other| shares[other].1.cmp(&shares[one].1).then(one.cmp(&other)));
    let ups = usize::try_from(left).ok().filter(|ups| *ups <= order.len());
    assert!(ups.is_some(), "I12: {left} last places are left over for {} shares of {total}", order.len());
    for &index in &order[..ups.unwrap_or(0)] {
        shares[index].0 += 1;
    }
    Ok(shares.into_iter().map(|share| share.0).collect())
}

/// Shares of `total` in proportion to weights that need not be on its scale; all to the last one where the weights are nothing.
pub fn proportion(total: i128, weights: &[i128]) -> Result<Vec<i128>, Overflow> {
    let whole = sum(weights.iter().map(|weight| Wide::from(*weight)))?;
    if whole == Wide::ZERO {
        let mut shares = vec![0; weights.len()];
        *shares.last_mut().ok_or(Overflow)? = total;
        return Ok(shares);
    }
    let scaled = weights.iter().map(|weight| product([Wide::from(*weight), Wide::from(total)]));
    apportion(total, &scaled.collect::<Result<Vec<_>, _>>()?, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_either_sign() {
        let half = |n: i128, rounding| narrow(divide(Wide::from(n), Wide::from(10), rounding).unwrap()).unwrap();
        assert_eq!([25, 35, -25, -35].map(|n| half(n, Rounding::HalfEven)), [2, 4, -2, -4]);
        assert_eq!([25, 35, -25, -35].map(|n| half(n, Rounding::HalfUp)), [3, 4, -3, -4]);
        assert_eq!([24, 26, -24, -26].map(|n| half(n, Rounding::HalfUp)), [2, 3, -2, -3]);
    }

    #[test]
    fn thirds_sum_to_the_whole() {
        assert_eq!(proportion(10_000_000, &[1, 1, 1]), Ok(vec![3_333_334, 3_333_333, 3_333_333]));
        assert_eq!(proportion(5, &[0, 0]), Ok(vec![0, 5]));
    }

    #[test]
    fn too_great_is_an_error() {
        assert_eq!(product([ten(38), ten(38), ten(38)]), Err(Overflow));
        assert_eq!(narrow(product([ten(38), ten(38)]).unwrap()), Err(Overflow));
    }
}
