//! A volume or file system of the demo, and what its meters show.

use super::super::random::mix_all;
use super::curve::{Curve, ONE, rhythm, scaled};
use super::fleet::{ArrayModel, TIB};
use crate::core::word::Instant;

/// How many lie on each array.
pub const RESOURCES: usize = 20;
/// What they are for, by number.
const PURPOSES: [&str; 5] = ["erp", "vdi", "mail", "archive", "lab"];

/// One volume or file system.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Bytes in use where the curve is 1.
    base: u64,
    /// How much more or less than the others it grows over the whole time, in millionths.
    slope: i64,
    /// Bytes read at a poll on average.
    read: u64,
    /// What its counter shows.
    pub counter: u64,
}

/// The resources of an array. Together they hold what it uses, less what its own snapshots take.
#[must_use]
pub fn resources(model: &ArrayModel, seed: u64, array: u64) -> Vec<Resource> {
    let weight = |number: usize| 10 + mix_all(&[seed, array, number as u64, 1]) % 31;
    let all: u64 = (0..RESOURCES).map(weight).sum();
    let held = own_share_removed(model.used_tib * TIB);
    let resource = |number: usize| {
        let noise = |what| mix_all(&[seed, array, number as u64, what]);
        let base = (u128::from(held) * u128::from(weight(number)) / u128::from(all)) as u64;
        let tag = model.tag(number).unwrap_or("scratch").to_lowercase();
        Resource {
            // ids do not depend on the seed: they are the same volumes in every month
            id: format!("{}-{:08x}", model.medium.prefix(), mix_all(&[array, number as u64]) as u32),
            name: format!("{tag}-{}-{number:02}", PURPOSES[number % PURPOSES.len()]),
            base,
            slope: (noise(2) % 80_001) as i64 - 40_000,
            // about a thirtieth of what it holds is read in a day of 288 polls
            read: base / 30 / 288,
            counter: base + noise(3) % base,
        }
    };
    (0..RESOURCES).map(resource).collect()
}

/// An array holds a thirty-second more than what lies on it: snapshots that count for nobody.
fn own_share_removed(used: u64) -> u64 {
    used / 33 * 32
}

/// What an array uses that holds so much.
#[must_use]
pub fn own_share_added(held: u64) -> u64 {
    held + held / 32
}

impl Resource {
    /// Bytes in use now: its array's level, its own slope and a little noise.
    #[must_use]
    pub fn used(&self, curve: &Curve, level: u64, now: Instant, noise: u64) -> u64 {
        let own = ONE + self.slope * (curve.elapsed(now) - ONE / 2) / ONE + (noise % 6001) as i64 - 3000;
        scaled(scaled(self.base, level), own.max(0) as u64)
    }

    /// Reads go on: by day more than at night, and never none.
    pub fn count(&mut self, now: Instant, noise: u64) {
        let busy = ONE + rhythm(now) / 2 + (noise % 400_001) as i64 - 200_000;
        self.counter += scaled(self.read, busy.max(0) as u64) + 1;
    }
}
