//! Kafka: is it there, which version, and do the topics keep what the promises rest on?

use super::finding::{Finding, Level};
use crate::config::Config;
use crate::core::ledger::rules::StreamRules;
use crate::fold::error::SeamError;
use crate::kafka::broker::Brokers;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::{Purpose, RetentionLimits, Topics};

/// A usage topic that keeps records for less is a warning: it is how long an outage may last.
const RETENTION_LEAST_MS: i64 = 3 * 86_400_000;

/// Brokers, then the control topic, then the topics of the streams that are open.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = look(config, &mut findings).await {
        findings.push(Finding::error(Level::Wrong, "kafka", &error));
    }
    findings
}

async fn look(config: &Config, findings: &mut Vec<Finding>) -> Result<(), SeamError> {
    let brokers = Brokers::new(&config.kafka)?;
    let ids = tokio::task::block_in_place(|| brokers.ids()).map_err(|error| {
        let at = &config.kafka.bootstrap_servers;
        SeamError::retryable(format!(
            "nobody answers at {at} ({error}); check kafka.bootstrap_servers and security_protocol, and that the broker runs"
        ))
    })?;
    let brokers_at = if ids.len() == 1 { "broker" } else { "brokers" };
    findings.push(Finding::ok("kafka", format!("{} {brokers_at} at {}", ids.len(), config.kafka.bootstrap_servers)));
    if let Some(broker) = ids.first() {
        findings.push(version(brokers.protocol(*broker).await));
    }
    let topics = Topics::new(&config.kafka)?;
    let control = &config.kafka.control_topic;
    if tokio::task::block_in_place(|| topics.partitions(control))?.is_none() {
        let mend = "open a stream, which makes it: `plimsoll stream open usage --provider P --partitions N`";
        findings.push(Finding::at(Level::Warning, format!("topic {control}"), "is not there yet", mend));
        return Ok(());
    }
    let before = findings.len();
    topic(&topics, control, 1, Purpose::Control, findings).await?;
    if findings[before..].iter().any(|finding| finding.level == Level::Wrong) {
        return Ok(());
    }
    for rules in streams(config)? {
        topic(&topics, &rules.topic, rules.partitions, Purpose::Usage, findings).await?;
    }
    Ok(())
}

/// The streams that are open.
fn streams(config: &Config) -> Result<Vec<std::sync::Arc<StreamRules>>, SeamError> {
    let control = ControlFollower::start(&config.kafka)?;
    let read = tokio::task::block_in_place(|| control.read_to_end());
    let streams = control.streams();
    control.stop();
    read.map(|_| streams)
}

fn version(protocol: Result<Option<String>, SeamError>) -> Finding {
    let about = "version of Kafka";
    match protocol {
        Ok(None) => Finding::ok(about, "4.0 or later"),
        Ok(Some(protocol)) => {
            let mend = "Plimsoll is tested with 4.1; earlier ones were not tried";
            Finding::at(Level::Warning, about, format!("speaks {protocol}"), mend)
        }
        Err(error) => Finding::error(Level::Warning, about, &error),
    }
}

/// One topic: there, with its partitions, each setting as it must be.
async fn topic(
    topics: &Topics,
    name: &str,
    partitions: u32,
    purpose: Purpose,
    findings: &mut Vec<Finding>,
) -> Result<(), SeamError> {
    let about = format!("topic {name}");
    let count = tokio::task::block_in_place(|| topics.partitions(name))?;
    if count != Some(partitions) {
        // the refusal that a worker would give, with its mend
        let refusal = match topics.check(name, partitions, purpose).await {
            Err(SeamError::Retryable(_)) => Finding::at(
                Level::Wrong,
                about,
                "is not there",
                "has it been deleted? `plimsoll stream reopen` goes on with a new one; docs/OPERATIONS.md, \"the log is lost\"",
            ),
            Err(error) => Finding::error(Level::Wrong, about, &error),
            Ok(()) => Finding::ok(about, format!("{partitions} partitions")),
        };
        findings.push(refusal);
        return Ok(());
    }
    let wrong = topics.wrong_settings(name, purpose).await?;
    if wrong.is_empty() {
        findings.push(Finding::ok(&about, format!("{partitions} partitions, LogAppendTime, not compacted")));
    }
    for text in &wrong {
        let (found, mend) = text.split_once("; ").unwrap_or((text, ""));
        findings.push(Finding::at(Level::Wrong, &about, found, mend));
    }
    if purpose == Purpose::Usage {
        findings.push(retention(&about, name, topics.retention(name).await?));
    }
    Ok(())
}

fn retention(about: &str, name: &str, limits: RetentionLimits) -> Finding {
    let set = |setting: &str| {
        format!("kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {setting}")
    };
    match limits {
        RetentionLimits { bytes: Some(bytes), .. } => {
            let found =
                format!("keeps at most {bytes} bytes a partition: how long an outage may last depends on the load");
            Finding::at(Level::Warning, about, found, set("retention.bytes=-1"))
        }
        RetentionLimits { ms: Some(ms), .. } if ms < RETENTION_LEAST_MS => {
            let found = format!("keeps records for {:.1} h, and no outage may last longer", ms as f64 / 3_600_000.0);
            Finding::at(Level::Warning, about, found, set("retention.ms=2592000000"))
        }
        RetentionLimits { ms: Some(ms), .. } => {
            Finding::ok(about, format!("keeps records for {} days", ms / 86_400_000))
        }
        RetentionLimits { ms: None, .. } => Finding::ok(about, "keeps records for ever"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_that_an_outage_could_outlast_is_a_warning() {
        let level = |ms, bytes| retention("t", "t", RetentionLimits { ms, bytes }).level;
        assert_eq!(level(Some(RETENTION_LEAST_MS), None), Level::Ok);
        assert_eq!(level(None, None), Level::Ok);
        assert_eq!(level(Some(RETENTION_LEAST_MS - 1), None), Level::Warning);
        assert_eq!(level(None, Some(1 << 30)), Level::Warning);
    }

    #[test]
    fn a_broker_before_4_says_its_protocol() {
        assert_eq!(version(Ok(None)).level, Level::Ok);
        assert_eq!(version(Ok(Some("3.6-IV2".to_owned()))).found, "speaks 3.6-IV2");
    }
}
