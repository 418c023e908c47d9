//! The `plimsoll` command.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match plimsoll::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Exit code 2 means "refused" here, so a wrong command line is 1 and not clap's 2; --help and --version are 0.
            let code = u8::from(told.use_stderr());
            return told.print().map_or(ExitCode::from(1), |()| ExitCode::from(code));
        }
    };
    match cli.run() {
        Ok(code) => code,
        // whoever reads our output has seen enough, as `| head` does: that is no failure
        Err(error) if error.chain().any(is_broken_pipe) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "plimsoll: {error:#}");
            ExitCode::from(if error.is::<plimsoll::cli::Refused>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}
