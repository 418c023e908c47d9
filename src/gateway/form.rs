//! The forms of CloudEvents over HTTP: binary (the attributes are headers), structured, and batch.

use super::error::Refusal;
use crate::core::event::RawRecord;
use crate::core::event::batch;

/// What a CloudEvent's content type begins with.
const CLOUDEVENTS: &str = "application/cloudevents";
/// What the record's content type says of an event that is its whole value.
const STRUCTURED: &str = "application/cloudevents+json";
/// What is not read, and what is.
const MEND: &str =
    "send application/cloudevents+json, application/cloudevents-batch+json, or ce-* headers with application/json";

/// A header of a record.
pub type Header = (String, Vec<u8>);

/// How a request carries its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The body is an event.
    Structured,
    /// The body is a list of events.
    Batch,
    /// The body is an event's data; these are the headers of its record.
    Binary(Vec<Header>),
}

impl Form {
    /// The form that a request's headers say. No header but the attributes and the content type goes any further, so none can name a
    /// decision.
    ///
    /// # Errors
    /// A content type that is not read, and attributes that cannot be.
    pub fn of<'h>(headers: impl Iterator<Item = (&'h str, &'h [u8])>) -> Result<Self, Refusal> {
        let (mut attributes, mut content_type) = (Vec::<Header>::new(), None);
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-type") {
                content_type = Some(value);
            } else if let Some(attribute) = name.get(..3).filter(|start| start.eq_ignore_ascii_case("ce-")) {
                let name = format!("ce_{}", name[attribute.len()..].to_ascii_lowercase());
                if attributes.iter().any(|(known, _)| *known == name) {
                    return Err(Refusal::Attribute(format!("the header ce-{} stands twice", &name[3..])));
                }
                attributes.push((name, text(value)?));
            }
        }
        let content_type = content_type.unwrap_or_default();
        match media(content_type).as_str() {
            STRUCTURED | CLOUDEVENTS => Ok(Form::Structured),
            "application/cloudevents-batch+json" | "application/cloudevents-batch" => Ok(Form::Batch),
            media if media.starts_with(CLOUDEVENTS) => {
                Err(Refusal::Form(format!("{} is not read: {MEND}", shown(media))))
            }
            _ if !attributes.is_empty() => {
                attributes.push(("content-type".to_owned(), content_type.to_vec()));
                Ok(Form::Binary(attributes))
            }
            // as the decoder takes a record that says nothing: the plainest of producers works
            "application/json" => Ok(Form::Structured),
            media => Err(Refusal::Form(format!("the content type {:?} is not read: {MEND}", shown(media)))),
        }
    }

    /// The events of a body, as the values of their records.
    ///
    /// # Errors
    /// What is no batch, or too long a one.
    pub fn events<'b>(&self, body: &'b [u8], most: usize) -> Result<Vec<&'b [u8]>, Refusal> {
        match self {
            Form::Structured | Form::Binary(_) => Ok(vec![body]),
            Form::Batch => Ok(batch::events(body, most)?),
        }
    }

    /// The headers of each record.
    #[must_use]
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        match self {
            Form::Structured | Form::Batch => vec![("content-type", STRUCTURED.as_bytes())],
            Form::Binary(headers) => headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect(),
        }
    }
}

/// The record that an event becomes, as the fold will see it but for its key.
#[must_use]
pub fn record<'a>(headers: &'a [(&'a str, &'a [u8])], value: &'a [u8]) -> RawRecord<'a> {
    RawRecord { key: None, headers, value }
}

fn media(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn shown(media: &str) -> String {
    media.chars().take(60).collect()
}

/// An attribute as the HTTP binding of CloudEvents writes it: perhaps in quotes, then percent-encoded UTF-8.
fn text(value: &[u8]) -> Result<Vec<u8>, Refusal> {
    let wrong =
        |why: &str| Refusal::Attribute(format!("a ce-* header is {why}: percent-encode it, as CloudEvents says"));
    let unquoted = match value {
        [b'"', inner @ .., b'"'] => {
            let mut plain = Vec::with_capacity(inner.len());
            let mut bytes = inner.iter();
            while let Some(&byte) = bytes.next() {
                plain.push(if byte == b'\\' {
                    *bytes.next().ok_or_else(|| wrong("quoted and ends in \\"))?
                } else {
                    byte
                });
            }
            plain
        }
        plain => plain.to_vec(),
    };
    let mut decoded = Vec::with_capacity(unquoted.len());
    let mut rest = unquoted.as_slice();
    while let [byte, after @ ..] = rest {
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or_else(|| wrong("not percent-encoded"))?;
                decoded.push((high * 16 + low) as u8);
                rest = after;
            }
            (b'%', _) => return Err(wrong("not percent-encoded")),
            (byte, after) => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    match std::str::from_utf8(&decoded) {
        Ok(_) => Ok(decoded),
        Err(_) => Err(wrong("not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(headers: &[(&str, &str)]) -> Result<Form, Refusal> {
        Form::of(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn the_content_type_says_the_form() {
        for (content_type, expected) in [
            ("application/cloudevents+json", Form::Structured),
            ("Application/CloudEvents+JSON; charset=utf-8", Form::Structured),
            ("application/json", Form::Structured),
            ("application/cloudevents-batch+json", Form::Batch),
        ] {
            assert_eq!(form(&[("content-type", content_type)]).unwrap(), expected, "{content_type}");
        }
        for content_type in
            ["", "text/plain", "application/cloudevents+avro", "application/cloudevents-batch+xml", "\u{fffd}"]
        {
            let refusal = form(&[("Content-Type", content_type)]).unwrap_err().to_string();
            assert!(refusal.contains("send application/cloudevents+json"), "{refusal}");
        }
    }

    #[test]
    fn attributes_become_headers_of_the_record_and_nothing_else_does() {
        let headers = [
            ("host", "x"),
            ("CE-Id", "a%20b%C3%A9"),
            ("ce-source", "\"q \\\"x\\\"\""),
            ("plimsoll-decision", "1:2"),
            ("content-type", "application/json"),
        ];
        let Form::Binary(found) = form(&headers).unwrap() else { panic!("binary") };
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
        assert_eq!(found, [("ce_id", "a bé"), ("ce_source", "q \"x\""), ("content-type", "application/json")]);
        for wrong in ["%", "%4", "%zz", "%ff", "\"\\\""] {
            assert!(matches!(form(&[("ce-id", wrong)]), Err(Refusal::Attribute(_))), "{wrong}");
        }
        assert!(form(&[("ce-id", "a"), ("Ce-Id", "b")]).is_err());
    }
}
