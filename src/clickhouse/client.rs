//! The one client: who asks, what a statement may use, and when no answer counts as one.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use clickhouse::query::Query;
use clickhouse::{Compression as Wire, RowOwned, RowRead, RowWrite};
use tokio::time::timeout;

use super::Error;
use crate::config;

/// How much longer than the server we wait for a query: it should be the one that ends it, since its answer says why.
const GRACE: Duration = Duration::from_secs(5);

/// A client of one database. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: clickhouse::Client,
    settings: config::ClickHouse,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Client {
    /// A client as the configuration says. Connects when the first statement is sent.
    #[must_use]
    pub fn new(settings: &config::ClickHouse) -> Self {
        let wire = match settings.compression {
            config::Compression::None => Wire::None,
            config::Compression::Lz4 => Wire::Lz4,
        };
        let mut inner = clickhouse::Client::default()
            .with_url(&settings.url)
            .with_database(&settings.database)
            .with_user(&settings.user)
            .with_compression(wire)
            .with_product_info("plimsoll", env!("CARGO_PKG_VERSION"));
        if let Some(password) = &settings.password {
            inner = inner.with_password(password.reveal());
        }
        Self { inner, settings: settings.clone() }
    }

    /// The crate's client, for inserts: it carries user, database and compression, and no settings of a statement.
    #[must_use]
    pub fn raw(&self) -> &clickhouse::Client {
        &self.inner
    }

    /// What the configuration says.
    #[must_use]
    pub fn settings(&self) -> &config::ClickHouse {
        &self.settings
    }

    /// A SELECT with every setting that it depends on. Parameters are `{name:Type}` and bound with `.param`, never written into the text.
    pub fn select(&self, sql: &str) -> Query {
        self.inner
            .query_raw(sql)
            // The partition of every table is a function of its sorting key, so FINAL need not look across partitions.
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            .with_setting("max_threads", self.settings.query_max_threads.to_string())
            .with_setting("max_memory_usage", self.settings.query_max_memory_bytes.to_string())
            .with_setting("max_execution_time", self.settings.query_timeout.as_secs().to_string())
    }

    /// Runs a SELECT and returns all its rows: for answers that are bounded by the statement.
    ///
    /// # Errors
    /// What the server or the network says, and no answer in time.
    pub async fn fetch_all<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>, Error> {
        self.in_time(self.settings.query_timeout + GRACE, query.fetch_all()).await
    }

    /// Runs a SELECT that has one row or none.
    ///
    /// # Errors
    /// What the server or the network says, and no answer in time.
    pub async fn fetch_optional<T: RowOwned + RowRead>(&self, query: Query) -> Result<Option<T>, Error> {
        self.in_time(self.settings.query_timeout + GRACE, query.fetch_optional()).await
    }

    /// Runs a statement that changes something and returns nothing. On a cluster it waits for all replicas.
    ///
    /// # Errors
    /// What the server or the network says, and no answer in time.
    pub async fn execute(&self, sql: &str) -> Result<(), Error> {
        self.in_time(self.settings.insert_timeout, self.inner.query_raw(sql).execute()).await
    }

    /// Writes rows and waits until the server says that they are durable. Nothing that ClickHouse would do on its own to spare or merge
    /// inserts: exactness comes from keys (DESIGN §2).
    ///
    /// # Errors
    /// What the server or the network says, and no answer in time.
    pub async fn insert_rows<T: RowOwned + RowWrite>(&self, table: &str, rows: &[T]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let write = async {
            let insert = self.raw().insert::<T>(table).await?;
            let mut insert = insert.with_setting("insert_deduplicate", "0").with_setting("async_insert", "0");
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        };
        self.in_time(self.settings().insert_timeout, write).await
    }

    /// The same client outside of any database, to make one.
    #[must_use]
    pub fn without_database(&self) -> Self {
        let settings = config::ClickHouse { database: "default".to_owned(), ..self.settings.clone() };
        Self::new(&settings)
    }

    /// Any call with an end: a connection that hangs is a retryable error, not a hang of ours.
    ///
    /// # Errors
    /// What the call says, and no answer in time.
    pub async fn in_time<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Error> {
        match timeout(limit, call).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Error::timed_out(limit.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    #[tokio::test]
    async fn a_call_without_an_answer_ends_at_its_limit_and_may_be_tried_again() {
        let client = Client::new(&Config::from_parts(Source::Defaults, "", []).unwrap().clickhouse);
        let limit = Duration::from_millis(50);
        let started = std::time::Instant::now();
        let error = client.in_time::<()>(limit, std::future::pending()).await.unwrap_err();
        assert!(error.is_retryable() && started.elapsed() >= limit, "{error}");
        client.in_time(limit, async { Ok(()) }).await.unwrap();
    }
}
