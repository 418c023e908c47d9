//! Whose a resource is: what the event's `customer` is made of. The price book says which customer claims which tag.

/// How a resource's customer is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Customers {
    /// It is not: readings are untagged.
    #[default]
    Untagged,
    /// The value of a tag of the volume.
    Tag {
        /// The tag's namespace.
        namespace: String,
        /// The tag's key.
        key: String,
    },
    /// The name of the pod in which the volume lies.
    Pod,
    /// What stands before this in the resource's name: `tenant-a` of `tenant-a::oradata01`.
    Prefix(String),
}

impl Customers {
    /// The part of a name that names the customer.
    #[must_use]
    pub fn in_name<'a>(&self, name: Option<&'a str>) -> Option<&'a str> {
        match self {
            Customers::Prefix(separator) => name?.split_once(separator.as_str()).map(|(customer, _)| customer),
            _ => None,
        }
    }
}
