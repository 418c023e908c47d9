//! A record of usage on its way to the log.

use std::borrow::Cow;
use std::sync::Arc;

use crate::core::event::RawRecord;

/// How a record carries its CloudEvent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The value is the whole event.
    #[default]
    Structured,
    /// The value is `data`, the attributes are headers.
    Binary,
}

/// A header's name and value.
pub type Header = (&'static str, Cow<'static, [u8]>);

/// What a collector would send: one poll of one array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// The array's id.
    pub key: Arc<str>,
    /// The headers, the content type among them.
    pub headers: Vec<Header>,
    /// The value.
    pub value: Vec<u8>,
}

impl UsageRecord {
    /// Looks at it as the decoder would.
    pub fn with_raw<T>(&self, look: impl FnOnce(&RawRecord<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        look(&RawRecord { key: Some(self.key.as_bytes()), headers: &headers, value: &self.value })
    }

    /// Bytes of key and value.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.key.len() + self.value.len()) as u64
    }
}
