//! Where an array's API token is kept. It is read anew at each login, so a new token needs no restart.

use std::path::PathBuf;

use super::error::PollError;
use crate::config::Secret;

/// Where an array's API token is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// Nowhere: the endpoint asks for none.
    Absent,
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Environment(String),
}

impl TokenSource {
    /// The token now.
    ///
    /// # Errors
    /// If it is not where it should be. The text names the place and never what stands there.
    pub fn read(&self) -> Result<Option<Secret>, PollError> {
        let (text, place) = match self {
            TokenSource::Absent => return Ok(None),
            TokenSource::File(path) => (std::fs::read_to_string(path).ok(), format!("file {}", path.display())),
            TokenSource::Environment(name) => (std::env::var(name).ok(), format!("environment variable {name}")),
        };
        let token = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        let is_token = |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        match token.filter(is_token) {
            Some(token) => Ok(Some(Secret::new(token))),
            None => Err(PollError::Token(format!("{place} holds no API token: write it there, on one line"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_each_time_and_shown_never() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = TokenSource::File(path.clone());
        let refused = source.read().unwrap_err().to_string();
        assert!(refused.contains("holds no API token"), "{refused}");
        for (text, token) in [("s3cret-1\n", Some("s3cret-1")), ("s3cret-2", Some("s3cret-2")), ("s3cret 3\n", None)] {
            std::fs::write(&path, text).unwrap();
            let read = source.read();
            assert!(!format!("{read:?}").contains("s3cret"), "{read:?}");
            assert_eq!(read.ok().flatten().map(|token| token.reveal().to_owned()).as_deref(), token);
        }
    }
}
