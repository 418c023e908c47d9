//! The `plimsoll` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match plimsoll::cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("plimsoll: {error:#}");
            ExitCode::from(1)
        }
    }
}
