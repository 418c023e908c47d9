//! `plimsoll engine`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::dev::Parts;
use crate::engine::{self, Options};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "`plimsoll dev up` starts one beside a broker; this is for whoever wants the engine alone.\n\nExamples:\n  plimsoll engine --path /tmp/engine\n  curl -d 'SELECT version()' http://127.0.0.1:8123"
)]
pub struct Arguments {
    /// The directory of the data; one engine at a time
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
    /// A loopback address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8123")]
    listen: SocketAddr,
    /// The engine's shared library [default: the one in the cache, fetched if need be]
    #[arg(long, value_name = "FILE", env = "PLIMSOLL_ENGINE_LIBRARY")]
    library: Option<PathBuf>,
    /// Memory that all statements together may use
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 30)]
    memory_limit: u64,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let library = match self.library {
            Some(file) => file,
            None => Parts::fetch()?.engine_library(),
        };
        let options = Options { path: self.path, listen: self.listen, library, memory_limit: self.memory_limit };
        match engine::run(&options)? {}
    }
}
