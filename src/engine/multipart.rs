//! `multipart/form-data`, in which clients send a statement with its parameters.

use super::exception::{BAD_ARGUMENTS, Exception};

/// The boundary that a content type names, if it is multipart.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"'))
}

/// The fields, by name, in their order.
///
/// # Errors
/// When the body is not what its boundary says, or a field has no name or is no UTF-8.
pub fn fields(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, Exception> {
    let bad = |text: &str| Exception::new(BAD_ARGUMENTS, format_args!("multipart body: {text}"));
    let opening = format!("--{boundary}");
    let marker = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(opening.as_bytes()).ok_or_else(|| bad("it does not start with its boundary"))?;
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n").ok_or_else(|| bad("a boundary is not followed by a line end"))?;
        let head = find(part, b"\r\n\r\n").ok_or_else(|| bad("a field has no end of its headers"))?;
        let value = &part[head + 4..];
        let end = find(value, marker.as_bytes()).ok_or_else(|| bad("a field has no closing boundary"))?;
        let name =
            std::str::from_utf8(&part[..head]).ok().and_then(field_name).ok_or_else(|| bad("a field has no name"))?;
        let text = std::str::from_utf8(&value[..end]).map_err(|_| bad("a field is not UTF-8"))?;
        fields.push((name.to_owned(), text.to_owned()));
        rest = &value[end + marker.len()..];
    }
    Ok(fields)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn field_name(headers: &str) -> Option<&str> {
    let line = headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let rest = &line[line.find("name=\"")? + "name=\"".len()..];
    rest.split_once('"').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_line_ends_and_dashes() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT {x:String}\r\n-- note\r\n--b\r\n\
                    Content-Disposition: form-data; name=\"param_x\"\r\n\r\nSveinung ø\r\n--b--\r\n";
        let fields = fields(body.as_bytes(), "b").unwrap();
        assert_eq!(fields[0], ("query".to_owned(), "SELECT {x:String}\r\n-- note".to_owned()));
        assert_eq!(fields[1], ("param_x".to_owned(), "Sveinung ø".to_owned()));
    }

    #[test]
    fn the_boundary_is_read_from_the_header() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(boundary("Multipart/Form-Data; charset=x; boundary=\"a b\""), Some("a b"));
        assert_eq!(boundary("text/plain"), None);
    }

    #[test]
    fn a_cut_body_is_an_error() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1";
        assert!(fields(body, "b").unwrap_err().message.contains("closing boundary"));
    }
}
