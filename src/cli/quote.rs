//! `plimsoll quote`: one request on standard input, one response on standard output.

use std::io::{self, BufRead, BufWriter, Read, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::core::quote::{self, Refusal};

/// The form of requests.
const SCHEMA: &str = include_str!("../../schemas/quote-request.schema.json");

/// What is read of a request: enough to see that it is too long.
const MOST_BYTES: u64 = quote::MAX_REQUEST_BYTES as u64 + 2;

/// The exit code of a refused request.
const REFUSED: u8 = 2;

/// Price one JSON request from standard input, without Kafka, ClickHouse or a clock
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code: 0 a quote, 2 a refusal with a JSON pointer to the culprit, 1 anything else.\n\nExamples:\n  plimsoll quote < request.json\n  plimsoll quote --batch < requests.jsonl\n  plimsoll quote --schema"
)]
pub struct Command {
    /// Print the JSON Schema of requests and exit
    #[arg(long, conflicts_with = "batch")]
    schema: bool,
    /// Price one request a line; a refused one leaves an error object in its place
    #[arg(long)]
    batch: bool,
}

/// What stands in the place of a refused request.
#[derive(Serialize)]
struct ErrorLine<'a> {
    error: ErrorForm<'a>,
}

#[derive(Serialize)]
struct ErrorForm<'a> {
    pointer: &'a str,
    message: &'a str,
}

impl Command {
    /// Quotes.
    ///
    /// # Errors
    /// Standard input or output fails. A refused request is no error: it is exit code 2.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let out = io::stdout().lock();
        if self.schema {
            writeln!(BufWriter::new(out), "{}", SCHEMA.trim_end())?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.batch {
            batch(io::stdin().lock(), BufWriter::new(out))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut request = Vec::new();
        io::stdin().lock().take(MOST_BYTES).read_to_end(&mut request)?;
        match price(&request) {
            Ok(response) => {
                let mut out = BufWriter::new(out);
                out.write_all(&response)?;
                out.flush()?;
                Ok(ExitCode::SUCCESS)
            }
            Err(refusal) => {
                eprintln!("plimsoll: {refusal}");
                Ok(ExitCode::from(REFUSED))
            }
        }
    }
}

/// A request's response as one line of JSON.
fn price(request: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = std::str::from_utf8(request).map_err(|error| Refusal::at("", format!("not UTF-8: {error}")))?;
    let response = quote::quote(text)?;
    let mut line = serde_json::to_vec(&response).map_err(|error| Refusal::at("", error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a line, but no more of it than what is refused as too long.
fn line(requests: &mut impl BufRead, request: &mut Vec<u8>) -> io::Result<usize> {
    let read = requests.by_ref().take(MOST_BYTES).read_until(b'\n', request)?;
    let mut is_whole = read == 0 || request.ends_with(b"\n");
    while !is_whole {
        let more = requests.fill_buf()?;
        let end = more.iter().position(|byte| *byte == b'\n');
        is_whole = end.is_some() || more.is_empty();
        let read = end.map_or(more.len(), |end| end + 1);
        requests.consume(read);
    }
    Ok(read)
}

fn batch(mut requests: impl BufRead, mut out: impl Write) -> anyhow::Result<()> {
    let mut request = Vec::new();
    while line(&mut requests, &mut request)? > 0 {
        if !request.trim_ascii().is_empty() {
            match price(request.strip_suffix(b"\n").unwrap_or(&request)) {
                Ok(response) => out.write_all(&response)?,
                Err(Refusal { pointer, message }) => {
                    let error = ErrorForm { pointer: &pointer, message: &message };
                    serde_json::to_writer(&mut out, &ErrorLine { error })?;
                    out.write_all(b"\n")?;
                }
            }
        }
        request.clear();
    }
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_priced_up_to_its_greatest_size_and_the_next_line_is_read_after_one_that_is_too_long() {
        let good = r#"{"schema":"plimsoll.quote/1","currency":"EUR","lines":[{"quantity":"2","price":"1.5"}]}"#;
        for (more, priced) in [(-1, true), (0, true), (1, false), (100_000, false)] {
            let size = quote::MAX_REQUEST_BYTES.checked_add_signed(more).unwrap();
            let lines = format!("{good}{}\n{good}\n", " ".repeat(size - good.len()));
            let mut out = Vec::new();
            batch(lines.as_bytes(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let answers: Vec<bool> = text.lines().map(|line| !line.starts_with("{\"error\"")).collect();
            assert_eq!(answers, [priced, true], "{size} bytes: {}", &text[..100]);
        }
    }

    #[test]
    fn a_refused_request_leaves_an_error_in_its_place() {
        let good = r#"{"schema":"plimsoll.quote/1","currency":"EUR","lines":[{"quantity":"2","price":"1.5"}]}"#;
        let bad = r#"{"schema":"plimsoll.quote/1","currency":"EUR","lines":[{"quantity":"2","prize":"1.5"}]}"#;
        let mut out = Vec::new();
        batch(format!("{good}\n{bad}\n\nnonsense\n{good}").as_bytes(), &mut out).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["total"], "3.00");
        assert_eq!(lines[1]["error"]["pointer"], "/lines/0/prize");
        assert_eq!(lines[2]["error"]["pointer"], "");
        assert_eq!(lines[0], lines[3]);
    }
}
