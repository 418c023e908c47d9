//! The forms of a document (INVOICE §5): JSON, CSV, FOCUS, a page to print. What a path names goes before its first form.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::error::ApiError;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::render::{csv, focus, html};

/// How a document is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is stored.
    Json,
    /// One line a row.
    Csv,
    /// FOCUS 1.3.
    Focus,
    /// A page to print.
    Html,
}

/// What stands behind a name; the longer ones first.
const ENDINGS: [(&str, Form); 4] =
    [(".focus.csv", Form::Focus), (".json", Form::Json), (".csv", Form::Csv), (".html", Form::Html)];

impl Form {
    /// A name without the form that it ends with; none if it ends with none.
    #[must_use]
    pub fn split(name: &str) -> Option<(&str, Self)> {
        ENDINGS.iter().find_map(|(ending, form)| Some((name.strip_suffix(ending)?, *form)))
    }

    fn ending(self) -> &'static str {
        ENDINGS.iter().find(|(_, form)| *form == self).map_or("", |(ending, _)| ending)
    }

    fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Csv | Form::Focus => "text/csv; charset=utf-8; header=present",
            Form::Html => "text/html; charset=utf-8",
        }
    }

    /// A document in this form. `name` is what a file of it is called.
    ///
    /// # Errors
    /// A document that does not add up.
    pub fn answer(self, document: &Document, detail: Option<&Detail>, name: &str) -> Result<Response, ApiError> {
        let wrong = |error: &dyn std::fmt::Display| ApiError::Internal(format!("document {name}: {error}"));
        let text = match self {
            Form::Json => serde_json::to_string(document).map_err(|error| wrong(&error))?,
            Form::Csv => csv::file(document),
            Form::Focus => focus::file(document).map_err(|error| wrong(&error))?,
            Form::Html => html::page(document, detail),
        };
        Ok(self.of_text(text, name))
    }

    /// A text that has this form already.
    #[must_use]
    pub fn of_text(self, text: String, name: &str) -> Response {
        let mut response = text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        if matches!(self, Form::Csv | Form::Focus) {
            // ids of contracts may hold anything
            let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let value = format!("attachment; filename=\"{name}{}\"", self.ending());
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
        }
        if self == Form::Html {
            let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_by_its_ending() {
        for (name, expected) in [
            ("EG-1.json", Some(("EG-1", Form::Json))),
            ("EG-1.csv", Some(("EG-1", Form::Csv))),
            ("EG-1.focus.csv", Some(("EG-1", Form::Focus))),
            ("EG-1.html", Some(("EG-1", Form::Html))),
            ("a.csv.json", Some(("a.csv", Form::Json))),
            ("EG-1", None),
            ("EG-1.pdf", None),
            ("EG-1.CSV", None),
            (".csv", Some(("", Form::Csv))),
        ] {
            assert_eq!(Form::split(name), expected, "{name}");
        }
    }
}
