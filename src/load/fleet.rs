//! The arrays of the demo's two providers and what lies on them.

use super::random::hash;

/// One tebibyte.
pub const TIB: u64 = 1 << 40;
/// Volumes or file systems of an array.
pub const RESOURCES: usize = 20;

/// An array of the demo.
#[derive(Clone, Debug)]
pub struct DemoArray {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: &'static str,
    /// Who runs it.
    pub provider: &'static str,
    /// Where it stands.
    pub site: &'static str,
    /// Whether it holds volumes; else file systems.
    pub block: bool,
    /// About how much is used of it, in bytes.
    pub used: u64,
}

/// Name, provider, site, block, TiB in use. Northwind's block arrays at HAM1 hold about its commitment of 100 TiB.
const FLEET: [(&str, &str, &str, bool, u64); 12] = [
    ("nw-ham1-x70-01", "northwind", "HAM1", true, 24),
    ("nw-ham1-x70-02", "northwind", "HAM1", true, 21),
    ("nw-ham1-x70-03", "northwind", "HAM1", true, 19),
    ("nw-ham1-x70-04", "northwind", "HAM1", true, 17),
    ("nw-ham1-x70-05", "northwind", "HAM1", true, 14),
    ("nw-ham1-x70-demo", "northwind", "HAM1", true, 6),
    ("nw-ham1-fb-01", "northwind", "HAM1", false, 31),
    ("nw-bgo1-fb-01", "northwind", "BGO1", false, 12),
    ("fc-bgo1-fb-01", "fjordcloud", "BGO1", false, 45),
    ("fc-bgo1-fb-02", "fjordcloud", "BGO1", false, 38),
    ("fc-bgo1-fb-03", "fjordcloud", "BGO1", false, 26),
    ("fc-bgo1-fb-04", "fjordcloud", "BGO1", false, 9),
];

/// The demonstration array that the sample price book names.
pub const DEMO_ARRAY: &str = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";

/// The 12 arrays.
#[must_use]
pub fn fleet() -> Vec<DemoArray> {
    let array = |(number, &(name, provider, site, block, tib)): (
        usize,
        &(&'static str, &'static str, &'static str, bool, u64),
    )| {
        let id = match name.ends_with("demo") {
            true => DEMO_ARRAY.to_owned(),
            false => {
                let bits = hash(1, number as u64, 2);
                format!("{:08x}-5d84-4e0b-9a6c-{:012x}", bits as u32, bits >> 16 & 0xffff_ffff_ffff)
            }
        };
        DemoArray { id, name, provider, site, block, used: tib * TIB }
    };
    FLEET.iter().enumerate().map(array).collect()
}

impl DemoArray {
    /// The service tier of everything on it.
    #[must_use]
    pub fn tier(&self) -> &'static str {
        if self.block { "//Block - Premium" } else { "//UFFO - Standard" }
    }

    /// The kind of its resources.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.block { "volume" } else { "file_system" }
    }

    /// The tenant tag of a resource; `late` from the middle of the month on, when one resource is handed to another customer.
    #[must_use]
    pub fn customer(&self, resource: usize, late: bool) -> Option<&'static str> {
        let north = self.provider == "northwind";
        match resource {
            19 => None,
            16..=18 => Some("umbrella"),
            13 if late => Some(if north { "acme" } else { "initech" }),
            8..=15 => Some(if north { "globex" } else { "initech" }),
            7 => Some(if north { "ACME" } else { "initech" }),
            _ => Some(if north { "acme" } else { "initech" }),
        }
    }
}
