//! A part of the identities that a partition remembers: one table, sorted by identity, so nearly full that an entry costs little more
//! than its bytes, and so small that making it anew is no pause.
//!
//! An entry lies at the place that its identity points to or, where others lie, a few places on; all of them in rising order. So a look
//! ends at the first entry that is greater, also where nearly every place is taken. A table that is made anew is written from front to
//! back while the old one is given back piece by piece: there are never two of them in memory.

/// Bytes of an entry: identity, hash of the content, and until when.
pub(super) const ENTRY_BYTES: usize = 16 + 8 + 6;
/// Entries of a piece of memory. All pieces are of one size, so that what one table gives back another can use.
const PIECE: usize = 2048;
/// A table grows when more than so many of 16 places are taken...
const FULL_16THS: usize = 14;
/// ... by one of so many of its entries: between 30 / 0.875 and 10 % more than that are bytes of an entry.
const GROWTH: usize = 10;
/// A table is swept when log time has passed more than one of so many of its entries.
const WORTH_A_SWEEP: usize = 32;
/// Places behind the last that an identity can point to; a table in which they do not suffice is made anew.
const TAIL: usize = 32;
/// The least and the greatest log time that can be written in 6 bytes: some four thousand years either way.
const EARLIEST: i64 = -(1 << 47) + 1;
const LATEST: i64 = (1 << 47) - 1;

type Entry = [u8; ENTRY_BYTES];
const FREE: Entry = [0; ENTRY_BYTES];

/// What is remembered of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) content: u64,
    /// The last log time at which the identity is remembered.
    pub(super) until: i64,
}

/// Where an identity is, or belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: usize,
    /// Whether its entry is there already.
    pub(super) is_taken: bool,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub(super) struct Shard {
    pieces: Vec<Vec<Entry>>,
    /// Places that identities point to.
    homes: usize,
    /// Places that there are.
    places: usize,
    taken: usize,
}

impl Shard {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        let entries: usize = self.pieces.iter().map(Vec::capacity).sum();
        entries * ENTRY_BYTES + self.pieces.capacity() * size_of::<Vec<Entry>>()
    }

    /// Looks for an identity.
    pub(super) fn find(&self, identity: u128) -> Place {
        let mut place = home(identity, self.homes);
        while place < self.places {
            let entry = self.entry(place);
            let other = identity_of(entry);
            if other > identity || (other == 0 && is_free(entry)) {
                break;
            }
            if other == identity {
                return Place { number: place, is_taken: true };
            }
            place += 1;
        }
        Place { number: place, is_taken: false }
    }

    /// What is remembered at a place where an entry is.
    pub(super) fn get(&self, place: Place) -> Remembered {
        let entry = self.entry(place.number);
        Remembered { content: content_of(entry), until: until_of(entry) }
    }

    /// Remembers something else at a place where an entry is.
    pub(super) fn set(&mut self, place: Place, identity: u128, remembered: Remembered) {
        *self.entry_mut(place.number) = entry(identity, remembered);
    }

    /// Puts an identity where [`Shard::find`] said that it belongs. What lies there moves on. A table that is full is made anew first,
    /// without what `log_time` has passed.
    pub(super) fn insert(&mut self, place: Place, identity: u128, remembered: Remembered, log_time: i64) {
        let mut place = place.number;
        let has_room = (self.taken + 1) * 16 <= self.homes * FULL_16THS;
        if !has_room || !(place..self.places).any(|place| is_free(self.entry(place))) {
            self.make_anew(log_time, self.taken + 1);
            place = self.find(identity).number;
        }
        let mut moved = entry(identity, remembered);
        while !is_free(&moved) {
            std::mem::swap(self.entry_mut(place), &mut moved);
            place += 1;
        }
        self.taken += 1;
    }

    /// Gives back the memory of what `log_time` has passed, if it is worth it.
    pub(super) fn sweep(&mut self, log_time: i64) {
        let passed = self.pieces.iter().flatten().filter(|entry| !is_free(entry) && until_of(entry) < log_time).count();
        if passed * WORTH_A_SWEEP > self.taken {
            self.make_anew(log_time, self.taken - passed);
        }
    }

    /// Makes the table anew with room for `wanted` entries, without what `log_time` has passed.
    fn make_anew(&mut self, log_time: i64, wanted: usize) {
        let room = wanted + wanted / GROWTH;
        self.homes = (room * 16).div_ceil(FULL_16THS).max(2);
        (self.places, self.taken) = (0, 0);
        for piece in std::mem::take(&mut self.pieces) {
            for entry in piece.iter().filter(|entry| !is_free(entry) && until_of(entry) >= log_time) {
                let place = home(identity_of(entry), self.homes).max(self.places);
                self.extend(place);
                self.push(*entry);
                self.taken += 1;
            }
        }
        // one place at least is free behind all others
        self.extend(self.end().max(self.places + 1));
    }

    /// Where the table ends, as a rule.
    fn end(&self) -> usize {
        self.homes + TAIL.min(self.homes / 4 + 1)
    }

    /// Adds free places until there are so many.
    fn extend(&mut self, places: usize) {
        while self.places < places {
            self.push(FREE);
        }
    }

    fn push(&mut self, entry: Entry) {
        if self.places.is_multiple_of(PIECE) {
            // the last piece is as long as it has to be: a small table is small
            let left = self.end().saturating_sub(self.places).clamp(1, PIECE);
            self.pieces.push(Vec::with_capacity(left));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(entry);
        }
        self.places += 1;
    }

    fn entry(&self, place: usize) -> &Entry {
        &self.pieces[place / PIECE][place % PIECE]
    }

    fn entry_mut(&mut self, place: usize) -> &mut Entry {
        &mut self.pieces[place / PIECE][place % PIECE]
    }
}

/// Where an identity points to: identities are hashes, so their bits behind those that name the table spread them evenly.
fn home(identity: u128, homes: usize) -> usize {
    let bits = (identity >> 56) as u64;
    ((u128::from(bits) * homes as u128) >> 64) as usize
}

fn entry(identity: u128, remembered: Remembered) -> Entry {
    let mut entry = FREE;
    entry[..16].copy_from_slice(&identity.to_le_bytes());
    entry[16..24].copy_from_slice(&remembered.content.to_le_bytes());
    // never 0, which is what a free place says
    let until = (remembered.until.clamp(EARLIEST, LATEST) - EARLIEST + 1) as u64;
    entry[24..].copy_from_slice(&until.to_le_bytes()[..6]);
    entry
}

fn is_free(entry: &Entry) -> bool {
    entry[24..] == [0; 6]
}

fn identity_of(entry: &Entry) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&entry[..16]);
    u128::from_le_bytes(bytes)
}

fn content_of(entry: &Entry) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&entry[16..24]);
    u64::from_le_bytes(bytes)
}

fn until_of(entry: &Entry) -> i64 {
    let mut bytes = [0; 8];
    bytes[..6].copy_from_slice(&entry[24..]);
    u64::from_le_bytes(bytes) as i64 + EARLIEST - 1
}
