//! A stream's chunks, made one document: the engine repeats the header of `RowBinaryWithNamesAndTypes` in each of them.

use super::exception::Exception;

/// Cuts the header from every chunk but the first.
#[derive(Debug)]
pub struct Joint {
    repeats: bool,
    header: Option<Vec<u8>>,
}

impl Joint {
    /// For rows in this format.
    #[must_use]
    pub fn of(format: &str) -> Self {
        Self { repeats: format.eq_ignore_ascii_case("RowBinaryWithNamesAndTypes"), header: None }
    }

    /// The part of the next chunk that belongs into the document.
    ///
    /// # Errors
    /// When a chunk does not start with the same header as the first.
    pub fn cut<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], Exception> {
        if !self.repeats {
            return Ok(chunk);
        }
        let broken = || Exception::internal("a chunk of rows does not start with the header of the first");
        match &self.header {
            Some(header) => chunk.strip_prefix(&header[..]).ok_or_else(broken),
            None => {
                let size = header_size(chunk).ok_or_else(broken)?;
                self.header = Some(chunk[..size].to_vec());
                Ok(chunk)
            }
        }
    }
}

/// The number of columns, then their names, then their types, all with LEB128 lengths.
fn header_size(chunk: &[u8]) -> Option<usize> {
    let mut at = 0;
    let columns = length(chunk, &mut at)?;
    for _ in 0..columns.checked_mul(2)? {
        let size = length(chunk, &mut at)?;
        at = at.checked_add(size).filter(|end| *end <= chunk.len())?;
    }
    Some(at)
}

fn length(chunk: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *chunk.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_kept_once() {
        let first = b"\x01\x01a\x05UInt8\x07";
        let mut joint = Joint::of("RowBinaryWithNamesAndTypes");
        assert_eq!(joint.cut(first).unwrap(), first);
        assert_eq!(joint.cut(b"\x01\x01a\x05UInt8\x08\x09").unwrap(), b"\x08\x09");
        assert!(joint.cut(b"\x01\x01b\x05UInt8\x08").is_err());
        assert_eq!(Joint::of("RowBinary").cut(b"\x01").unwrap(), b"\x01");
    }

    #[test]
    fn a_cut_header_is_an_error() {
        assert!(Joint::of("RowBinaryWithNamesAndTypes").cut(b"\x01\x01a\x05UInt").is_err());
        assert!(Joint::of("RowBinaryWithNamesAndTypes").cut(b"").is_err());
    }
}
