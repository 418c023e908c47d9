//! SHA-256 digests, of what was metered for a line (INVOICE §3, `inputs_digest`).

use sha2::{Digest, Sha256};

use super::usage::LineUsage;

/// The digest of bytes, as documents show it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    show(Sha256::new_with_prefix(bytes))
}

/// The digest of a line's inputs: each part's slots and each array's coverage, in the order of their names and starts.
#[must_use]
pub fn inputs(usage: &LineUsage) -> String {
    let mut state = Sha256::new();
    let mut parts: Vec<_> = usage.parts.iter().collect();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    for part in parts {
        name(&mut state, b'P', &part.name, part.slots.len());
        for slot in &part.slots {
            state.update(slot.start.0.to_be_bytes());
            state.update(slot.length_ms.to_be_bytes());
            state.update(slot.amount.to_be_bytes());
        }
    }
    let mut arrays: Vec<_> = usage.arrays.iter().collect();
    arrays.sort_by(|one, other| one.array.cmp(&other.array));
    for array in arrays {
        name(&mut state, b'A', &array.array, array.observed.len());
        state.update([u8::from(array.first_reading.is_some())]);
        state.update(array.first_reading.unwrap_or_default().0.to_be_bytes());
        for (start, observed_ms) in &array.observed {
            state.update(start.0.to_be_bytes());
            state.update(observed_ms.to_be_bytes());
        }
    }
    show(state)
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
