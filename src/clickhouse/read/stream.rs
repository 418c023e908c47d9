//! Which streams there are.

use crate::clickhouse::{Client, Error};
use crate::core::word::StreamId;

/// The stream that a name means: a stream id as it stands, or a topic, of which the newest generation is meant. None fits: the streams that
/// there are, by name.
///
/// # Errors
/// The server's.
pub async fn resolve(client: &Client, name: &str) -> Result<Result<StreamId, Vec<String>>, Error> {
    // The manifest is small; the ledger is asked only before a stream's first checkpoint.
    let mut known = Vec::new();
    for table in ["checkpoint", "usage_event"] {
        known = client
            .fetch_all::<String>(client.select(&format!("SELECT DISTINCT toString(stream) AS stream FROM {table}")))
            .await?;
        if let Some(stream) = newest(&known, name) {
            return Ok(Ok(StreamId(stream.to_owned())));
        }
    }
    known.sort_unstable();
    Ok(Err(known))
}

/// The streams that were opened for a provider alone, all generations of them.
///
/// # Errors
/// The server's.
pub async fn bound_to(client: &Client, provider: &str) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT JSONExtractString(body, 'rules', 'stream') AS stream FROM decision FINAL \
               WHERE kind = 'StreamOpened' AND provider = {provider:String}";
    client.fetch_all(client.select(sql).param("provider", provider)).await
}

fn newest<'a>(known: &'a [String], name: &str) -> Option<&'a str> {
    let generation = |stream: &str| stream.strip_prefix(name)?.strip_prefix('-')?.parse::<u32>().ok();
    let exact = known.iter().find(|stream| stream.as_str() == name);
    exact
        .or_else(|| known.iter().filter(|stream| generation(stream).is_some()).max_by_key(|stream| generation(stream)))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_means_its_newest_generation() {
        let known = ["usage-1", "usage-10", "usage-9", "usage-eu-3"].map(str::to_owned);
        assert_eq!(newest(&known, "usage"), Some("usage-10"));
        assert_eq!(newest(&known, "usage-1"), Some("usage-1"));
        assert_eq!(newest(&known, "usage-eu"), Some("usage-eu-3"));
        assert_eq!(newest(&known, "other"), None);
    }
}
