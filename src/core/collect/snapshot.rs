//! What an array said of one instant, vendor's words no more.

use super::customers::Customers;
use crate::core::word::Kind;

/// What could be used of an array, in bytes. It has no tier: tiers are sold, raw capacity is not.
pub const INSTALLED: &str = "installed";
/// What is used, in bytes, as the vendor counts it for billing.
pub const EFFECTIVE_USED: &str = "effective_used";
/// What hosts were promised, in bytes.
pub const PROVISIONED: &str = "provisioned";
/// What file systems of a FlashBlade use together, in bytes.
pub const FILE_USED: &str = "file_used";
/// What objects on a FlashBlade use together, in bytes.
pub const OBJECT_USED: &str = "object_used";

/// The meters that REST collectors know.
pub const METERS: [&str; 5] = [INSTALLED, EFFECTIVE_USED, PROVISIONED, FILE_USED, OBJECT_USED];

/// What somebody wants to know of an array.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The array's id.
    pub array: &'a str,
    /// The service tier that its usage is sold as.
    pub tier: Option<&'a str>,
    /// The meters that are wanted.
    pub meters: &'a [String],
    /// How a resource's customer is found.
    pub customers: &'a Customers,
}

/// The readings of an array at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The array's name.
    pub name: Option<String>,
    /// What was read.
    pub readings: Vec<Taken>,
    /// Readings that are wanted and that the array has no figure of.
    pub left_out: u64,
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: String,
    /// The quantity.
    pub meter: String,
    /// Its name.
    pub name: Option<String>,
    /// The tenant tag.
    pub customer: Option<String>,
    /// The service tier.
    pub tier: Option<String>,
    /// The value in the meter's base unit.
    pub value: u64,
}

/// The resource that readings are of.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub id: &'a str,
    /// Its name.
    pub name: Option<&'a str>,
    /// The tenant tag.
    pub customer: Option<&'a str>,
}

impl Snapshot {
    /// Takes a reading, if its meter is wanted. Where the array has no figure it is left out and counted: absent is not 0.
    pub fn take(&mut self, question: &Question<'_>, resource: &Resource<'_>, meter: &str, value: Option<u64>) {
        if !question.meters.iter().any(|wanted| wanted == meter) {
            return;
        }
        let Some(value) = value else {
            self.left_out += 1;
            return;
        };
        let tag = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.readings.push(Taken {
            kind: resource.kind,
            resource: resource.id.to_owned(),
            meter: meter.to_owned(),
            name: tag(resource.name),
            customer: tag(resource.customer),
            tier: tag(question.tier.filter(|_| meter != INSTALLED)),
            value,
        });
    }
}
