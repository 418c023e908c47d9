//! What is said of an error that ends a command.

/// The error and what caused it, each once: many errors have their cause in their own words.
#[must_use]
pub fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Context as _;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::Error::from(Config::load(Some(Path::new("/nowhere/plimsoll.toml"))).unwrap_err());
        let text = told(&error);
        assert_eq!(text.matches("No such file").count(), 1, "{text}");
        assert!(text.starts_with("configuration named by --config or PLIMSOLL_CONFIG: cannot read /nowhere"), "{text}");
        let nested = std::fs::read("/nowhere").context("cannot read the list").context("nothing is done").unwrap_err();
        assert!(told(&nested).starts_with("nothing is done: cannot read the list: No such file"), "{}", told(&nested));
    }
}
