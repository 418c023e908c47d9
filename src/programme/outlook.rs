//! The outlook of providers on invoices, of what was decided and of the usage that is stored.

use std::collections::BTreeMap;

use crate::clickhouse::read::stored::first_before;
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::closing::outlook::Outlook;
use crate::core::closing::register::Register;
use crate::core::programme::promise::promised;
use crate::core::word::Instant;

/// Those of providers.
#[derive(Debug)]
pub struct Outlooks<'r> {
    register: &'r Register,
    usage: BTreeMap<String, Instant>,
}

impl<'r> Outlooks<'r> {
    /// Reads the first usage of those of these providers that have promised revenue: of others it is not asked for.
    ///
    /// # Errors
    /// The server's.
    pub async fn read(
        client: &Client,
        book: &Book,
        register: &'r Register,
        providers: &[String],
    ) -> Result<Self, Error> {
        let asked: Vec<String> = providers.iter().filter(|id| promised(book, id).is_some()).cloned().collect();
        // usage after what a provider begins with anyhow tells nothing
        let before = asked.iter().map(|id| register.begins(id, None).unwrap_or(Instant(i64::MAX))).max();
        let usage = match before {
            Some(before) => first_before(client, &asked, before.min(super::watch::now())).await?,
            None => BTreeMap::new(),
        };
        Ok(Self { register, usage })
    }

    /// That of one provider.
    #[must_use]
    pub fn of(&self, provider: &str) -> Outlook<'r> {
        Outlook::of(self.register, provider, self.usage.get(provider).copied())
    }
}
