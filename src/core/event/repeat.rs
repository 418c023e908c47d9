//! The same (kind, resource, meter) twice in one event.

use super::Reading;

/// Looks at other slots, per reading, before hashes are taken for chosen: honest ones need less than two.
const LOOKS_PER_READING: usize = 8;

/// Whether a reading repeats an earlier one. Hashes find candidates, texts decide. A producer can choose names whose hashes share a
/// slot, so the looks are counted: then the readings are sorted instead, and no choice of names makes it quadratic.
pub(super) fn is_repeated(readings: &[Reading<'_>]) -> bool {
    if readings.len() < 2 {
        return false;
    }
    // at most half full, so that looking stays short
    let slots = (readings.len() * 2).next_power_of_two();
    let mut looks = readings.len() * LOOKS_PER_READING;
    let mut table = vec![0u32; slots];
    for (place, reading) in readings.iter().enumerate() {
        let mut slot = reading.series_hash as usize & (slots - 1);
        while table[slot] != 0 {
            let other = &readings[table[slot] as usize - 1];
            if other.series_hash == reading.series_hash && name(other) == name(reading) {
                return true;
            }
            if looks == 0 {
                return is_repeated_when_sorted(readings);
            }
            looks -= 1;
            slot = (slot + 1) & (slots - 1);
        }
        table[slot] = place as u32 + 1;
    }
    false
}

fn is_repeated_when_sorted(readings: &[Reading<'_>]) -> bool {
    let mut names: Vec<_> = readings.iter().map(name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn name<'r>(reading: &'r Reading<'_>) -> (u8, &'r str, &'r str) {
    (reading.kind as u8, &reading.resource, &reading.meter)
}
