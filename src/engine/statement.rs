//! What a statement is to the engine: rows to stream, a whole answer, or data to take.

use super::exception::{Exception, SYNTAX_ERROR};
use super::word::{Word, words};

/// Formats of which a stream's chunks can be put one after the other, here or after [`super::rows`] has cut repeated
/// headers. Any other format is answered whole.
const STREAMED: [&str; 8] =
    ["RowBinary", "RowBinaryWithNamesAndTypes", "Native", "JSONEachRow", "NDJSON", "TabSeparated", "TSV", "CSV"];
/// What a ClickHouse server answers with when nobody names a format.
const DEFAULT_OUTPUT: &str = "TabSeparated";
/// What it reads when an INSERT names none.
const DEFAULT_INPUT: &str = "Values";

/// How a statement has to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows that can be sent as they come.
    Stream,
    /// A statement that is run as one; its answer, if any, is sent whole.
    Whole,
    /// An INSERT that takes data; what stands in the text behind the FORMAT clause begins at this byte of it.
    Insert {
        /// Where inline data starts in the text as given.
        data: usize,
    },
}

/// A statement, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What the engine is given: for [`Kind::Insert`] without FORMAT clause and data.
    pub sql: String,
    /// How to run it.
    pub kind: Kind,
    /// The format of the answer, or of the data.
    pub format: String,
    /// Whether it only reads.
    pub reads: bool,
}

impl Statement {
    /// Takes a statement apart.
    ///
    /// # Errors
    /// When it is empty, or more than one.
    pub fn parse(sql: &str, default_format: Option<&str>) -> Result<Self, Exception> {
        let mut all = words(sql);
        let Some(first) = all.next() else {
            // `(SELECT 1)` has no bare word at all, and is the one such statement there is.
            if sql.trim_start().starts_with('(') {
                return Ok(Self::read(sql, default_format, true));
            }
            return Err(Exception::new(SYNTAX_ERROR, "Syntax error: empty query. (SYNTAX_ERROR)"));
        };
        if first.is("INSERT")
            && let Some(insert) = Self::insert(sql, default_format)
        {
            return Ok(insert);
        }
        refuse_second(sql)?;
        let bracket = sql.trim_start().starts_with('(');
        let rows = bracket || ["SELECT", "WITH", "FROM"].iter().any(|keyword| first.is(keyword));
        let rows = rows && !words(sql).any(|word| word.is("INSERT") || word.is("OUTFILE"));
        let reads =
            rows || ["SHOW", "DESC", "DESCRIBE", "EXPLAIN", "EXISTS", "CHECK"].iter().any(|keyword| first.is(keyword));
        Ok(Self { reads, ..Self::read(sql, default_format, rows) })
    }

    fn read(sql: &str, default_format: Option<&str>, rows: bool) -> Self {
        let format = output_format(sql).or(default_format).unwrap_or(DEFAULT_OUTPUT).to_owned();
        let streamed = STREAMED.iter().any(|known| known.eq_ignore_ascii_case(&format));
        let kind = if rows && streamed { Kind::Stream } else { Kind::Whole };
        Self { sql: sql.to_owned(), kind, format, reads: true }
    }

    /// An INSERT that takes data; none if it selects its rows or reads a file.
    fn insert(sql: &str, default_format: Option<&str>) -> Option<Self> {
        let all: Vec<Word<'_>> = words(sql).collect();
        for (index, word) in all.iter().enumerate() {
            if is_table_name(sql, index.checked_sub(1).map(|before| all[before]), *word) {
                continue;
            }
            if word.is("SELECT") || word.is("WITH") || word.is("WATCH") || word.is("INFILE") {
                return None;
            }
            if word.is("VALUES") {
                return Some(Self::taking(&sql[..word.start], "Values", word.end));
            }
            if word.is("FORMAT")
                && let Some(format) = all.get(index + 1)
            {
                let data = format.end + sql[format.end..].len() - sql[format.end..].trim_start().len();
                return Some(Self::taking(&sql[..word.start], format.text, data));
            }
        }
        // A FORMAT clause may only be missing when the data comes apart from the statement.
        let end = all.iter().find(|word| word.text == ";").map_or(sql.len(), |word| word.start);
        Some(Self::taking(&sql[..end], default_format.unwrap_or(DEFAULT_INPUT), sql.len()))
    }

    fn taking(sql: &str, format: &str, data: usize) -> Self {
        Self { sql: sql.trim_end().to_owned(), kind: Kind::Insert { data }, format: format.to_owned(), reads: false }
    }
}

