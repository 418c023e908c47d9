//! ClickHouse: is it there, which version, are the tables ours, is there room, may we ask as we ask?

use clickhouse::Row;
use serde::Deserialize;

use super::clock::{compare, now_ms};
use super::finding::{Finding, Level};
use crate::clickhouse::{Client, Error, check, migrate};
use crate::config::Config;

/// The oldest ClickHouse that our statements were written for: year and month.
const VERSION_LEAST: (u32, u32) = (25, 8);
/// A disk with less of it free, in percent, is a warning.
const FREE_PERCENT_LEAST: u64 = 10;

#[derive(Row, Deserialize)]
struct Server {
    version: String,
    now_ms: i64,
}

#[derive(Row, Deserialize)]
struct Disk {
    name: String,
    free: u64,
    total: u64,
}

/// The server, then its clock, tables and disks.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let client = Client::new(&config.clickhouse);
    let mut findings = Vec::new();
    if let Err(error) = look(&client, &mut findings).await {
        findings.push(Finding::error(Level::Wrong, "clickhouse", &error));
    }
    findings
}

async fn look(client: &Client, findings: &mut Vec<Finding>) -> Result<(), Error> {
    // asked without the database, which may not be there, and with the settings of each of our statements, which may not be allowed
    let outside = client.without_database();
    let sql = "SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now_ms";
    let before = now_ms();
    let server: Vec<Server> = outside.fetch_all(outside.select(sql)).await?;
    let after = now_ms();
    if let Some(Server { version, now_ms }) = server.into_iter().next() {
        findings.push(fitting(&version, &client.settings().url));
        findings.push(compare("clock of ClickHouse", now_ms, before, after));
    }
    findings.push(tables(client).await);
    let sql =
        "SELECT name, toUInt64(free_space) AS free, toUInt64(total_space) AS total FROM system.disks ORDER BY name";
    match outside.fetch_all::<Disk>(outside.select(sql)).await {
        Ok(disks) => findings.extend(disks.iter().map(room)),
        // a user that may not read system tables can do everything else
        Err(error) => findings.push(Finding::error(Level::Warning, "disks of ClickHouse", &error)),
    }
    Ok(())
}

fn fitting(version: &str, url: &str) -> Finding {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let version_of = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let found = format!("{version} at {url}");
    if version_of < VERSION_LEAST {
        let (year, month) = VERSION_LEAST;
        return Finding::at(Level::Wrong, "clickhouse", found, format!("use ClickHouse {year}.{month} or later"));
    }
    Finding::ok("clickhouse", found)
}

async fn tables(client: &Client) -> Finding {
    let about = "tables of ClickHouse";
    let plan = match migrate::plan(client).await {
        Ok(plan) => plan,
        Err(error) => return Finding::error(Level::Wrong, about, &error),
    };
    if !plan.missing.is_empty() {
        let found = format!("{} of {} migrations are missing", plan.missing.len(), migrate::MIGRATIONS.len());
        return Finding::at(Level::Wrong, about, found, "run `plimsoll migrate`");
    }
    match check::tables(client).await {
        Ok(()) => Finding::ok(about, format!("all {} migrations, every column as it must be", plan.applied.len())),
        Err(error) => Finding::error(Level::Wrong, about, &error),
    }
}

fn room(disk: &Disk) -> Finding {
    let about = format!("disk {} of ClickHouse", disk.name);
    let (free, total) = (disk.free >> 30, disk.total >> 30);
    let found = format!("{free} GiB free of {total} GiB");
    // an object store has no end that it would tell
    if disk.total == 0 || disk.total == u64::MAX || disk.free / (disk.total / 100).max(1) >= FREE_PERCENT_LEAST {
        return Finding::ok(about, found);
    }
    Finding::at(
        Level::Warning,
        about,
        found,
        "give it more room: a full disk stops folding, and loses nothing until Kafka's retention",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let level = |version| fitting(version, "http://h").level;
        assert_eq!([level("25.8.1.1"), level("25.10.2.65"), level("26.7.3.1")], [Level::Ok; 3]);
        assert_eq!([level("25.7.9.9"), level("24.12.1.1"), level("")], [Level::Wrong; 3]);
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_a_warning() {
        let level = |free, total| room(&Disk { name: "default".to_owned(), free, total }).level;
        assert_eq!([level(10 << 30, 100 << 30), level(0, 0), level(u64::MAX, u64::MAX)], [Level::Ok; 3]);
        assert_eq!([level(9 << 30, 100 << 30), level(0, 50)], [Level::Warning; 2]);
    }
}
