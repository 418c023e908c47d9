//! Credits (PRICING §13): positive amounts that come off a positive subtotal, earliest expiry first; they never make it negative.

use super::error::Overflow;
use crate::core::word::Instant;

/// A credit that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Its id.
    pub id: String,
    /// How much there is of it, in minor units; above 0.
    pub amount: i128,
    /// The instant from which on it is worth nothing; none = never.
    pub expires: Option<Instant>,
}

/// What became of a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its id.
    pub id: String,
    /// How much came off, in minor units.
    pub applied: i128,
    /// How much is left for later.
    pub left: i128,
}

/// The credits that a period ending at `period_end` may use (one that expires just then is good for all of it), in the order in which they are used: earliest expiry first, then id.
#[must_use]
pub fn due(credits: &[Credit], period_end: Instant) -> Vec<Credit> {
    let mut due: Vec<Credit> =
        credits.iter().filter(|credit| credit.expires.is_none_or(|expires| period_end <= expires)).cloned().collect();
    let last = Instant(i64::MAX);
    due.sort_by(|one, other| (one.expires.unwrap_or(last), &one.id).cmp(&(other.expires.unwrap_or(last), &other.id)));
    due
}

/// Takes the credits off a subtotal one after the other, each at most what is left of it; and the net amount.
pub fn apply<'c>(
    credits: impl Iterator<Item = (&'c str, i128)>,
    subtotal: i128,
) -> Result<(Vec<Applied>, i128), Overflow> {
    let mut net = subtotal;
    let mut all = Vec::new();
    for (id, granted) in credits {
        let applied = granted.min(net).max(0);
        net = net.checked_sub(applied).ok_or(Overflow)?;
        all.push(Applied { id: id.to_owned(), applied, left: granted.checked_sub(applied).ok_or(Overflow)? });
    }
    Ok((all, net))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_expiry_goes_first_and_nothing_becomes_negative() {
        let credit = |id: &str, amount, expires: Option<i64>| Credit {
            id: id.to_owned(),
            amount,
            expires: expires.map(Instant),
        };
        let granted = [
            credit("c", 500, None),
            credit("b", 300, Some(200)),
            credit("a", 300, Some(200)),
            credit("old", 900, Some(99)),
        ];
        let due = due(&granted, Instant(100));
        let (applied, net) = apply(due.iter().map(|credit| (&*credit.id, credit.amount)), 1_000).unwrap();
        let shown: Vec<_> = applied.iter().map(|one| (&*one.id, one.applied, one.left)).collect();
        assert_eq!((shown, net), (vec![("a", 300, 0), ("b", 300, 0), ("c", 400, 100)], 0));
        // PRICING §13: 25 against 10, 15 left; against a credit note's subtotal nothing
        let one = |subtotal| apply([("x", 2_500)].into_iter(), subtotal).unwrap();
        assert_eq!((one(1_000).0[0].left, one(1_000).1), (1_500, 0));
        assert_eq!((one(-1_000).0[0].applied, one(-1_000).1), (0, -1_000));
    }
}
