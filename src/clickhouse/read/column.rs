//! The columns of one block in ClickHouse's Native format, read one after the other: the counterpart of [`native`](crate::clickhouse::native).

/// Why columns cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The block goes on: so many bytes of it are needed at least.
    More(usize),
    /// It is not what was asked for.
    Wrong(String),
}

/// Texts of which few differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// Each distinct one once.
    pub texts: Vec<String>,
    /// The number of each row's.
    pub rows: Vec<u32>,
}

impl Dictionary {
    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        &self.texts[self.rows[row] as usize]
    }
}

/// Of a `LowCardinality` column: that its texts lie elsewhere. Nobody asks for that.
const ELSEWHERE: u64 = 1 << 8;

/// A block, and how far it has been read.
#[derive(Debug)]
pub struct Column<'b> {
    bytes: &'b [u8],
    at: usize,
    columns: usize,
    rows: usize,
}

impl<'b> Column<'b> {
    /// A block that begins with these bytes.
    #[must_use]
    pub fn of_block(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, columns: 0, rows: 0 }
    }

    /// Reads how many columns and rows there are.
    ///
    /// # Errors
    /// If there is not enough of it yet.
    pub fn begin(&mut self) -> Result<(), Lack> {
        self.columns = self.length()?;
        self.rows = self.length()?;
        Ok(())
    }

    /// How many bytes of it have been read.
    #[must_use]
    pub fn used(&self) -> usize {
        self.at
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A column of numbers of a fixed width.
    ///
    /// # Errors
    /// As all of these: bytes that lack, and another column.
    pub fn numbers<const N: usize>(&mut self, kind: &str) -> Result<&'b [[u8; N]], Lack> {
        self.head(kind)?;
        self.fixed(self.rows)
    }

    /// A column of numbers that may be absent: where they are, and the numbers.
    ///
    /// # Errors
    /// As above.
    pub fn maybe_numbers<const N: usize>(&mut self, kind: &str) -> Result<(&'b [u8], &'b [[u8; N]]), Lack> {
        self.head(&format!("Nullable({kind})"))?;
        Ok((self.take(self.rows)?, self.fixed(self.rows)?))
    }

    /// A column of texts of which few differ.
    ///
    /// # Errors
    /// As above.
    pub fn dictionary(&mut self) -> Result<Dictionary, Lack> {
        self.head("LowCardinality(String)")?;
        if self.rows == 0 {
            return Ok(Dictionary::default());
        }
        self.version()?;
        self.dictionary_rows(self.rows)
    }

    /// A column of arrays of numbers: where each row's end, and the numbers.
    ///
    /// # Errors
    /// As above.
    pub fn number_arrays<const N: usize>(&mut self, kind: &str) -> Result<(Vec<usize>, &'b [[u8; N]]), Lack> {
        self.head(&format!("Array({kind})"))?;
        let ends = self.ends()?;
        let numbers = self.fixed(ends.last().copied().unwrap_or(0))?;
        Ok((ends, numbers))
    }

    /// A column of arrays of texts of which few differ: where each row's end, and the texts.
    ///
    /// # Errors
    /// As above.
    pub fn dictionary_arrays(&mut self) -> Result<(Vec<usize>, Dictionary), Lack> {
        self.head("Array(LowCardinality(String))")?;
        if self.rows == 0 {
            return Ok((Vec::new(), Dictionary::default()));
        }
        self.version()?;
        let ends = self.ends()?;
        let texts = self.dictionary_rows(ends.last().copied().unwrap_or(0))?;
        Ok((ends, texts))
    }

    fn head(&mut self, kind: &str) -> Result<(), Lack> {
        let name = self.text()?;
        let found = self.text()?;
        self.columns =
            self.columns.checked_sub(1).ok_or_else(|| Lack::Wrong(format!("{name} is behind its last column")))?;
        match found == kind {
            true => Ok(()),
            false => Err(Lack::Wrong(format!("{name} is {found} and must be {kind}"))),
        }
    }

    fn version(&mut self) -> Result<(), Lack> {
        match self.word()? {
            1 => Ok(()),
            version => Err(Lack::Wrong(format!("a dictionary of the version {version}"))),
        }
    }

    fn ends(&mut self) -> Result<Vec<usize>, Lack> {
        let ends = self.fixed::<8>(self.rows)?;
        let ends: Option<Vec<usize>> = ends.iter().map(|end| usize::try_from(u64::from_le_bytes(*end)).ok()).collect();
        ends.filter(|ends| ends.is_sorted()).ok_or_else(|| Lack::Wrong("arrays that end before they begin".to_owned()))
    }

    fn dictionary_rows(&mut self, rows: usize) -> Result<Dictionary, Lack> {
        if rows == 0 {
            return Ok(Dictionary::default());
        }
        let flags = self.word()?;
        if flags & ELSEWHERE != 0 {
            return Err(Lack::Wrong("a dictionary without its texts".to_owned()));
        }
        let count = self.count()?;
        // each has a byte at least, so that no number makes this allocate more than there is
        let mut texts = Vec::with_capacity(count.min(self.bytes.len()));
        for _ in 0..count {
            texts.push(self.text()?.to_owned());
        }
        if self.count()? != rows {
            return Err(Lack::Wrong("a dictionary of other rows".to_owned()));
        }
        let rows: Vec<u32> = match flags & 0xff {
            0 => self.take(rows)?.iter().map(|row| u32::from(*row)).collect(),
            1 => self.fixed(rows)?.iter().map(|row| u32::from(u16::from_le_bytes(*row))).collect(),
            2 => self.fixed(rows)?.iter().map(|row| u32::from_le_bytes(*row)).collect(),
            width => return Err(Lack::Wrong(format!("a dictionary of the width {width}"))),
        };
        match rows.iter().all(|row| (*row as usize) < count) {
            true => Ok(Dictionary { texts, rows }),
            false => Err(Lack::Wrong("a number without a text".to_owned())),
        }
    }

    fn text(&mut self) -> Result<&'b str, Lack> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Lack::Wrong("a text that is not UTF-8".to_owned()))
    }

    /// A length in seven bits a byte.
    fn length(&mut self) -> Result<usize, Lack> {
        let mut value = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).map_err(|_| Lack::Wrong("a length without an end".to_owned()));
            }
        }
        Err(Lack::Wrong("a length without an end".to_owned()))
    }

    fn count(&mut self) -> Result<usize, Lack> {
        usize::try_from(self.word()?).map_err(|_| Lack::Wrong("a count that nothing has".to_owned()))
    }

    fn word(&mut self) -> Result<u64, Lack> {
        Ok(u64::from_le_bytes(self.fixed::<8>(1)?[0]))
    }

    fn fixed<const N: usize>(&mut self, count: usize) -> Result<&'b [[u8; N]], Lack> {
        let length = count.checked_mul(N).ok_or_else(|| Lack::Wrong("a count that nothing has".to_owned()))?;
        Ok(self.take(length)?.as_chunks::<N>().0)
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Lack> {
        let end = self.at.checked_add(length).ok_or_else(|| Lack::Wrong("a count that nothing has".to_owned()))?;
        let taken = self.bytes.get(self.at..end).ok_or(Lack::More(end))?;
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
