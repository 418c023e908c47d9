//! Who decides, where `--actor` does not say it: the name that a decision's record keeps.

use std::env;

/// The operating system's user, as the environment names it: USER, else LOGNAME. A service has neither, and is `unknown`.
pub(super) fn default_actor() -> String {
    named(|variable| env::var(variable).ok())
}

/// A variable that says nothing counts as not set.
fn named(value: impl Fn(&str) -> Option<String>) -> String {
    let said = |variable| value(variable).filter(|name| !name.trim().is_empty());
    said("USER").or_else(|| said("LOGNAME")).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_logged_in_decides() {
        let of = |set: &[(&str, &str)]| {
            named(|asked| set.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("USER", "eva"), ("LOGNAME", "root")]), "eva");
        assert_eq!(of(&[("LOGNAME", "eva")]), "eva");
        assert_eq!(of(&[("USER", ""), ("LOGNAME", "eva")]), "eva");
        assert_eq!(of(&[("USER", " ")]), "unknown");
        assert_eq!(of(&[]), "unknown");
    }
}
