//! Numbers that look random and are the same on every machine: splitmix64.
//!
//! Sebastiano Vigna's generator in the public domain (the one behind Java's `SplittableRandom`): a counter with the golden
//! ratio as its step, and a mixer. The mixer alone gives a number for a place, so that the value of a poll can be had without
//! those before it. No cryptography.

/// 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The mixer of splitmix64: each bit of the input sways each bit of the output.
#[must_use]
pub fn mix(place: u64) -> u64 {
    let mut z = place.wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number of a place that several coordinates name: (seed, array, poll).
#[must_use]
pub fn mix_all(coordinates: &[u64]) -> u64 {
    coordinates.iter().fold(0, |mixed, coordinate| mix(mixed ^ coordinate))
}

/// The number of three coordinates.
#[must_use]
pub fn hash(seed: u64, a: u64, b: u64) -> u64 {
    mix_all(&[seed, a, b])
}

/// A version 4 UUID of these coordinates.
#[must_use]
pub fn uuid(coordinates: &[u64]) -> String {
    let high = mix_all(coordinates);
    let low = mix(high);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation with seed 1234567.
    #[test]
    fn is_splitmix64() {
        let numbers: Vec<u64> = (0..3u64).map(|n| mix(1_234_567u64.wrapping_add(STEP.wrapping_mul(n)))).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn uuids_have_their_form() {
        let id = uuid(&[1, 2]);
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, uuid(&[2, 1]));
    }
}
