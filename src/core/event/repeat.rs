//! The same (kind, resource, meter) twice in one event.

use super::Reading;

/// The place of the first reading that repeats an earlier one. Hashes find candidates, texts decide.
pub(super) fn first(readings: &[Reading<'_>]) -> Option<usize> {
    if readings.len() < 2 {
        return None;
    }
    // at most half full, so that looking stays short
    let slots = (readings.len() * 2).next_power_of_two();
    let mut table = vec![0u32; slots];
    for (place, reading) in readings.iter().enumerate() {
        let mut slot = reading.series_hash as usize & (slots - 1);
        while table[slot] != 0 {
            let other = &readings[table[slot] as usize - 1];
            if other.series_hash == reading.series_hash && is_same(other, reading) {
                return Some(place);
            }
            slot = (slot + 1) & (slots - 1);
        }
        table[slot] = place as u32 + 1;
    }
    None
}

fn is_same(a: &Reading<'_>, b: &Reading<'_>) -> bool {
    a.kind == b.kind && a.resource == b.resource && a.meter == b.meter
}
