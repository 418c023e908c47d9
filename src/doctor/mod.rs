//! `plimsoll doctor`: looks at everything that Plimsoll stands on, changes nothing, and says the mend of whatever is not as it must be.

mod clock;
mod database;
mod finding;
mod log;
mod machine;

pub use finding::{Finding, Level};

use crate::config::Config;

/// What is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Make a topic, send one record to it and delete it, to see the broker's clock.
    pub broker_clock: bool,
}

/// Looks at everything. What hangs on something that does not answer is passed over.
pub async fn examine(config: &Config, look: Look) -> Vec<Finding> {
    let mut findings = machine::examine(config);
    findings.extend(log::examine(config).await);
    if look.broker_clock {
        findings.push(clock::of_broker(&config.kafka).await);
    }
    findings.extend(database::examine(config).await);
    findings
}

/// Whether something is wrong, or could not be found out.
#[must_use]
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| matches!(finding.level, Level::Ok | Level::Warning))
}
