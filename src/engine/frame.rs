//! ClickHouse's compressed frames, which clients send with `decompress=1`.
//!
//! A frame is a CityHash128 of what follows, a method byte, the size with this header, the raw size, and an LZ4 block.

use super::exception::{CANNOT_DECOMPRESS, Exception};

const CHECKSUM: usize = 16;
const HEADER: usize = 9;
const LZ4: u8 = 0x82;
/// Largest frame that is taken, compressed or raw; ClickHouse's own limit.
const LIMIT: usize = 1 << 30;

/// Puts frames together from chunks of any size and unpacks them.
#[derive(Debug, Default)]
pub struct Frames {
    pending: Vec<u8>,
    raw: Vec<u8>,
}

impl Frames {
    /// Takes a chunk and calls `emit` with the raw bytes of every frame that it completes.
    ///
    /// # Errors
    /// When a frame is damaged, over the limit or not LZ4, or `emit` fails.
    pub fn push<F>(&mut self, chunk: &[u8], mut emit: F) -> Result<(), Exception>
    where
        F: FnMut(&[u8]) -> Result<(), Exception>,
    {
        self.pending.extend_from_slice(chunk);
        let mut at = 0;
        while let Some(size) = frame_size(&self.pending[at..])? {
            if self.pending.len() - at < size {
                self.pending.reserve(size);
                break;
            }
            unpack(&self.pending[at..at + size], &mut self.raw)?;
            emit(&self.raw)?;
            at += size;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Checks that nothing is left over.
    ///
    /// # Errors
    /// When the data ended inside a frame.
    pub fn finish(&self) -> Result<(), Exception> {
        if self.pending.is_empty() { Ok(()) } else { Err(broken("the data ended inside a compressed frame")) }
    }
}

fn broken(text: impl std::fmt::Display) -> Exception {
    Exception::new(CANNOT_DECOMPRESS, text)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The size of the frame at the start, checksum included, once its header is there.
fn frame_size(bytes: &[u8]) -> Result<Option<usize>, Exception> {
    let Some(header) = bytes.get(CHECKSUM..CHECKSUM + HEADER) else { return Ok(None) };
    if header[0] != LZ4 {
        return Err(broken(format_args!("compression method {:#04x} is not taken, only LZ4 (0x82)", header[0])));
    }
    let (packed, raw) = (number(&header[1..5]), number(&header[5..9]));
    if !(HEADER..=LIMIT).contains(&packed) || raw > LIMIT {
        return Err(broken(format_args!("a compressed frame states {packed} and {raw} bytes, the limit is {LIMIT}")));
    }
    Ok(Some(CHECKSUM + packed))
}

fn unpack(frame: &[u8], raw: &mut Vec<u8>) -> Result<(), Exception> {
    let (checksum, rest) = frame.split_at(CHECKSUM);
    let expected = cityhash_rs::cityhash_102_128(rest).rotate_right(64);
    if checksum != expected.to_le_bytes() {
        return Err(broken("a compressed frame does not match its checksum"));
    }
    raw.resize(number(&rest[5..9]), 0);
    let size = lz4_flex::block::decompress_into(&rest[HEADER..], raw).map_err(broken)?;
    if size == raw.len() { Ok(()) } else { Err(broken("a compressed frame holds less than it states")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(data: &[u8]) -> Vec<u8> {
        let block = lz4_flex::block::compress(data);
        let mut rest = vec![LZ4];
        rest.extend(u32::try_from(block.len() + HEADER).unwrap().to_le_bytes());
        rest.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        rest.extend(block);
        let mut frame = cityhash_rs::cityhash_102_128(&rest).rotate_right(64).to_le_bytes().to_vec();
        frame.extend(rest);
        frame
    }

    fn unpack_in(chunk: usize, bytes: &[u8]) -> Result<Vec<u8>, Exception> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for part in bytes.chunks(chunk) {
            frames.push(part, |raw| {
                all.extend_from_slice(raw);
                Ok(())
            })?;
        }
        frames.finish().map(|()| all)
    }

    #[test]
    fn frames_survive_any_cut() {
        let first = b"abcabcabc".repeat(1000);
        let bytes = [pack(&first), pack(b""), pack(b"the end")].concat();
        for chunk in [1, 7, 16, 25, 100, bytes.len()] {
            assert_eq!(unpack_in(chunk, &bytes).unwrap(), [&first[..], b"the end"].concat(), "in chunks of {chunk}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let good = pack(b"some data, some data, some data");
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(unpack_in(64, &flipped).unwrap_err().message.contains("checksum"));
        assert!(unpack_in(64, &good[..good.len() - 1]).unwrap_err().message.contains("inside"));
        let mut method = good;
        method[CHECKSUM] = 0x90;
        assert!(unpack_in(64, &method).unwrap_err().message.contains("0x90"));
    }

    #[test]
    fn a_frame_states_at_most_the_greatest_size() {
        let head = |packed: usize, raw: usize| {
            let mut head = vec![0; CHECKSUM];
            head.push(LZ4);
            head.extend(u32::try_from(packed).unwrap().to_le_bytes());
            head.extend(u32::try_from(raw).unwrap().to_le_bytes());
            frame_size(&head).is_ok()
        };
        for (size, taken) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
            assert_eq!((head(size, 1), head(HEADER, size)), (taken, taken), "{size}");
        }
        assert!(!head(HEADER - 1, 1));
    }

    /// What the `clickhouse` crate packs is what is unpacked here.
    #[test]
    fn the_clients_frames_are_read() {
        let data = b"0123456789".repeat(100);
        let packed = clickhouse::_priv::lz4_compress(&data).unwrap();
        assert_eq!(unpack_in(50, &packed).unwrap(), data);
    }
}
