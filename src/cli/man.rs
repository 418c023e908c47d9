//! `plimsoll man`: manual pages of every command, from the same description as `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

/// `plimsoll man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  plimsoll man /usr/local/share/man/man1 && man plimsoll-run")]
pub struct Args {
    /// Where to write the pages; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let directory = &self.directory;
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let written = clap_mangen::generate_to(super::Cli::command(), directory);
        written.with_context(|| format!("cannot write the pages to {}", directory.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::Parser as _;

    /// Columns of a terminal in which no example is wrapped.
    const EXAMPLE_COLUMNS: usize = 100;

    /// Every command but `help`, by its words.
    fn commands(of: &clap::Command, words: &str, found: &mut Vec<(String, String)>) {
        for command in of.get_subcommands() {
            let words = format!("{words} {}", command.get_name());
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            commands(command, &words, found);
            found.push((words, after));
        }
    }

    /// Clap wraps notes to the terminal: a line that was broken before is broken twice.
    #[test]
    fn every_command_has_examples_and_its_notes_are_wrapped_once() {
        let mut all = Vec::new();
        commands(&Cli::command(), "plimsoll", &mut all);
        assert!(all.len() > 40, "{}", all.len());
        for (words, after) in all {
            assert!(after.contains("Examples:\n  "), "{words} has no examples");
            let examples = after.split("Examples:\n").nth(1).unwrap_or_default().split("\n\n").next();
            let lines: Vec<&str> = examples.unwrap_or_default().lines().collect();
            for line in &lines {
                assert!(line.chars().count() <= EXAMPLE_COLUMNS, "{words}: break it with a backslash: {line}");
            }
            // a line that is broken goes on below, further in: together they are one command
            for pair in lines.windows(2) {
                let is_rest = pair[1].starts_with("      ");
                assert_eq!(pair[0].ends_with(" \\"), is_rest, "{words}: {pair:?}");
            }
            assert!(!lines.last().is_some_and(|line| line.ends_with('\\')), "{words}");
            let paragraphs = after.split("\n\n").filter(|paragraph| !paragraph.starts_with("Examples:\n"));
            paragraphs.for_each(|paragraph| assert!(!paragraph.contains('\n'), "{words}: {paragraph}"));
        }
    }

    #[test]
    fn the_collectors_file_is_its_own_wherever_it_is_named() {
        let help = |words: &[&str]| Cli::try_parse_from(words).unwrap_err().to_string();
        let collect = help(&["plimsoll", "collect", "--help"]);
        assert!(collect.contains("The collector's own file") && !collect.contains("else ./plimsoll.toml"), "{collect}");
        assert!(help(&["plimsoll", "close", "--help"]).contains("else ./plimsoll.toml"));
        for words in [["--config", "c.toml", "collect", "flasharray"], ["collect", "flasharray", "--config", "c.toml"]]
        {
            let parsed = Cli::try_parse_from(["plimsoll"].iter().chain(&words)).unwrap();
            assert!(format!("{parsed:?}").matches("c.toml").count() >= 1, "{parsed:?}");
            let super::super::Command::Collect(arguments) = parsed.command else { panic!("collect") };
            assert!(format!("{arguments:?}").contains("c.toml"), "{arguments:?}");
        }
    }
}
