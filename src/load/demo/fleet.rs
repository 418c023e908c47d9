//! The arrays of the demo: eight of northwind, four of fjordcloud.

use super::super::envelope::ArrayLabel;
use super::super::record::Mode;
use crate::core::word::Kind;

/// Bytes in a TiB.
pub const TIB: u64 = 1 << 40;

/// What an array is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Volumes of tier `//Block - Premium`.
    Block,
    /// File systems of tier `//UFFO - Standard`.
    File,
}

impl Medium {
    /// What lies on it.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Medium::Block => Kind::Volume,
            Medium::File => Kind::FileSystem,
        }
    }

    /// The tier of the array and of what lies on it.
    #[must_use]
    pub fn tier(self) -> &'static str {
        match self {
            Medium::Block => "//Block - Premium",
            Medium::File => "//UFFO - Standard",
        }
    }

    /// What ids of its resources begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Medium::Block => "vol",
            Medium::File => "fs",
        }
    }
}

/// An array of the demo.
#[derive(Clone, Copy, Debug)]
pub struct ArrayModel {
    /// Who runs it, where and under which name.
    pub label: ArrayLabel<'static>,
    /// What it is made for.
    pub medium: Medium,
    /// TiB in use where the curve is 1.
    pub used_tib: u64,
    /// TiB that could be used.
    pub installed_tib: u64,
    /// Whether it takes part in the surges over the commitment.
    pub surges: bool,
}

impl ArrayModel {
    /// How its collector sends: the two providers differ, so that both modes are at work.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.label.provider {
            "fjordcloud" => Mode::Binary,
            _ => Mode::Structured,
        }
    }

    /// The tag of each of its 20 resources. `umbrella` is no customer of the book; one resource has no tag.
    #[must_use]
    pub fn tag(&self, resource: usize) -> Option<&'static str> {
        match (self.label.provider, resource) {
            (_, 19) => None,
            (_, 18) => Some("umbrella"),
            ("fjordcloud", _) => Some("initech"),
            (_, 0..=6) => Some("acme"),
            (_, 7 | 8) => Some("ACME"),
            _ => Some("globex"),
        }
    }
}

const fn array(
    provider: &'static str,
    (id, name, site): (&'static str, &'static str, &'static str),
    medium: Medium,
    (used_tib, installed_tib): (u64, u64),
    surges: bool,
) -> ArrayModel {
    ArrayModel { label: ArrayLabel { provider, id, name, site }, medium, used_tib, installed_tib, surges }
}

/// The array that the book calls a demo: metered, charged at nothing, outside the commitment.
pub const DEMO_ARRAY: &str = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";

use Medium::{Block, File};

/// All arrays. The first four make northwind's committed 100 TiB at HAM1. The block array at BGO1 is on no line of the wholesale
/// contract, so it is orphaned there, while northwind's customers pay for its volumes all the same.
pub const FLEET: [ArrayModel; 12] = [
    array("northwind", ("3f2a91c7-5d84-4e0b-9a6c-0b7d41e2c9f8", "nw-ham1-x70-01", "HAM1"), Block, (31, 64), true),
    array("northwind", ("8c1d5e02-77a9-4b34-8f10-c2a96d4be713", "nw-ham1-x70-02", "HAM1"), Block, (27, 64), true),
    array("northwind", ("d0b7f3a6-1e4c-4f92-a5d8-936e0c81b24a", "nw-ham1-x50-03", "HAM1"), Block, (23, 48), true),
    array("northwind", ("51e9a84f-c26b-4d07-b3f1-7a04d5e8926c", "nw-ham1-x50-04", "HAM1"), Block, (19, 48), true),
    array("northwind", (DEMO_ARRAY, "nw-ham1-demo-01", "HAM1"), Block, (4, 12), false),
    array("northwind", ("a7c40e95-3b1f-4862-9d7a-e58f02c6b1d4", "nw-ham1-fb-01", "HAM1"), File, (80, 150), false),
    array("northwind", ("2e6d9b18-f05a-4c73-86be-14d7a3f90c52", "nw-bgo1-fb-01", "BGO1"), File, (60, 120), false),
    array("northwind", ("f93b0c7d-68e2-4a15-a0c4-d1e7562fb839", "nw-bgo1-x20-01", "BGO1"), Block, (9, 24), false),
    array("fjordcloud", ("0a5cf2e8-94d1-4b6e-8c37-5be1d80f7a26", "fc-bgo1-fb-01", "BGO1"), File, (48, 96), false),
    array("fjordcloud", ("b64e17d9-2c80-4f5a-9be3-08a7c6d1f492", "fc-bgo1-fb-02", "BGO1"), File, (30, 64), false),
    array("fjordcloud", ("7d82a5b3-e61f-4097-b15c-f4c90e2d386a", "fc-bgo1-fb-03", "BGO1"), File, (20, 48), false),
    array("fjordcloud", ("c41f6e0a-85b7-4d29-a8f6-62d3b97e10c5", "fc-bgo1-fb-04", "BGO1"), File, (9, 24), false),
];
