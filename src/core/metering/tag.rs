//! The attribution of area: customer, tier and site, interned per array.

use std::collections::HashMap;
use std::sync::Arc;

/// Customer, service tier and site in force at a reading; `None` where the event has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tags {
    /// The tenant tag on the resource.
    pub customer: Option<Box<str>>,
    /// The service tier.
    pub tier: Option<Box<str>>,
    /// The array's site.
    pub site: Option<Box<str>>,
}

impl Tags {
    /// Whether these are the given tags, without building them.
    #[must_use]
    pub fn are(&self, customer: Option<&str>, tier: Option<&str>, site: Option<&str>) -> bool {
        self.customer.as_deref() == customer && self.tier.as_deref() == tier && self.site.as_deref() == site
    }
}

/// A tag set's number within its array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TagId(pub u32);

/// The tag sets of one array. Few at any time; [`TagTable::retain`] forgets the unused.
#[derive(Clone, Debug, Default)]
pub struct TagTable {
    tags: Vec<Arc<Tags>>,
    ids: HashMap<Arc<Tags>, u32>,
}

impl TagTable {
    /// The number of a tag set. `guess` is tried first: a resource's tags seldom change, and a comparison costs less than a hash.
    pub fn intern(
        &mut self,
        guess: Option<TagId>,
        customer: Option<&str>,
        tier: Option<&str>,
        site: Option<&str>,
    ) -> TagId {
        if let Some(id) = guess
            && self.tags.get(id.0 as usize).is_some_and(|tags| tags.are(customer, tier, site))
        {
            return id;
        }
        let tags = Tags { customer: customer.map(Into::into), tier: tier.map(Into::into), site: site.map(Into::into) };
        if let Some(id) = self.ids.get(&tags) {
            return TagId(*id);
        }
        let id = self.tags.len() as u32;
        let tags = Arc::new(tags);
        self.tags.push(Arc::clone(&tags));
        self.ids.insert(tags, id);
        TagId(id)
    }

    /// The tag set with this number.
    #[must_use]
    pub fn get(&self, id: TagId) -> &Arc<Tags> {
        &self.tags[id.0 as usize]
    }

    /// How many tag sets are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no tag set is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Keeps the tag sets in `used` only and returns the new number of each old one.
    pub fn retain(&mut self, used: &[bool]) -> Vec<u32> {
        let old = std::mem::take(self);
        let mut renumbered = vec![u32::MAX; old.tags.len()];
        for (number, tags) in old.tags.into_iter().enumerate() {
            if used.get(number).copied().unwrap_or(false) {
                renumbered[number] = self.tags.len() as u32;
                self.ids.insert(Arc::clone(&tags), self.tags.len() as u32);
                self.tags.push(tags);
            }
        }
        renumbered
    }
}
