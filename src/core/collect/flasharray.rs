//! FlashArray, REST API 2.x: `/arrays/space`, `/volumes/space`, `/volumes/tags`, `/volumes`.
//!
//! The array keeps a history of its space, and it is asked for the figures *of the scheduled instant*. So the same question has the same answer
//! a second later, from another collector, or after an outage.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::customers::Customers;
use super::error::ReadError;
use super::snapshot::{EFFECTIVE_USED, INSTALLED, PROVISIONED, Question, Resource, Snapshot};
use crate::core::word::{Instant, Kind};

/// The finest steps of the array's history, in milliseconds; the second is kept for long.
const STEPS_MS: [i64; 2] = [30_000, 300_000];

/// Space of the array or of a volume at one time.
#[derive(Clone, Debug, Deserialize)]
pub struct SpaceItem {
    id: String,
    #[serde(default)]
    name: Option<String>,
    /// Of arrays only.
    #[serde(default)]
    capacity: Option<u64>,
    space: Space,
    time: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Space {
    #[serde(default)]
    total_used: Option<u64>,
    #[serde(default)]
    total_provisioned: Option<u64>,
}

/// A tag of a volume.
#[derive(Clone, Debug, Deserialize)]
pub struct Tag {
    namespace: String,
    key: String,
    value: String,
    resource: Named,
}

/// A volume's place.
#[derive(Clone, Debug, Deserialize)]
pub struct Volume {
    id: String,
    #[serde(default)]
    pod: Option<Named>,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// All that was asked of an array.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// `/arrays/space` of the window.
    pub arrays: Vec<SpaceItem>,
    /// `/volumes/space` of the window.
    pub volumes: Vec<SpaceItem>,
    /// `/volumes/tags`, if tags name customers.
    pub tags: Vec<Tag>,
    /// `/volumes`, if pods do.
    pub places: Vec<Volume>,
}

/// A stretch of the array's history that holds one sample of each resource: everything after `after`, up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Exclusive.
    pub after: Instant,
    /// Inclusive: the scheduled instant.
    pub to: Instant,
    /// The step of the history.
    pub step_ms: i64,
}

impl Window {
    /// The window of a scheduled instant.
    #[must_use]
    pub fn of(instant: Instant, interval_ms: i64) -> Self {
        let [fine, kept] = STEPS_MS;
        let step_ms = if interval_ms % kept == 0 { kept } else { fine };
        Self { after: instant.plus_ms(-step_ms), to: instant, step_ms }
    }

    fn holds(&self, item: &SpaceItem) -> bool {
        let time = Instant(item.time);
        time > self.after && time <= self.to
    }
}

/// The readings that the answers hold.
///
/// # Errors
/// If they are of another array, or the array has no figures of the window.
pub fn snapshot(question: &Question<'_>, window: &Window, answers: &Answers) -> Result<Snapshot, ReadError> {
    let own = |item: &&SpaceItem| item.id == question.array;
    if let (Some(other), None) = (answers.arrays.first(), answers.arrays.iter().find(own)) {
        return Err(ReadError::WrongArray { found: other.id.clone() });
    }
    let newest = answers.arrays.iter().filter(own).filter(|item| window.holds(item)).max_by_key(|item| item.time);
    let array = newest.ok_or(ReadError::NoSample)?;
    let mut snapshot = Snapshot { name: array.name.clone(), ..Snapshot::default() };
    let resource = Resource { kind: Kind::Array, id: &array.id, name: array.name.as_deref(), customer: None };
    snapshot.take(question, &resource, INSTALLED, array.capacity);
    snapshot.take(question, &resource, EFFECTIVE_USED, array.space.total_used);

    let owners = owners(question.customers, answers);
    for volume in newest_of_each(window, &answers.volumes) {
        let name = volume.name.as_deref();
        let customer = owners.get(volume.id.as_str()).copied().or_else(|| question.customers.in_name(name));
        let resource = Resource { kind: Kind::Volume, id: &volume.id, name, customer };
        snapshot.take(question, &resource, EFFECTIVE_USED, volume.space.total_used);
        snapshot.take(question, &resource, PROVISIONED, volume.space.total_provisioned);
    }
    Ok(snapshot)
}

fn newest_of_each<'a>(window: &Window, items: &'a [SpaceItem]) -> impl Iterator<Item = &'a SpaceItem> {
    let mut newest: BTreeMap<&str, &SpaceItem> = BTreeMap::new();
    for item in items.iter().filter(|item| window.holds(item)) {
        let held = newest.entry(&item.id).or_insert(item);
        if item.time > held.time {
            *held = item;
        }
    }
    newest.into_values()
}

/// The customer of each volume that has one.
fn owners<'a>(customers: &Customers, answers: &'a Answers) -> BTreeMap<&'a str, &'a str> {
    match customers {
        Customers::Tag { namespace, key } => answers
            .tags
            .iter()
            .filter(|tag| tag.namespace == *namespace && tag.key == *key)
            .filter_map(|tag| Some((tag.resource.id.as_deref()?, tag.value.as_str())))
            .collect(),
        Customers::Pod => answers
            .places
            .iter()
            .filter_map(|volume| Some((volume.id.as_str(), volume.pod.as_ref()?.name.as_deref()?)))
            .collect(),
        Customers::Untagged | Customers::Prefix(_) => BTreeMap::new(),
    }
}
