//! What tests are set on: pieces of price books, a site that takes old usage, a token for each principal, a document that is stored.

pub mod book;
pub mod invoice;
pub mod principals;

use crate::worker::Parts;

/// The sample price books.
pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pricebook");

/// Real parts with a shared stream `usage` that takes what is up to 400 days old.
pub fn shared_site(partitions: u32) -> Parts {
    let parts = Parts::start();
    open(&parts, "usage", &["--shared"], partitions);
    parts
}

/// Real parts with a stream `usage` of one provider that takes what is up to 400 days old.
pub fn site_of(provider: &str, partitions: u32) -> Parts {
    let parts = Parts::start();
    open_for(&parts, "usage", provider, partitions);
    parts
}

/// Opens a stream of one provider that takes what is up to 400 days old.
pub fn open_for(parts: &Parts, stream: &str, provider: &str, partitions: u32) {
    open(parts, stream, &["--provider", provider], partitions);
}

fn open(parts: &Parts, stream: &str, whose: &[&str], partitions: u32) {
    let partitions = partitions.to_string();
    let rules = ["--partitions", &partitions, "--acceptance-window", "400d"];
    parts.ok(&[&["stream", "open", stream], whose, &rules].concat());
}
