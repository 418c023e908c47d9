//! Standard output. `println!` panics when whoever reads it has seen enough, as `| head` and `| true` do; here that is an error like any other,
//! which goes up and ends the command quietly.

use std::fmt::Arguments;
use std::io::{self, Write as _};

/// Prints a line: `say(format_args!("{label} is open"))?`.
///
/// # Errors
/// Whoever reads it has gone.
pub(in crate::cli) fn say(line: Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
