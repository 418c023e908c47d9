//! The `plimsoll` command.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match plimsoll::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // A wrong command line is refused like anything else that cannot be: nothing was done. Of a quote 2 says that the request
            // itself was refused, and 1 anything else. --help and --version are 0.
            let code = match told.use_stderr() {
                true if std::env::args_os().any(|word| word == "quote") => 1,
                true => 2,
                false => 0,
            };
            return told.print().map_or(ExitCode::from(1), |()| ExitCode::from(code));
        }
    };
    match cli.run() {
        Ok(code) => code,
        // whoever reads our output has seen enough, as `| head` does: that is no failure
        Err(error) if error.chain().any(is_broken_pipe) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "plimsoll: {}", plimsoll::cli::told(&error));
            ExitCode::from(if error.is::<plimsoll::cli::Refused>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}
