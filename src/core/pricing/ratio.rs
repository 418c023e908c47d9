//! Exact ratios of whole numbers: a product of two 128-bit numbers divided by a third, without losing a digit on the way.

use super::error::Overflow;
use super::rounding::Rounding;

/// `a · b / c` as quotient and remainder, the product being 256 bits wide.
pub fn divide(a: u128, b: u128, c: u128) -> Result<(u128, u128), Overflow> {
    if c == 0 {
        return Err(Overflow);
    }
    if let Some(product) = a.checked_mul(b) {
        return Ok((product / c, product % c));
    }
    let (high, low) = multiply(a, b);
    if high >= c {
        return Err(Overflow);
    }
    let (mut quotient, mut rest) = (0u128, high);
    for bit in (0..128).rev() {
        let carried = rest >> 127 == 1;
        rest = (rest << 1) | ((low >> bit) & 1);
        if carried || rest >= c {
            rest = rest.wrapping_sub(c);
            quotient |= 1 << bit;
        }
    }
    Ok((quotient, rest))
}

/// The product as its upper and lower 128 bits.
fn multiply(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let low = a0 * b0;
    let first = a1 * b0 + (low >> 64);
    let second = a0 * b1 + (first & HALF);
    (a1 * b1 + (first >> 64) + (second >> 64), (second << 64) | (low & HALF))
}

/// `a · b / c`, rounded once; `c` is positive.
pub fn scale(a: i128, b: i128, c: i128, rounding: Rounding) -> Result<i128, Overflow> {
    let negative = (a < 0) != (b < 0);
    let divisor = u128::try_from(c).map_err(|_| Overflow)?;
    let (quotient, rest) = divide(a.unsigned_abs(), b.unsigned_abs(), divisor)?;
    let up = match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => rounding == Rounding::HalfUp || quotient % 2 == 1,
    };
    let size = quotient.checked_add(u128::from(up && rest != 0)).ok_or(Overflow)?;
    let size = i128::try_from(size).map_err(|_| Overflow)?;
    Ok(if negative { -size } else { size })
}

/// The greatest common divisor, at least 1.
#[must_use]
pub fn common(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// Shares of `total` in proportion to `numerators[i] · factor / denominator`: floors first, then one more to each by greatest
/// remainder, ties to the lower one (PRICING §11). The shares sum to `total` exactly.
pub fn apportion(total: i128, numerators: &[i128], factor: i128, denominator: i128) -> Result<Vec<i128>, Overflow> {
    let (factor, denominator) = (positive(factor)?, positive(denominator)?);
    let mut shares = Vec::with_capacity(numerators.len());
    for &numerator in numerators {
        let (floor, rest) = divide(positive(numerator)?, factor, denominator)?;
        shares.push((i128::try_from(floor).map_err(|_| Overflow)?, rest));
    }
    let given = shares.iter().try_fold(0i128, |sum, share| sum.checked_add(share.0)).ok_or(Overflow)?;
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&one, &other| shares[other].1.cmp(&shares[one].1).then(one.cmp(&other)));
    let left = usize::try_from(total - given).map_err(|_| Overflow)?;
    assert!(left <= order.len(), "I12: {left} last places are left over for {} shares of {total}", order.len());
    for &index in &order[..left] {
        shares[index].0 += 1;
    }
    Ok(shares.into_iter().map(|share| share.0).collect())
}

fn positive(number: i128) -> Result<u128, Overflow> {
    u128::try_from(number).map_err(|_| Overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thirds_sum_to_the_whole() {
        assert_eq!(apportion(10_000_000, &[1, 1, 1], 10_000_000, 3), Ok(vec![3_333_334, 3_333_333, 3_333_333]));
    }

    proptest! {
        #[test]
        fn divides_back(a in any::<u128>(), b in any::<u128>(), c in 1..u128::MAX) {
            if let Ok((quotient, rest)) = divide(a, b, c) {
                prop_assert!(rest < c);
                let (high, low) = multiply(quotient, c);
                let (low, carried) = low.overflowing_add(rest);
                prop_assert_eq!((high + u128::from(carried), low), multiply(a, b));
            }
        }

        #[test]
        fn shares_sum(total in 0..10i128.pow(18), weights in prop::collection::vec(0..10i128.pow(30), 1..40)) {
            let sum: i128 = weights.iter().sum();
            prop_assume!(sum > 0);
            let shares = apportion(total, &weights, total, sum).unwrap();
            prop_assert_eq!(shares.iter().sum::<i128>(), total);
        }
    }
}
