//! `plimsoll bill`: closes what is due, issues, and makes documents of the log.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args as ClapArgs;
use tokio::runtime::Runtime;

use super::closing::ready;
use super::serving::Serving;
use crate::closer::worker::{BillEnd, BillWorker, Round};
use crate::config::Config;
use crate::metrics::Metrics;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Any number of them may run, beside any number of `plimsoll run`. What keeps a period open is logged in words each time something has changed; `plimsoll close --dry-run` says the same for one period.\n\nExamples:\n  plimsoll bill          a closer; start as many as you like\n  plimsoll bill --once   close, issue and make what is due now, then exit 0"
)]
pub(super) struct Args {
    /// One round, then exit
    #[arg(long)]
    once: bool,
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        let stop = Arc::new(AtomicBool::new(false));
        runtime.spawn(super::signal::stop_on_signal(Arc::clone(&stop)));
        let metrics = Arc::new(Metrics::new()?);
        let serving = runtime.block_on(Serving::start(config, &metrics, false))?;
        let end = if self.once { BillEnd::Once } else { BillEnd::Asked };
        let billed = work(config, &runtime, &stop, &metrics, end);
        runtime.block_on(serving.end());
        billed?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Waits for the parts, then closes, issues and makes documents until the end asked for.
pub(super) fn work(
    config: &Config,
    runtime: &Runtime,
    stop: &AtomicBool,
    metrics: &Arc<Metrics>,
    end: BillEnd,
) -> anyhow::Result<()> {
    let Some(control) = ready(config, runtime, stop)? else { return Ok(()) };
    let mut worker = BillWorker::new(config, Arc::clone(&control), runtime.handle().clone(), Arc::clone(metrics))?;
    let done = worker.run(end, stop);
    control.stop();
    let Round { closed, refused, issued, materialised } = done?;
    tracing::info!(closed, refused, issued, documents = materialised, "billed");
    Ok(())
}
