//! What a request asks for: statement, database, settings and parameters, from the URL or from a form.

use super::exception::{BAD_ARGUMENTS, Exception};

/// Names that are no settings: what the interface itself understands, and what is taken and has no meaning here, because
/// the engine knows neither users nor sessions.
const IGNORED: [&str; 12] = [
    "buffer_size",
    "compress",
    "enable_http_compression",
    "http_write_exception_in_output_format",
    "password",
    "query_id",
    "quota_key",
    "role",
    "send_progress_in_http_headers",
    "stacktrace",
    "user",
    "wait_end_of_query",
];
/// Names that would change what is answered, and that are not offered.
const REFUSED: [&str; 3] = ["client_protocol_version", "session_id", "session_timeout"];

/// A request's URL, taken apart.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The statement, or its beginning.
    pub query: Option<String>,
    /// The current database of the statement.
    pub database: Option<String>,
    /// The format of the answer if the statement names none.
    pub default_format: Option<String>,
    /// Whether the body comes in compressed frames.
    pub decompress: bool,
    /// Settings of the statement.
    pub settings: Vec<(String, String)>,
    /// Values of the statement's `{name:Type}` places.
    pub parameters: Vec<(String, String)>,
}

impl Asked {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// When it is no UTF-8, or names what is not offered.
    pub fn from_url(query: &str) -> Result<Self, Exception> {
        let mut asked = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            asked.take(decode(name)?, decode(value)?)?;
        }
        Ok(asked)
    }

    /// Takes one named value, wherever it comes from.
    ///
    /// # Errors
    /// When the name is one that is not offered, or cannot be a setting's.
    pub fn take(&mut self, name: String, value: String) -> Result<(), Exception> {
        match name.as_str() {
            "query" => self.query = Some(value),
            "database" => self.database = Some(value).filter(|database| !database.is_empty()),
            "default_format" => self.default_format = Some(value).filter(|format| !format.is_empty()),
            "decompress" => self.decompress = value == "1" || value == "true",
            _ if name.starts_with("param_") => self.parameters.push((name["param_".len()..].to_owned(), value)),
            _ if IGNORED.contains(&name.as_str()) => {}
            _ if REFUSED.contains(&name.as_str()) && value != "0" => {
                return Err(Exception::new(
                    BAD_ARGUMENTS,
                    format_args!("{name} is not offered by the embedded engine, leave it out"),
                ));
            }
            _ if REFUSED.contains(&name.as_str()) => {}
            _ if is_setting(&name) => self.settings.push((name, value)),
            _ => return Err(Exception::new(BAD_ARGUMENTS, format_args!("{name:?} cannot be the name of a setting"))),
        }
        Ok(())
    }
}

fn is_setting(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn decode(text: &str) -> Result<String, Exception> {
    let bad = || Exception::new(BAD_ARGUMENTS, "the URL is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
                u8::try_from(high << 4 | low).map_err(|_| bad())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let asked = Asked::from_url(
            "database=plimsoll&query=INSERT+INTO+t%28a%29+FORMAT+Native&decompress=1&max_threads=2&param_x=%C3%B8&query_id=q",
        )
        .unwrap();
        assert_eq!(asked.query.as_deref(), Some("INSERT INTO t(a) FORMAT Native"));
        assert_eq!(asked.database.as_deref(), Some("plimsoll"));
        assert_eq!(asked.settings, [("max_threads".to_owned(), "2".to_owned())]);
        assert_eq!(asked.parameters, [("x".to_owned(), "ø".to_owned())]);
        assert!(asked.decompress);
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        assert!(Asked::from_url("session_id=a").is_err());
        assert!(Asked::from_url("client_protocol_version=54492").is_err());
        assert!(Asked::from_url("a%27b=1").is_err());
        assert!(Asked::from_url("x=%zz").is_err());
        assert_eq!(Asked::from_url("").unwrap(), Asked::default());
    }
}
