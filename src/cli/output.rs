//! What commands say. Standard output: `println!` panics when whoever reads it has seen enough, as `| head` and `| true` do; here that is an error like any other,
//! which goes up and ends the command quietly.

use std::fmt::{Arguments, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Prints a line: `say(format_args!("{label} is open"))?`.
///
/// # Errors
/// Whoever reads it has gone.
pub(in crate::cli) fn say(line: Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Says why a question or a decision is refused: exit code 2, nothing is written.
pub(in crate::cli) fn refused(why: impl Display) -> anyhow::Result<ExitCode> {
    eprintln!("plimsoll: {why}");
    Ok(ExitCode::from(2))
}
