//! Hashes of events. Identity and content are stored for ever: their definitions never change within a fold version, and a test
//! pins them.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128, xxh3_128_with_seed};

use super::Event;
use crate::core::word::{Instant, Kind};

/// The hash that names a series within its array.
#[must_use]
pub fn series_hash(kind: Kind, resource: &str, meter: &str) -> u128 {
    series_of(meter_seed(kind, meter), resource)
}

/// The part of [`series_hash`] that all series of a kind and meter share.
#[must_use]
pub fn meter_seed(kind: Kind, meter: &str) -> u64 {
    xxh3_64_with_seed(meter.as_bytes(), kind as u64)
}

/// [`series_hash`] of a resource with a [`meter_seed`].
#[must_use]
pub fn series_of(seed: u64, resource: &str) -> u128 {
    xxh3_128_with_seed(resource.as_bytes(), seed)
}

/// The identity of an event: xxh3-128 of (provider, array, source, id), each with its length before it.
#[must_use]
pub fn identity(provider: &str, array: &str, source: &str, id: &str) -> u128 {
    let parts = [provider, array, source, id];
    let length = 16 + parts.iter().map(|part| part.len()).sum::<usize>();
    // one buffer, on the stack for ids of usual length, and one call: a streaming state costs more to set up than this takes in all
    let (mut short, mut long) = ([0u8; 384], Vec::new());
    let bytes = match short.get_mut(..length) {
        Some(bytes) => bytes,
        None => {
            long.resize(length, 0);
            &mut long[..]
        }
    };
    let mut at = 0;
    for part in parts {
        for piece in [&(part.len() as u32).to_le_bytes()[..], part.as_bytes()] {
            bytes[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }
    }
    xxh3_128(bytes)
}

/// The hash of what is billed of an event: time, array and the set of (kind, resource, customer, tier, meter, value). Neither
/// encoding nor order nor labels count, so the readings' hashes are added up.
#[must_use]
pub fn content(event: &Event<'_>) -> u64 {
    let said = event.readings.iter().map(|reading| Said {
        series_hash: reading.series_hash,
        customer_hash: customer_hash(reading.customer.as_deref()),
        tier_hash: tier_hash(reading.tier.as_deref()),
        value: reading.value,
    });
    content_of(&event.array, event.time, said)
}

/// What one reading says, as far as it is billed.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// [`series_hash`] of its series.
    pub series_hash: u128,
    /// [`customer_hash`] of its tenant tag.
    pub customer_hash: u64,
    /// [`tier_hash`] of its service tier.
    pub tier_hash: u64,
    /// Its value.
    pub value: u64,
}

/// The hash of a tenant tag, or of none.
#[must_use]
pub fn customer_hash(customer: Option<&str>) -> u64 {
    customer.map_or(1, |text| xxh3_64_with_seed(text.as_bytes(), 2))
}

/// The hash of a service tier, or of none.
#[must_use]
pub fn tier_hash(tier: Option<&str>) -> u64 {
    tier.map_or(3, |text| xxh3_64_with_seed(text.as_bytes(), 4))
}

/// [`content`] of what the readings of an event say.
#[must_use]
pub fn content_of(array: &str, time: Instant, said: impl Iterator<Item = Said>) -> u64 {
    let (mut count, mut sum) = (0u64, 0u64);
    for Said { series_hash, customer_hash, tier_hash, value } in said {
        sum = sum.wrapping_add(mix(&[series_hash as u64, customer_hash, tier_hash, value]));
        count += 1;
    }
    mix(&[xxh3_64(array.as_bytes()), time.0 as u64, count, sum])
}

fn mix(words: &[u64; 4]) -> u64 {
    let mut bytes = [0u8; 32];
    for (place, word) in words.iter().enumerate() {
        bytes[place * 8..place * 8 + 8].copy_from_slice(&word.to_le_bytes());
    }
    xxh3_64(&bytes)
}
