//! A page of a list, as both REST APIs give it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_128;

use super::error::ReadError;

/// Some elements of a list, and where the rest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The elements.
    pub items: Vec<T>,
    /// What to ask for the next page with; none on the last.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Body<T> {
    items: Vec<T>,
    #[serde(default)]
    continuation_token: Option<String>,
    #[serde(default)]
    more_items_remaining: Option<bool>,
}

/// Reads a page. `what` names it in errors.
///
/// # Errors
/// If it is not of that form; a figure that is no whole number is such a fault too, it is never rounded.
pub fn parse<T: DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<Page<T>, ReadError> {
    let body: Body<T> =
        serde_json::from_slice(body).map_err(|error| ReadError::Malformed { what, text: error.to_string() })?;
    // a FlashBlade says only the token, a FlashArray may leave one behind on the last page
    let next = body.continuation_token.filter(|token| !token.is_empty() && body.more_items_remaining != Some(false));
    Ok(Page { items: body.items, next })
}

/// The tokens that one list has given so far, as hashes: of a token nobody knows how long it is.
#[derive(Debug, Default)]
pub struct Followed(BTreeSet<u128>);

impl Followed {
    /// What to ask for the page after this one with; none after the last.
    ///
    /// # Errors
    /// If the list does not get on: a token that it gave before leads around for ever, and a page with nothing on it and a token leads nowhere.
    pub fn next<T>(&mut self, what: &'static str, page: &mut Page<T>) -> Result<Option<String>, ReadError> {
        let Some(token) = page.next.take() else { return Ok(None) };
        let is_new = self.0.insert(xxh3_128(token.as_bytes()));
        if page.items.is_empty() || !is_new {
            return Err(ReadError::Endless { what });
        }
        Ok(Some(token))
    }
}
