//! A directory of *.toml files as one book, and its faults as a compiler would show them.

use std::io::{IsTerminal, Read as _};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use anyhow::{Context, bail};

use crate::core::book::{self, Book, Diagnostic};

/// Most bytes of a book: it has to fit into one decision.
const MAX_BOOK_BYTES: u64 = 8 << 20;

/// The book of a directory; none if it is refused, which is said on standard error.
pub(in crate::cli) fn read(directory: &Path) -> anyhow::Result<Option<Book>> {
    let Some(files) = files(directory)? else { return Ok(None) };
    match book::parse(&files) {
        Ok(book) => Ok(Some(book)),
        Err(found) => {
            let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            eprint!("{}", render(&files, &found, if coloured { Renderer::styled() } else { Renderer::plain() }));
            let faults = if found.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", found.len()) };
            eprintln!("plimsoll: the price book is refused: {faults}");
            Ok(None)
        }
    }
}

/// Names and texts of the directory's *.toml; none if one is refused, which is said.
fn files(directory: &Path) -> anyhow::Result<Option<Vec<(String, String)>>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut bytes = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let cannot = || format!("cannot read {}", path.display());
        let mut content = Vec::new();
        let file = std::fs::File::open(&path).with_context(cannot)?;
        file.take(MAX_BOOK_BYTES + 1 - bytes).read_to_end(&mut content).with_context(cannot)?;
        bytes += content.len() as u64;
        if bytes > MAX_BOOK_BYTES {
            bail!("the book has more than {MAX_BOOK_BYTES} bytes: it has to fit into one record");
        }
        match String::from_utf8(content) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
                eprintln!("plimsoll: {}:{line}: this is no UTF-8; save the file as UTF-8", path.display());
                return Ok(None);
            }
        }
    }
    files.sort();
    Ok(Some(files))
}

/// All faults, one below the other, each with the text that is meant and what to write instead.
fn render(files: &[(String, String)], found: &[Diagnostic], renderer: Renderer) -> String {
    let one = |fault: &Diagnostic| {
        let report = Level::ERROR.primary_title(&*fault.message);
        let report = match files.iter().find(|(name, _)| *name == fault.file) {
            Some((name, text)) => {
                let meant = AnnotationKind::Primary.span(fault.span.clone());
                report.element(Snippet::source(text.as_str()).path(name.as_str()).annotation(meant))
            }
            None => report.element(Origin::path("the price book")),
        };
        format!("{}\n\n", renderer.render(&[report.element(Level::HELP.message(&*fault.mend))]))
    };
    found.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_book_is_read_up_to_its_greatest_size() {
        let directory = tempfile::TempDir::new().unwrap();
        for (more, taken) in [(-1, true), (0, true), (1, false)] {
            let half = MAX_BOOK_BYTES / 2;
            let rest = half.checked_add_signed(more).unwrap();
            for (name, bytes) in [("a.toml", half), ("b.toml", rest)] {
                std::fs::write(directory.path().join(name), " ".repeat(bytes as usize)).unwrap();
            }
            assert_eq!(files(directory.path()).is_ok(), taken, "{more}");
        }
    }

    #[test]
    fn every_fault_is_shown_with_file_line_column_caret_and_help() {
        let text = "format = 1\n\n[meter.used]\nkind = \"gauge\"\nbase = \"bytes\"\nmax_hold_minuts = 120\n\n\
                    [card.retail]\ncurrency = \"EUR\"\nrate = [{ id = \"block\", meter = \"used\", of = \"volume\", \
                    tier = \"//Block - Premium\", unit = \"TiB-month\", statistic = \"mean\", price = 24.00 }]\n";
        let files = vec![("retail.toml".to_owned(), text.to_owned())];
        let found = book::parse(&files).unwrap_err();
        insta::assert_snapshot!(render(&files, &found, Renderer::plain()));
        let coloured = render(&files, &found, Renderer::styled());
        assert!(coloured.contains("\u{1b}["));
        let none = book::parse(&[]).unwrap_err();
        assert!(render(&[], &none, Renderer::plain()).contains("put at least one *.toml"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever a clerk's finger slips do to a book: it is read or refused, and every fault can be shown.
        #[test]
        fn no_slip_breaks_the_reader(
            slips in prop::collection::vec((any::<prop::sample::Index>(), 0usize..20, "[\"={}\\[\\],.%#\na0é€-]{0,3}"), 1..4)
        ) {
            let mut text = include_str!("../../../examples/pricebook/northwind.toml").to_owned();
            for (at, cut, put) in &slips {
                let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
                let first = at.index(places.len());
                let end = places.get(first + cut).copied().unwrap_or(text.len());
                text.replace_range(places[first]..end, put);
            }
            let files = vec![("northwind.toml".to_owned(), text)];
            if let Err(found) = book::parse(&files) {
                let shown = render(&files, &found, Renderer::plain());
                prop_assert!(found.iter().all(|fault| !fault.mend.is_empty() && shown.contains(&*fault.mend)), "{shown}");
            }
        }
    }
}