/// Whether the word is the table's name, which may be spelled like a keyword. A quoted name is no bare word, so something
/// other than space lies between INTO and the next word then.
fn is_table_name(sql: &str, before: Option<Word<'_>>, word: Word<'_>) -> bool {
    let follows =
        |before: Word<'_>| (before.is("INTO") || before.is("TABLE")) && sql[before.end..word.start].trim().is_empty();
    before.is_some_and(follows) && !word.is("TABLE") && !word.is("FUNCTION")
}

/// A server takes one statement a request, the engine's call would take several.
fn refuse_second(sql: &str) -> Result<(), Exception> {
    let mut rest = words(sql).skip_while(|word| word.text != ";").skip(1);
    match rest.next() {
        Some(word) => Err(Exception::new(
            SYNTAX_ERROR,
            format_args!(
                "Syntax error (Multi-statements are not allowed): failed at position {}. (SYNTAX_ERROR)",
                word.start + 1
            ),
        )),
        None => Ok(()),
    }
}

/// The format that a FORMAT clause at the end names.
fn output_format(sql: &str) -> Option<&str> {
    let all: Vec<Word<'_>> = words(sql).collect();
    all.windows(2).enumerate().rev().find_map(|(index, pair)| {
        let last = all.get(index + 2).is_none_or(|next| next.is("SETTINGS") || next.text == ";");
        (pair[0].is("FORMAT") && last && pair[1].text != ";").then_some(pair[1].text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> Statement {
        Statement::parse(sql, None).unwrap()
    }

    fn insert(sql: &str) -> (String, String, String) {
        let statement = parse(sql);
        let Kind::Insert { data } = statement.kind else { panic!("{sql} takes no data") };
        (statement.sql, statement.format, sql[data..].to_owned())
    }

    #[test]
    fn the_format_clause_is_cut_off_an_insert() {
        let parts = |sql: &str, format: &str, data: &str| (sql.to_owned(), format.to_owned(), data.to_owned());
        assert_eq!(
            insert("INSERT INTO a.t(x, `format`) FORMAT RowBinary"),
            parts("INSERT INTO a.t(x, `format`)", "RowBinary", "")
        );
        assert_eq!(
            insert("insert into t settings async_insert=0 format JSONEachRow\n{\"x\": 1}"),
            parts("insert into t settings async_insert=0", "JSONEachRow", "{\"x\": 1}")
        );
        assert_eq!(insert("INSERT INTO format VALUES (1), (2)"), parts("INSERT INTO format", "Values", " (1), (2)"));
        assert_eq!(
            insert("INSERT INTO TABLE FUNCTION f('x') FORMAT CSV"),
            parts("INSERT INTO TABLE FUNCTION f('x')", "CSV", "")
        );
        assert_eq!(
            insert("INSERT INTO `wide`(`id`,`values`) FORMAT RowBinaryWithNamesAndTypes"),
            parts("INSERT INTO `wide`(`id`,`values`)", "RowBinaryWithNamesAndTypes", "")
        );
        assert_eq!(insert("INSERT INTO t"), parts("INSERT INTO t", "Values", ""));
    }

    #[test]
    fn an_insert_that_selects_is_run_whole() {
        assert_eq!(parse("INSERT INTO t SELECT 1").kind, Kind::Whole);
        assert_eq!(parse("WITH 1 AS x INSERT INTO t SELECT x").kind, Kind::Whole);
        assert!(!parse("INSERT INTO t SELECT 1").reads);
    }

    #[test]
    fn rows_are_streamed_in_formats_that_allow_it() {
        let statement = parse("SELECT 'FORMAT JSON' FORMAT RowBinary SETTINGS max_threads = 1");
        assert_eq!((statement.kind, statement.format.as_str()), (Kind::Stream, "RowBinary"));
        assert_eq!(parse("SELECT 1 FORMAT JSON").kind, Kind::Whole);
        assert_eq!(parse("SELECT 1 AS format").format, "TabSeparated");
        assert_eq!(Statement::parse("(SELECT 1)", Some("Native")).unwrap().kind, Kind::Stream);
        assert_eq!(parse("DESCRIBE TABLE t").kind, Kind::Whole);
        assert!(parse("DESCRIBE TABLE t").reads);
        assert!(!parse("CREATE TABLE t (x Int8) ENGINE = Memory").reads);
    }

    #[test]
    fn one_statement_a_request() {
        assert!(Statement::parse("SELECT 1; SELECT 2", None).is_err());
        assert!(Statement::parse("SELECT 1;  -- done", None).is_ok());
        assert!(Statement::parse("  ", None).is_err());
    }
}
