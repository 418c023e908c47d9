//! The parts that Plimsoll is tried on, fetched by the project's own script.
//!
//! Script, versions and checksums are part of the binary, so that `plimsoll dev up` works outside a checkout too.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::Error;

const SCRIPT: &str = "fetch-parts.sh";
const FILES: [(&str, &str); 5] = [
    (SCRIPT, include_str!("../../scripts/fetch-parts.sh")),
    ("pom.xml", include_str!("../../parts/pom.xml")),
    ("kafka.sha256", include_str!("../../parts/kafka.sha256")),
    ("engine.txt", include_str!("../../parts/engine.txt")),
    ("engine.sha256", include_str!("../../parts/engine.sha256")),
];

/// The fetched parts.
#[derive(Debug, Clone)]
pub struct Parts {
    home: PathBuf,
}

impl Parts {
    /// Finds the parts in the cache, and fetches and verifies them first if they are not there.
    ///
    /// # Errors
    /// When they cannot be fetched, or are not what the checksums say.
    pub fn fetch() -> Result<Self, Error> {
        let lists = Lists::unpack()?;
        let output = lists.run().map_err(Error::Script)?;
        let home = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || home.is_empty() {
            return Err(Error::Fetch);
        }
        Ok(Self { home: PathBuf::from(home) })
    }

    /// The ClickHouse engine's shared library.
    #[must_use]
    pub fn engine_library(&self) -> PathBuf {
        self.home.join("engine/libchdb.so")
    }

    /// The directory of the Kafka broker's jars.
    #[must_use]
    pub fn kafka_libraries(&self) -> PathBuf {
        self.home.join("kafka")
    }
}

/// Script and lists, laid out in a directory of their own for as long as the script runs.
struct Lists {
    directory: PathBuf,
}

impl Lists {
    fn unpack() -> Result<Self, Error> {
        let name = format!("plimsoll-{}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish());
        let directory = std::env::temp_dir().join(name);
        let failed = |source| Error::Directory { directory: directory.clone(), source };
        // Not `create_dir_all`: what exists already is somebody else's, and a script is run from here.
        std::fs::create_dir(&directory).map_err(failed)?;
        let lists = Self { directory: directory.clone() };
        for (name, text) in FILES {
            std::fs::write(lists.directory.join(name), text).map_err(failed)?;
        }
        Ok(lists)
    }

    fn run(&self) -> std::io::Result<Output> {
        Command::new("bash")
            .arg(self.directory.join(SCRIPT))
            .env("PLIMSOLL_PARTS_LISTS", &self.directory)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        // It lies in the system's temporary directory: what cannot be removed now is removed with it.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
