//! SHA-256 digests, of what was metered for a line (INVOICE §3, `inputs_digest`).

use sha2::{Digest, Sha256};

use super::usage::ArrayCoverage;
use crate::core::word::Instant;

/// The digest of bytes, as documents show it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    show(Sha256::new_with_prefix(bytes))
}

/// The digest of a line's inputs while they are priced: what is priced of each part, in the order of their names, then each array's
/// coverage.
#[derive(Default)]
pub struct InputsDigest(Sha256);

impl InputsDigest {
    /// Adds a part: when, and how much.
    pub fn part(&mut self, part: &str, amounts: impl ExactSizeIterator<Item = (Instant, i128)>) {
        name(&mut self.0, b'P', part, amounts.len());
        for (start, amount) in amounts {
            self.0.update(start.0.to_be_bytes());
            self.0.update(amount.to_be_bytes());
        }
    }

    /// Adds the arrays, and ends.
    #[must_use]
    pub fn finish(mut self, arrays: &[ArrayCoverage]) -> String {
        let mut arrays: Vec<_> = arrays.iter().collect();
        arrays.sort_by(|one, other| one.array.cmp(&other.array));
        for array in arrays {
            name(&mut self.0, b'A', &array.array, array.observed.len());
            self.0.update([u8::from(array.first_reading.is_some())]);
            self.0.update(array.first_reading.unwrap_or_default().0.to_be_bytes());
            for (start, observed_ms) in &array.observed {
                self.0.update(start.0.to_be_bytes());
                self.0.update(observed_ms.to_be_bytes());
            }
        }
        show(self.0)
    }
}

/// A name with its length and how many entries follow, so that no two inputs read alike.
fn name(state: &mut Sha256, mark: u8, name: &str, entries: usize) {
    state.update([mark]);
    state.update((name.len() as u64).to_be_bytes());
    state.update(name.as_bytes());
    state.update((entries as u64).to_be_bytes());
}

fn show(state: Sha256) -> String {
    let hex: String = state.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
