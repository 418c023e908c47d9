//! `plimsoll repair`: mends what an audit finds.

use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::audit::{Bar, ExtentArgs, Format, open, print, tell};
use crate::audit::repair::repair;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Decisions and ledger are mended from Kafka as far as it is retained, buckets from the ledger. The right row is written before the wrong \
                  one is deleted, so a repair that was killed leaves nothing worse, and is gone on with by starting it again.\n\n\
                  Prints what was mended, in the words of `plimsoll audit`. Exit code 0: everything is right now. 2: what is named at the end cannot be mended from anything that is \
                  stored.\n\nExamples:\n  plimsoll repair --provider northwind --from 2026-10-01 --to 2026-11-01 --dry-run\n  plimsoll repair"
)]
pub(super) struct Args {
    #[command(flatten)]
    extent: ExtentArgs,
    /// Only say what is wrong
    #[arg(long)]
    dry_run: bool,
    /// For people, or for programs (JSON, a row a line)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, config: &crate::config::Config) -> anyhow::Result<ExitCode> {
        let (mut inspection, store) = open(config).await?;
        let extent = self.extent.extent();
        let mut bar = Bar::new();
        let mut progress = |what, done, of| bar.tell(what, done, of);
        if self.dry_run {
            let report = inspection.dry().run(&extent, &mut progress).await?;
            drop(bar);
            self.extent.refuse_unknown(config, &report).await?;
            print(&report.findings, self.format)?;
            tell(&report);
            eprintln!("plimsoll: nothing was done (--dry-run)");
            return Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) });
        }
        let repaired = repair(&mut inspection, &store, &extent, &mut progress).await?;
        drop(bar);
        if repaired.mended.is_empty() {
            self.extent.refuse_unknown(config, &repaired.report).await?;
        }
        print(&repaired.mended, self.format)?;
        eprintln!("plimsoll: {} findings mended", repaired.mended.len());
        if !repaired.besides.is_empty() {
            eprintln!("plimsoll: {} rows more, which showed when the others were mended:", repaired.besides.len());
            print(&repaired.besides, self.format)?;
        }
        tell(&repaired.report);
        if repaired.report.findings.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        for finding in &repaired.report.findings {
            eprintln!("plimsoll: cannot be mended from anything that is stored: {finding}");
        }
        Ok(ExitCode::from(2))
    }
}
