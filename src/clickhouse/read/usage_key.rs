//! What usage can be grouped by.

/// What usage can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Who runs the array.
    Provider,
    /// The array.
    Array,
    /// The kind of resource.
    Kind,
    /// The resource.
    Resource,
    /// The tenant tag.
    Customer,
    /// The service tier.
    Tier,
    /// The array's site.
    Site,
    /// The meter.
    Meter,
}

impl Key {
    /// All keys, in the order in which a full grouping has them.
    pub const ALL: [Key; 8] =
        [Key::Provider, Key::Array, Key::Kind, Key::Resource, Key::Customer, Key::Tier, Key::Site, Key::Meter];

    /// The key's name, which is also its column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Key::Provider => "provider",
            Key::Array => "array",
            Key::Kind => "kind",
            Key::Resource => "resource",
            Key::Customer => "customer",
            Key::Tier => "tier",
            Key::Site => "site",
            Key::Meter => "meter",
        }
    }

    /// The key with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.as_str() == name)
    }
}
