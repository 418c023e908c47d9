//! How an event lies in the spool's files: length, checksum, array, instant, event. A frame that was cut short by a crash can be told from
//! one that was damaged later.

use xxhash_rust::xxh3::xxh3_64;

use crate::core::event::{MAX_EVENT_BYTES, MAX_ID_BYTES};
use crate::core::word::Instant;

/// Greatest frame without its head.
pub const FRAME_MAX_BYTES: usize = MAX_EVENT_BYTES + MAX_ID_BYTES + 10;
/// Length, its complement, checksum.
const HEAD: usize = 16;

/// What begins at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event.
    Whole {
        /// The array's id.
        array: &'a str,
        /// The scheduled instant.
        instant: Instant,
        /// The event.
        event: &'a [u8],
        /// Bytes of the frame with its head.
        length: usize,
    },
    /// Nothing: the end.
    End,
    /// The beginning of a frame that was never written to its end.
    Torn,
    /// Something that was whole and is not any more.
    Damaged,
}

/// The frame of an event; none if it is greater than a frame may be.
#[must_use]
pub fn encode(array: &str, instant: Instant, event: &[u8]) -> Option<Vec<u8>> {
    let name = u16::try_from(array.len()).ok()?;
    let length = 10 + array.len() + event.len();
    if length > FRAME_MAX_BYTES {
        return None;
    }
    let mut body = Vec::with_capacity(HEAD + length);
    let count = u32::try_from(length).ok()?;
    body.extend(count.to_le_bytes());
    body.extend((!count).to_le_bytes());
    body.extend([0; 8]);
    body.extend(instant.0.to_le_bytes());
    body.extend(name.to_le_bytes());
    body.extend(array.as_bytes());
    body.extend(event);
    let sum = xxh3_64(&body[HEAD..]).to_le_bytes();
    body[8..HEAD].copy_from_slice(&sum);
    Some(body)
}

/// Looks at the frame that `bytes` begin with. They reach to the end of the file, or hold at least one of the greatest frames.
#[must_use]
pub fn read(bytes: &[u8]) -> Frame<'_> {
    if bytes.is_empty() {
        return Frame::End;
    }
    let Some((length, sum)) = head(bytes) else {
        // a file system may have lengthened the file and not have written into it
        let is_unwritten = bytes.len() < HEAD || bytes.iter().all(|byte| *byte == 0);
        return if is_unwritten { Frame::Torn } else { Frame::Damaged };
    };
    let Some(body) = bytes.get(HEAD..HEAD + length) else { return Frame::Torn };
    if xxh3_64(body) != sum {
        return if bytes.len() == HEAD + length { Frame::Torn } else { Frame::Damaged };
    }
    whole(body).map_or(Frame::Damaged, |(array, instant, event)| Frame::Whole {
        array,
        instant,
        event,
        length: HEAD + length,
    })
}

/// Length and checksum, if the head is one.
fn head(bytes: &[u8]) -> Option<(usize, u64)> {
    let count = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    let complement = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let sum = u64::from_le_bytes(bytes.get(8..HEAD)?.try_into().ok()?);
    let length = usize::try_from(count).ok()?;
    (complement == !count && (10..=FRAME_MAX_BYTES).contains(&length)).then_some((length, sum))
}

fn whole(body: &[u8]) -> Option<(&str, Instant, &[u8])> {
    let instant = Instant(i64::from_le_bytes(body.get(..8)?.try_into().ok()?));
    let name = usize::from(u16::from_le_bytes(body.get(8..10)?.try_into().ok()?));
    let array = std::str::from_utf8(body.get(10..10 + name)?).ok()?;
    Some((array, instant, body.get(10 + name..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(event: &[u8]) -> Vec<u8> {
        encode("fa-1", Instant(-5), event).unwrap()
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let bytes = [frame(b"one"), frame(b"")].concat();
        let Frame::Whole { array, instant, event, length } = read(&bytes) else { panic!() };
        assert_eq!((array, instant, event), ("fa-1", Instant(-5), &b"one"[..]));
        let Frame::Whole { event, length: second, .. } = read(&bytes[length..]) else { panic!() };
        assert_eq!((event, length + second), (&b""[..], bytes.len()));
        assert_eq!(read(&bytes[bytes.len()..]), Frame::End);
    }

    #[test]
    fn whatever_a_crash_leaves_of_the_last_frame_is_torn() {
        let bytes = frame(b"some event");
        for cut in 1..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Frame::Torn, "{cut}");
            let unwritten = [&bytes[..cut.max(HEAD)], &vec![0; bytes.len() - cut.max(HEAD)]].concat();
            if unwritten != bytes {
                assert_eq!(read(&unwritten), Frame::Torn, "{cut} and zeroes");
            }
        }
        assert_eq!(read(&[0; 4096]), Frame::Torn);
    }

    #[test]
    fn a_bit_that_turns_before_the_last_frame_is_damage() {
        let bytes = [frame(b"one"), frame(b"two")].concat();
        for place in 0..frame(b"one").len() {
            let mut turned = bytes.clone();
            turned[place] ^= 1;
            assert_eq!(read(&turned), Frame::Damaged, "{place}");
        }
    }

    #[test]
    fn a_frame_holds_the_greatest_event_and_no_more() {
        let array = "a".repeat(MAX_ID_BYTES);
        let event = vec![b' '; MAX_EVENT_BYTES + 1];
        let bytes = encode(&array, Instant(0), &event[1..]).unwrap();
        assert!(matches!(read(&bytes), Frame::Whole { length, .. } if length == bytes.len()));
        assert_eq!(encode(&array, Instant(0), &event), None);
    }
}
