//! FlashBlade, REST API 2.x: `/arrays/space` by type, `/file-systems`, `/buckets`.
//!
//! It is asked for what it says now. File systems and buckets have no history there, so what was missed stays missed.

use serde::Deserialize;

use super::error::ReadError;
use super::snapshot::{EFFECTIVE_USED, FILE_USED, INSTALLED, OBJECT_USED, PROVISIONED, Question, Resource, Snapshot};
use crate::core::word::Kind;

/// Space of the array, or of what of it is of one type.
#[derive(Clone, Debug, Deserialize)]
pub struct SpaceItem {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    capacity: Option<u64>,
    space: Space,
}

/// A file system.
#[derive(Clone, Debug, Deserialize)]
pub struct FileSystem {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    provisioned: Option<u64>,
    space: Space,
}

/// A bucket of its object store.
#[derive(Clone, Debug, Deserialize)]
pub struct Bucket {
    id: String,
    #[serde(default)]
    name: Option<String>,
    space: Space,
}

#[derive(Clone, Debug, Deserialize)]
struct Space {
    #[serde(default)]
    total_used: Option<u64>,
    #[serde(default)]
    total_physical: Option<u64>,
}

impl Space {
    /// `total_used` is the newer name of the same.
    fn used(&self) -> Option<u64> {
        self.total_used.or(self.total_physical)
    }
}

/// All that was asked of a FlashBlade.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// `/arrays/space?type=array`.
    pub arrays: Vec<SpaceItem>,
    /// `?type=file-system`, if its meter is wanted.
    pub files: Vec<SpaceItem>,
    /// `?type=object-store`, if its meter is wanted.
    pub objects: Vec<SpaceItem>,
    /// `/file-systems`.
    pub file_systems: Vec<FileSystem>,
    /// `/buckets`.
    pub buckets: Vec<Bucket>,
}

/// The readings that the answers hold.
///
/// # Errors
/// If they are of another array, or of none.
pub fn snapshot(question: &Question<'_>, answers: &Answers) -> Result<Snapshot, ReadError> {
    let array = own(question, &answers.arrays)?.ok_or(ReadError::NoSample)?;
    let mut snapshot = Snapshot { name: array.name.clone(), ..Snapshot::default() };
    let resource = Resource { kind: Kind::Array, id: &array.id, name: array.name.as_deref(), customer: None };
    snapshot.take(question, &resource, INSTALLED, array.capacity);
    snapshot.take(question, &resource, EFFECTIVE_USED, array.space.used());
    for (meter, items) in [(FILE_USED, &answers.files), (OBJECT_USED, &answers.objects)] {
        let used = own(question, items)?.and_then(|item| item.space.used());
        snapshot.take(question, &resource, meter, used);
    }
    for system in &answers.file_systems {
        let name = system.name.as_deref();
        let customer = question.customers.in_name(name);
        let resource = Resource { kind: Kind::FileSystem, id: &system.id, name, customer };
        snapshot.take(question, &resource, EFFECTIVE_USED, system.space.used());
        snapshot.take(question, &resource, PROVISIONED, system.provisioned);
    }
    for bucket in &answers.buckets {
        let name = bucket.name.as_deref();
        let customer = question.customers.in_name(name);
        let resource = Resource { kind: Kind::ObjectBucket, id: &bucket.id, name, customer };
        snapshot.take(question, &resource, EFFECTIVE_USED, bucket.space.used());
    }
    Ok(snapshot)
}

/// The item of the array that was meant.
fn own<'a>(question: &Question<'_>, items: &'a [SpaceItem]) -> Result<Option<&'a SpaceItem>, ReadError> {
    match (items.iter().find(|item| item.id == question.array), items.first()) {
        (None, Some(other)) => Err(ReadError::WrongArray { found: other.id.clone() }),
        (found, _) => Ok(found),
    }
}
