//! `plimsoll prove`: documents computed again from the ledger, and held against what is stored.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::{ArgGroup, Args as ClapArgs, ValueEnum};
use serde::Serialize;

use super::meter_bar::MeterBar;
use super::month::label;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::proof::insert;
use crate::clickhouse::read::hole::Hole;
use crate::config::Config;
use crate::core::word::Offset;
use crate::kafka::control::ControlFollower;
use crate::programme::watch::now;
use crate::prove::documents::{Documents, Which};
use crate::prove::{Altered, Proof, ProveError, Verdict, mirror, open};
use crate::statement::{Place, Rater, StatementError};

#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("which").args(["number", "all", "statement", "statements"]).required(true),
    after_help = "Exit code: 0 all of it is proven, 1 something differs or is of a version that this build lacks, 2 there is no such document.\n\nExamples:\n  plimsoll prove EG-2026-000118\n  plimsoll prove --all --provider northwind --period 2026-10\n  plimsoll prove --statement northwind-wholesale --period 2026-11\n  plimsoll prove --statements --provider northwind --period 2026-11 --format json"
)]
pub(super) struct Args {
    /// The number of an issued document
    number: Option<String>,
    /// All documents and drafts of closed periods; of one provider with --provider, of one period with --period
    #[arg(long)]
    all: bool,
    /// The statement of this contract in an open period
    #[arg(long, value_name = "CONTRACT", requires = "period")]
    statement: Option<String>,
    /// All statements of a provider in an open period
    #[arg(long, requires = "provider", requires = "period")]
    statements: bool,
    /// Hold the mirror of decisions against billing-control itself as well, in every column
    #[arg(long, conflicts_with_all = ["statement", "statements"])]
    with_log: bool,
    /// The provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Of a contract for each customer: this one only
    #[arg(long, requires = "statement")]
    customer: Option<String>,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: Option<String>,
    /// For people or for programs (JSON, one document a line, then what was read)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// The last line of JSON.
#[derive(Serialize)]
struct Summary<'a> {
    documents: usize,
    proven: usize,
    events: u64,
    readings: u64,
    seconds: f64,
    holes: &'a [Hole],
    altered: &'a [Altered],
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        if self.number.is_some() || self.all {
            return self.documents(&client, config).await;
        }
        let label = self.period.clone().unwrap_or_default();
        let places = match self.places(&client, &label).await {
            Ok(places) => places,
            Err(error) if is_unknown(&error) => return Ok(unknown(&error)),
            Err(error) => return Err(error.into()),
        };
        let bar = MeterBar::new();
        let proof = match open::prove(&client, &places, &label, &|effort| bar.metered(effort)).await {
            Ok(proof) => proof,
            Err(ProveError::Statement(error)) if is_unknown(&error) => return Ok(unknown(&error)),
            Err(error) => return Err(error.into()),
        };
        drop(bar);
        self.done(&proof)
    }

    /// Documents of closed periods, a close at a time.
    async fn documents(&self, client: &Client, config: &Config) -> anyhow::Result<ExitCode> {
        let documents = Documents::read(client).await?;
        if self.with_log {
            let control = ControlFollower::start(&config.kafka)?;
            tokio::task::block_in_place(|| control.read_to_end())?;
            let records = control.records(Offset(0));
            let logged = records.iter().map(|record| (record.offset, record.append_time, &*record.hash));
            mirror::against(documents.decisions(), logged)?;
        }
        if let Some(number) = &self.number {
            let bar = MeterBar::new();
            let proof = documents.number(number, &|effort| bar.metered(effort)).await?;
            drop(bar);
            let Some(proof) = proof else {
                eprintln!("plimsoll: no document {number} is issued; `plimsoll run` mirrors what was decided");
                return Ok(ExitCode::from(2));
            };
            return self.done(&proof);
        }
        self.closes(client, documents).await
    }

    /// Every close that is asked for. One of a version that this build lacks is told and keeps no other from being proved.
    async fn closes(&self, client: &Client, mut documents: Documents) -> anyhow::Result<ExitCode> {
        let (mut all, mut lacks_version) = (Proof::default(), false);
        let which = Which { provider: self.provider.clone(), period: self.period.clone() };
        // one bar for all closes: its rate is that of the whole
        let bar = MeterBar::new();
        for close in documents.closes(&which) {
            // a proof of all takes its time, and rows show what is decided meanwhile
            let news = documents.news().await?;
            documents.take(news);
            let before = all.effort;
            let proof = documents.close(close, None, &|effort| bar.metered(before.plus(effort))).await;
            match proof {
                Ok(proof) => {
                    self.keep(client, &documents, close, (&proof, &bar)).await;
                    all = all.plus(proof);
                }
                Err(error @ ProveError::Version { .. }) => {
                    lacks_version = true;
                    bar.print(|| eprintln!("plimsoll: {} is not proved: {error}", documents.name(close)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        drop(bar);
        all.verdicts.extend(documents.strays(&which).await?);
        if all.verdicts.is_empty() && !lacks_version {
            unknown::refuse_provider(client, self.provider.as_deref()).await?;
        }
        let code = self.done(&all)?;
        Ok(if lacks_version { ExitCode::FAILURE } else { code })
    }

    /// What a proof of a whole close found is told by `GET /v1/pipeline` from then on. Whoever may not write proves all the same.
    async fn keep(&self, client: &Client, documents: &Documents, close: usize, (proof, bar): (&Proof, &MeterBar)) {
        let Some(closed) = documents.register().closes().get(close) else { return };
        if let Err(error) = insert(client, &proof.row(&closed.close.rating_id, now())).await {
            bar.print(|| eprintln!("plimsoll: what was found of {} is not kept: {error}", documents.name(close)));
        }
    }

    fn done(&self, proof: &Proof) -> anyhow::Result<ExitCode> {
        self.print(proof)?;
        Ok(if proof.is_proven() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn places(&self, client: &Client, label: &str) -> Result<Vec<Place>, StatementError> {
        let rater = Rater::newest(client).await?;
        match (&self.statement, &self.customer) {
            (Some(contract), Some(customer)) => Ok(vec![rater.place(contract, Some(customer), label).await?]),
            (Some(contract), None) => rater.places(std::slice::from_ref(contract), label).await,
            (None, _) => {
                let provider = self.provider.as_deref().unwrap_or_default();
                let contracts = rater.contracts_of(provider);
                if contracts.is_empty() {
                    return Err(StatementError::NoProvider(provider.to_owned()));
                }
                rater.places(&contracts, label).await
            }
        }
    }

    fn print(&self, proof: &Proof) -> std::io::Result<()> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let proven = proof.verdicts.iter().filter(|verdict| verdict.proven).count();
        if matches!(self.format, Format::Json) {
            for verdict in &proof.verdicts {
                writeln!(out, "{}", serde_json::to_string(verdict)?)?;
            }
            let Proof { verdicts, holes, altered, effort, seconds } = proof;
            let (documents, events, readings) = (verdicts.len(), effort.events, effort.readings);
            let summary = Summary { documents, proven, events, readings, seconds: *seconds, holes, altered };
            writeln!(out, "{}", serde_json::to_string(&summary)?)?;
            return out.flush();
        }
        for verdict in &proof.verdicts {
            say(&mut out, verdict)?;
        }
        for hole in &proof.holes {
            let Hole { stream, partition, from, to, counted, found } = hole;
            writeln!(
                out,
                "the ledger lacks rows: {stream}, partition {}, offsets {} to {}: {found} rows where the checkpoint counted {counted}",
                partition.0, from.0, to.0
            )?;
        }
        for Altered { stream, partition, offset } in &proof.altered {
            writeln!(
                out,
                "the ledger was altered: {stream}, partition {}, offset {} is not what was accepted; see `plimsoll audit`",
                partition.0, offset.0
            )?;
        }
        writeln!(
            out,
            "{proven} of {} documents proven from {} readings of {} events in {:.1} s ({:.2} M readings/s)",
            proof.verdicts.len(),
            proof.effort.readings,
            proof.effort.events,
            proof.seconds,
            proof.readings_per_second() / 1e6
        )?;
        out.flush()
    }
}

fn say(out: &mut impl std::io::Write, verdict: &Verdict) -> std::io::Result<()> {
    let Verdict { place, period, number, proven, digest, computed, differences, refusal } = verdict;
    let customer = place.customer.as_ref().map_or(String::new(), |customer| format!(" for {customer}"));
    let name = number.clone().unwrap_or_else(|| format!("{}{customer}, {period}", place.contract));
    let word = if *proven { "proven" } else { "DIFFERS" };
    let digest = digest.as_deref().or(computed.as_deref()).unwrap_or("no document");
    writeln!(out, "{word}  {name}  {digest}")?;
    if let Some(refusal) = refusal {
        writeln!(out, "    {refusal}")?;
    }
    for difference in differences {
        writeln!(out, "    {difference}")?;
    }
    Ok(())
}

/// Whether there is no such document, and not a difference or trouble.
fn is_unknown(error: &StatementError) -> bool {
    !matches!(error, StatementError::ClickHouse(_) | StatementError::Book(_) | StatementError::Document(_))
}

fn unknown(error: &StatementError) -> ExitCode {
    eprintln!("plimsoll: {error}");
    ExitCode::from(2)
}
