//! gzip, with a bound on what comes out.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use super::budget::Held;
use super::error::{GatewayError, Refusal};

/// Bytes that are inflated at a time.
const PIECE: usize = 64 << 10;

/// What gzip holds. It is held under the budget piece by piece, and not a byte more than `most` comes out.
///
/// # Errors
/// What is no gzip, too much of it, and a budget that is used up.
pub(super) fn inflate(body: &[u8], most: usize, held: &mut Held) -> Result<Vec<u8>, GatewayError> {
    let (mut inflated, mut piece) = (Vec::new(), vec![0; PIECE]);
    let mut gzip = MultiGzDecoder::new(body);
    loop {
        let count = gzip
            .read(&mut piece)
            .map_err(|error| Refusal::Encoding(format!("content-encoding says gzip, and the body is none: {error}")))?;
        if count == 0 {
            return Ok(inflated);
        }
        if inflated.len() + count > most {
            return Err(Refusal::TooLarge { most, how: "once it is inflated" }.into());
        }
        // no more than is held: a vector that doubles by itself would take what nobody counted
        held.grow(count)?;
        inflated.reserve_exact(if inflated.capacity() - inflated.len() < count {
            count.max(inflated.len() / 4)
        } else {
            0
        });
        inflated.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::gateway::budget::Budget;
    use crate::gateway::error::Away;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn what_comes_out_has_a_bound_and_is_counted() {
        let budget = Budget::new(1 << 20);
        for (bytes, fits) in [(99_999, true), (100_000, true), (100_001, false)] {
            let mut held = budget.hold();
            let plain = vec![b' '; bytes];
            match inflate(&gzip(&plain), 100_000, &mut held) {
                Ok(inflated) => assert!(fits && inflated == plain && budget.held_bytes() >= bytes),
                Err(error) => assert!(!fits && error.to_string().contains("more than 100000 bytes"), "{error}"),
            }
        }
        // a bomb of 64 MiB in 64 KiB is cut where its budget ends
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 80 << 10);
        let error = inflate(&bomb, usize::MAX, &mut budget.hold()).unwrap_err();
        assert!(matches!(error, GatewayError::Away(Away::Full)), "{error}");
        assert_eq!(budget.held_bytes(), 0);
    }

    #[test]
    fn what_is_no_gzip_is_refused() {
        let whole = gzip(b"whole");
        for body in [&b"{}"[..], b"", &whole[..whole.len() - 3], &[&whole[..], b"x"].concat()] {
            let read = inflate(body, 100, &mut Budget::new(1 << 20).hold());
            assert!(matches!(read, Err(GatewayError::Refused(Refusal::Encoding(_)))), "{body:?}: {read:?}");
        }
        let twice = [&whole[..], &whole[..]].concat();
        assert_eq!(inflate(&twice, 100, &mut Budget::new(1 << 20).hold()).unwrap(), b"wholewhole");
    }
}
