//! Making the tables: numbered migrations, each applied once.
//!
//! A migration's statements can all be run again (IF NOT EXISTS, IF EXISTS, OR REPLACE), and it is recorded after the last of them, so a crash or a second
//! `plimsoll migrate` at the same time does no harm. A file that was released is never edited: what is in it is in somebody's tables.

use clickhouse::Row;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Client, Error, ddl};

/// A file of `schemas/clickhouse/`.
#[derive(Debug)]
pub struct Migration {
    /// Its number; they are applied in this order.
    pub number: u32,
    /// Its name without number.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// All of them.
pub static MIGRATIONS: [Migration; 12] = [
    Migration { number: 1, name: "ledger", sql: include_str!("../../schemas/clickhouse/0001_ledger.sql") },
    Migration { number: 2, name: "bucket", sql: include_str!("../../schemas/clickhouse/0002_bucket.sql") },
    Migration { number: 3, name: "decision", sql: include_str!("../../schemas/clickhouse/0003_decision.sql") },
    Migration { number: 4, name: "audit", sql: include_str!("../../schemas/clickhouse/0004_audit.sql") },
    Migration { number: 5, name: "billing", sql: include_str!("../../schemas/clickhouse/0005_billing.sql") },
    Migration { number: 6, name: "allocation", sql: include_str!("../../schemas/clickhouse/0006_allocation.sql") },
    Migration {
        number: 8,
        name: "invoice_header",
        sql: include_str!("../../schemas/clickhouse/0008_invoice_header.sql"),
    },
    Migration {
        number: 9,
        name: "bucket_merges",
        sql: include_str!("../../schemas/clickhouse/0009_bucket_merges.sql"),
    },
    Migration { number: 10, name: "programme", sql: include_str!("../../schemas/clickhouse/0010_programme.sql") },
    Migration { number: 11, name: "proof", sql: include_str!("../../schemas/clickhouse/0011_proof.sql") },
    Migration { number: 12, name: "void", sql: include_str!("../../schemas/clickhouse/0012_void.sql") },
    Migration { number: 13, name: "open_revenue", sql: include_str!("../../schemas/clickhouse/0013_open_revenue.sql") },
];

/// What was applied when; itself made before the first migration.
const LOG: &str = "CREATE TABLE IF NOT EXISTS schema_migration
(
    number            UInt32,
    name              String,
    sha256            FixedString(64),
    applied_at        DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY number";

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its statements as this configuration runs them.
    #[must_use]
    pub fn statements(&self, client: &Client) -> Vec<String> {
        ddl::statements(self.sql).iter().map(|statement| adapted(statement, client)).collect()
    }
}

/// What `plimsoll migrate` does, or would do.
#[derive(Debug)]
pub struct Plan {
    /// Applied before.
    pub applied: Vec<&'static Migration>,
    /// Still to apply.
    pub missing: Vec<&'static Migration>,
}

#[derive(Row, Deserialize)]
struct Applied {
    number: u32,
    name: String,
    sha256: String,
}

#[derive(Row, Deserialize)]
struct Count {
    count: u64,
}

/// What has been applied and what has not, without changing anything.
///
/// # Errors
/// The server's, and a migration whose text is not the one that was applied.
pub async fn plan(client: &Client) -> Result<Plan, Error> {
    let applied = applied(client).await?;
    let (mut done, mut missing) = (Vec::new(), Vec::new());
    for migration in &MIGRATIONS {
        match applied.iter().find(|row| row.number == migration.number) {
            None => missing.push(migration),
            Some(row) if row.sha256 == migration.sha256() => done.push(migration),
            Some(row) => {
                let text = format!("migration {} ({}) was applied with another text", row.number, row.name);
                return Err(Error::refusal(
                    text,
                    "use the Plimsoll that applied it or a later one, or an empty database",
                ));
            }
        }
    }
    if let Some(row) = applied.iter().find(|row| MIGRATIONS.iter().all(|migration| migration.number != row.number)) {
        let text = format!("migration {} ({}) is not known here", row.number, row.name);
        return Err(Error::refusal(text, "the tables belong to a later Plimsoll: use that one"));
    }
    Ok(Plan { applied: done, missing })
}

/// Makes the database and applies what is missing; returns what was.
///
/// # Errors
/// The server's, and a cluster that has no form for us.
pub async fn apply(client: &Client) -> Result<Vec<&'static Migration>, Error> {
    check_cluster(client).await?;
    let settings = client.settings();
    let clause = settings.cluster.as_ref().map(|name| format!(" ON CLUSTER '{name}'")).unwrap_or_default();
    let make = format!("CREATE DATABASE IF NOT EXISTS {}{clause}", settings.database);
    client.without_database().execute(&make).await?;
    client.execute(&adapted(LOG, client)).await?;
    let missing = plan(client).await?.missing;
    for migration in &missing {
        for statement in migration.statements(client) {
            client.execute(&statement).await?;
        }
        record(client, migration).await?;
    }
    Ok(missing)
}

async fn record(client: &Client, migration: &Migration) -> Result<(), Error> {
    let sql = "INSERT INTO schema_migration SELECT {number:UInt32}, {name:String}, {sha256:String}, now64(3, 'UTC')";
    let query = client.raw().query_raw(sql);
    let query =
        query.param("number", migration.number).param("name", migration.name).param("sha256", migration.sha256());
    client.in_time(client.settings().insert_timeout, query.execute()).await
}

async fn applied(client: &Client) -> Result<Vec<Applied>, Error> {
    let server = client.without_database();
    let sql =
        "SELECT count() AS count FROM system.tables WHERE database = {database:String} AND name = 'schema_migration'";
    let exists = server.select(sql).param("database", &client.settings().database);
    if server.fetch_all::<Count>(exists).await?.iter().all(|row| row.count == 0) {
        return Ok(Vec::new());
    }
    let sql = "SELECT number, name, toString(sha256) AS sha256 FROM schema_migration FINAL ORDER BY number";
    client.fetch_all(client.select(sql)).await
}

/// A cluster is one shard of any number of replicas: statements go to one server, and it has to see all rows.
async fn check_cluster(client: &Client) -> Result<(), Error> {
    let Some(cluster) = &client.settings().cluster else { return Ok(()) };
    let server = client.without_database();
    let sql = "SELECT uniqExact(shard_num) AS count FROM system.clusters WHERE cluster = {cluster:String}";
    match server.fetch_all::<Count>(server.select(sql).param("cluster", cluster)).await?.first() {
        Some(Count { count: 1 }) => Ok(()),
        Some(Count { count: 0 }) | None => Err(Error::refusal(
            format!("it knows no cluster `{cluster}`"),
            "set clickhouse.cluster to one of system.clusters",
        )),
        Some(Count { count }) => {
            let text = format!("cluster `{cluster}` has {count} shards");
            Err(Error::refusal(
                text,
                "define a cluster of one shard with all its replicas, and name that in clickhouse.cluster",
            ))
        }
    }
}

fn adapted(statement: &str, client: &Client) -> String {
    match &client.settings().cluster {
        Some(cluster) => ddl::on_cluster(statement, cluster, &client.settings().database),
        None => statement.to_owned(),
    }
}
