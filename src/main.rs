//! The `plimsoll` command.

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
        Err(error) => {
            eprintln!("plimsoll: {error:#}");
            ExitCode::from(1)
        }
    }
}
