//! Standard output. `println!` panics when whoever reads it has seen enough, as `| head` and `| true` do; here that is an error like any other,
//! which goes up and ends the command quietly.

/// Prints a line, or says why it could not: `say!("{label} is open")?`.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($text)*)
    }};
}

pub(in crate::cli) use say;
