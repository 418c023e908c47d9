//! `plimsoll man`: manual pages of every command, from the same description as `--help`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

/// Where the examples of a command begin in what its help ends with.
const EXAMPLES: &str = "Examples:\n";
/// What the renderer calls the section of what help ends with.
const EXTRA: &str = ".SH EXTRA\n";

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
        let mut all = super::Cli::command().disable_help_subcommand(true);
        all.build();
        write(&all, directory).with_context(|| format!("cannot write the pages to {}", directory.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The pages of a command and of all below it.
fn write(command: &Command, directory: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below, directory)?;
    }
    let name = Man::new(command.clone()).get_filename();
    std::fs::write(directory.join(name), page(command)?)
}

/// A command's page, its examples under their own name and what else its help ends with under NOTES.
fn page(command: &Command) -> io::Result<String> {
    let mut rendered = Vec::new();
    Man::new(command.clone()).render(&mut rendered)?;
    let rendered = String::from_utf8_lossy(&rendered).into_owned();
    let Some((head, rest)) = rendered.split_once(EXTRA) else { return Ok(rendered) };
    let (extra, tail) = rest.split_at(rest.find("\n.SH ").map_or(rest.len(), |end| end + 1));
    let (examples, notes): (Vec<&str>, Vec<&str>) =
        extra.trim_end().split("\n\n").partition(|part| part.starts_with(EXAMPLES));
    let examples: Vec<&str> = examples.iter().filter_map(|part| part.strip_prefix(EXAMPLES)).collect();
    let section = |name: &str, parts: &[&str]| match parts.is_empty() {
        true => String::new(),
        false => format!(".SH {name}\n{}\n", parts.join("\n\n")),
    };
    Ok(format!("{head}{}{}{tail}", section("NOTES", &notes), section("EXAMPLES", &examples)))
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
    fn a_page_calls_its_sections_by_what_they_hold() {
        let mut all = Cli::command();
        all.build();
        let shown = |words: &[&str]| {
            let command = words.iter().try_fold(&all, |of, word| of.find_subcommand(word)).unwrap();
            page(command).unwrap()
        };
        let export = shown(&["export"]);
        let (notes, examples) = export.split_once(".SH NOTES\n").unwrap().1.split_once(".SH EXAMPLES\n").unwrap();
        assert!(notes.starts_with("Every document that was issued"), "{notes}");
        assert!(examples.starts_with("  plimsoll export focus \\-\\-period"), "{examples}");
        let stream = shown(&["stream", "list"]);
        assert!(stream.contains(".SH EXAMPLES\n") && !stream.contains(".SH NOTES"), "{stream}");
        let apply = shown(&["catalog", "apply"]);
        assert!(!apply.contains("EXTRA") && !apply.contains("Examples:"), "{apply}");
        // whoever builds the pages is nobody's default
        assert!(apply.contains("[default: the user, by USER or LOGNAME, else unknown]"), "{apply}");
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
