//! Which sample of an exposition is which meter of which resource.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ReadError;
use super::exposition::{Sample, whole};
use super::snapshot::{Resource, Snapshot, Taken};
use crate::core::word::Kind;

/// One rule: samples of this metric, with these labels, are readings of this meter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The metric's name.
    pub metric: String,
    /// Labels that a sample must have, with these values.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What is measured.
    pub kind: Kind,
    /// The label that names the resource; none for the array itself.
    #[serde(default)]
    pub resource: Option<String>,
    /// The label that is the resource's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The label that is the customer's tag.
    #[serde(default)]
    pub customer: Option<String>,
    /// The meter.
    pub meter: String,
    /// Whether the array's tier is written on it.
    #[serde(default = "yes")]
    pub tiered: bool,
}

fn yes() -> bool {
    true
}

/// The sample that says whose exposition it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The metric's name.
    pub metric: String,
    /// The label that is the array's id.
    pub id: String,
    /// The label that is its name.
    pub name: String,
}

/// The readings that an exposition holds.
///
/// # Errors
/// If it is another array's, a rule's value is no whole number, or no rule finds anything.
pub fn snapshot(
    array: &str,
    tier: Option<&str>,
    identity: Option<&Identity>,
    rules: &[Rule],
    samples: &[Sample<'_>],
) -> Result<Snapshot, ReadError> {
    let who = identity.and_then(|identity| samples.iter().find(|sample| sample.name == identity.metric));
    let found = who.zip(identity).and_then(|(sample, identity)| sample.label(&identity.id));
    if let Some(found) = found.filter(|found| *found != array) {
        return Err(ReadError::WrongArray { found: found.to_owned() });
    }
    let name = who.zip(identity).and_then(|(sample, identity)| sample.label(&identity.name));
    let mut snapshot = Snapshot { name: name.map(str::to_owned), ..Snapshot::default() };
    for sample in samples {
        for rule in rules.iter().filter(|rule| rule.fits(sample)) {
            let label = |label: &Option<String>| label.as_deref().and_then(|label| sample.label(label));
            let id = match &rule.resource {
                None => array,
                // a sample that does not name its resource belongs to none
                Some(resource) => match sample.label(resource) {
                    Some(id) => id,
                    None => {
                        snapshot.left_out += 1;
                        continue;
                    }
                },
            };
            let own_name = if rule.resource.is_none() { name } else { None };
            let (name, customer) = (label(&rule.name).or(own_name), label(&rule.customer));
            let resource = Resource { kind: rule.kind, id, name, customer };
            snapshot.readings.push(rule.reading(&resource, tier, sample)?);
        }
    }
    match snapshot.readings.is_empty() {
        true => Err(ReadError::NoSample),
        false => Ok(snapshot),
    }
}

impl Rule {
    fn fits(&self, sample: &Sample<'_>) -> bool {
        sample.name == self.metric && self.labels.iter().all(|(name, value)| sample.label(name) == Some(value.as_str()))
    }

    fn reading(&self, of: &Resource<'_>, tier: Option<&str>, sample: &Sample<'_>) -> Result<Taken, ReadError> {
        let value = whole(sample.value).ok_or_else(|| ReadError::Malformed {
            what: "the exposition",
            text: format!("{} of {} is {}, which is no whole number", sample.name, of.id, sample.value),
        })?;
        Ok(Taken {
            kind: of.kind,
            resource: of.id.to_owned(),
            meter: self.meter.clone(),
            name: of.name.map(str::to_owned),
            customer: of.customer.map(str::to_owned),
            tier: tier.filter(|_| self.tiered).map(str::to_owned),
            value,
        })
    }
}
