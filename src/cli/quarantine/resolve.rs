//! `plimsoll quarantine retry|discard`, `plimsoll late accept`: records that were put aside, resolved in bulk.

use std::cell::Cell;
use std::process::ExitCode;
use std::time::{Duration, Instant as Moment};

use clap::Args;
use indicatif::ProgressBar;

use super::tally::Tally;
use super::which::{At, Which};
use crate::cli::actor::default_actor;
use crate::cli::control::follow;
use crate::cli::output::say;
use crate::cli::refusal::refuse;
use crate::clickhouse::Client;
use crate::clickhouse::read::aside::{AsideQuery, AsideRow, read};
use crate::config::Config;
use crate::core::word::Instant;
use crate::load::rate;
use crate::quarantine::{Outcome, Resolver, Verb, Why, batch};

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Which records, and why something is done with them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Resolve {
    #[command(flatten)]
    which: Which,
    /// All records there are, where no filter is meant
    #[arg(long)]
    all: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
    /// Only say what would be done, and what would become of records that are sent again
    #[arg(long)]
    dry_run: bool,
}

impl Resolve {
    pub(super) async fn run(self, config: &Config, late: bool, verb: Verb) -> anyhow::Result<ExitCode> {
        self.check()?;
        let query = AsideQuery { whole: verb == Verb::Resend, ..self.which.query(late)? };
        let client = Client::new(&config.clickhouse);
        let control = follow(config)?;
        let mut resolver = Resolver::new(&config.kafka, client.clone(), control)?;
        let mut rows = read(&client, &query).await?;
        let mut tally = Tally::default();
        let progress = Progress::new();
        loop {
            let batch = batch::next(&mut rows).await?;
            if batch.is_empty() {
                break;
            }
            self.batch(&mut resolver, &batch, verb, &mut tally).await?;
            progress.show(tally.found);
        }
        progress.end();
        if let (0, Some(At(stream, partition, offset))) = (tally.found, &self.which.at) {
            return refuse(format!("no such record was put aside at {stream}/{}/{}", partition.0, offset.0));
        }
        if tally.found == 0 {
            self.which.refuse_unknown(&client).await?;
        }
        say(format_args!("{}", if self.dry_run { tally.forecast(verb) } else { tally.summary(verb) }))?;
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.reason.trim().is_empty() {
            return refuse("--reason is empty: say why, it is kept with the decision");
        }
        match (self.which.is_all(), self.all) {
            (true, false) => {
                refuse("say which records: a filter, --at POSITION, or --all for every one that was put aside")
            }
            (false, true) => refuse("--all and a filter say two things: leave one of them out"),
            _ => Ok(()),
        }
    }

    async fn batch(
        &self,
        resolver: &mut Resolver,
        batch: &[AsideRow],
        verb: Verb,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        if !self.dry_run {
            let why = Why { reason: &self.reason, actor: &self.actor };
            let outcomes = resolver.resolve(batch, verb, why).await?;
            outcomes.into_iter().for_each(|outcome| tally.add(outcome, verb));
            return Ok(());
        }
        let outcomes = resolver.plan(batch, verb).await?;
        let forecasts = match verb {
            Verb::Resend => resolver.forecast(batch, Instant(chrono::Utc::now().timestamp_millis())),
            Verb::Discard => vec![None; batch.len()],
        };
        for (outcome, forecast) in outcomes.into_iter().zip(forecasts) {
            tally.add(outcome, verb);
            if matches!(outcome, Outcome::Decided | Outcome::SentAgain) {
                tally.foresee(forecast);
            }
        }
        Ok(())
    }
}

/// A bar on a terminal, lines of the log otherwise.
struct Progress {
    bar: ProgressBar,
    said: Cell<Moment>,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Some(style) = rate::style("{spinner} {pos} records  {rate}") {
            bar.set_style(style);
        }
        Self { bar, said: Cell::new(Moment::now()) }
    }

    fn show(&self, records: u64) {
        self.bar.set_position(records);
        if self.bar.is_hidden() && self.said.get().elapsed() >= SAY_EVERY {
            self.said.set(Moment::now());
            tracing::info!(records, "resolving");
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
