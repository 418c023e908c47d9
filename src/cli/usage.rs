//! `plimsoll usage`: metered usage as lines of JSON.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::refusal::refuse;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::read::stored::spans;
use crate::clickhouse::read::usage::{MeterInRange, UsageQuery};
use crate::clickhouse::read::usage_key::Key;
use crate::clickhouse::read::usage_row::{UsageLine, UsageRow};
use crate::clickhouse::read::void;
use crate::clickhouse::read::window::{self, Window};
use crate::config::Config;
use crate::core::metering::definition::OBSERVED;
use crate::core::word::Kind;
use crate::statement::{Rater, StatementError};

/// `plimsoll usage`.
///
/// Figures by the meter's kind: integral (base unit x milliseconds), observed_ms, min, max, last of a gauge; sum, count of a delta;
/// increase of a counter. Over several resources and over time integral, observed_ms, sum, count and increase add up; min and max
/// are the extremes of the cells taken in, last is that of the newest. Resources of different kinds may measure the same bytes
/// (an array and its volumes): keep `kind` among the keys, or ask for one --kind. Meters are never added to each other: without
/// `meter` among the keys it is added to them when the range holds more than one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll usage --provider northwind --from 2026-11-01 --to 2026-12-01 \\\n      --step day --by customer,meter\n  plimsoll usage --provider northwind --from 2026-11-20 --to 2026-11-21 \\\n      --step hour --by array --meter effective_used"
)]
pub struct Command {
    /// Whose arrays
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Start: an instant in RFC 3339, or a date, which means its midnight in --time-zone
    #[arg(long, value_name = "T")]
    from: String,
    /// End, which is left out
    #[arg(long, value_name = "T")]
    to: String,
    /// How the range is cut
    #[arg(long, value_enum)]
    step: Step,
    /// Keys of a row, also its order
    #[arg(long, value_delimiter = ',', value_parser = parse_key, default_value = "provider,array,kind,resource,customer,tier,site,meter")]
    by: Vec<Key>,
    /// Whose days and midnights, as in Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// This meter only; '$observed', one per accepted event, is shown only when it is asked for here
    #[arg(long, value_name = "METER")]
    meter: Option<String>,
    /// This array only
    #[arg(long, value_name = "ID")]
    array: Option<String>,
    /// This kind of resource only
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Option<Kind>,
    /// This tenant tag only
    #[arg(long, value_name = "TAG")]
    customer: Option<String>,
}

/// How a range is cut.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Step {
    /// The meter's own cells of 15 or 5 minutes
    Cell,
    /// UTC hours
    Hour,
    /// Days of --time-zone, 23 to 25 hours long
    Day,
    /// The whole range
    Period,
}

/// Says why there is no row; a provider of whom nobody has heard is refused, and a meter that nobody has defined.
async fn tell_nothing(client: &Client, query: &UsageQuery) -> anyhow::Result<()> {
    let provider = &query.provider;
    let stored = spans(client).await?;
    if stored.iter().any(|span| span.provider == *provider) {
        check_meter(client, query.meter.as_deref()).await?;
    }
    if let Some(span) = stored.iter().find(|span| span.provider == *provider) {
        eprintln!(
            "plimsoll: nothing fits: the usage of {provider} that is stored lies from {} to {}",
            span.from().rfc3339(),
            span.until().rfc3339()
        );
        return Ok(());
    }
    let register = void::register(client).await?;
    let mut known: BTreeSet<&str> = register.all().filter_map(|stream| stream.rules.provider.as_deref()).collect();
    if known.contains(provider.as_str()) {
        eprintln!("plimsoll: no usage of {provider} is stored yet: `plimsoll run` folds what its stream holds");
        return Ok(());
    }
    known.extend(stored.iter().map(|span| span.provider.as_str()));
    let known: Vec<&str> = known.into_iter().collect();
    match known.is_empty() {
        true => refuse(
            "no usage of anybody is stored: open a stream with `plimsoll stream open` and fold it with `plimsoll run`",
        ),
        false => refuse(format!("no usage of provider {provider} is known: name one of {}", known.join(", "))),
    }
}

/// Refuses a meter that the newest price book does not define. Every array has the one of its own events.
async fn check_meter(client: &Client, meter: Option<&str>) -> anyhow::Result<()> {
    let Some(id) = meter.filter(|id| *id != OBSERVED) else { return Ok(()) };
    match Rater::newest(client).await {
        Ok(rater) if !rater.book().meters.contains_key(id) => refuse(unknown::meter(id, rater.book())),
        Ok(_) | Err(StatementError::NoBook) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn parse_key(name: &str) -> Result<Key, String> {
    let known = || Key::ALL.map(Key::as_str).join(", ");
    Key::parse(name).ok_or_else(|| format!("use some of {}", known()))
}

fn parse_kind(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(Kind::as_str).join(", ");
    Kind::parse(name).ok_or_else(|| format!("use one of {}", known()))
}

impl Command {
    /// Prints what was metered, one JSON object a line, sorted by the keys and then by start.
    ///
    /// # Errors
    /// A range of no whole cells, what ClickHouse refuses, and an output that takes no more.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let mut query = match self.into_query() {
            Err(error) => return refuse(error.to_string()),
            Ok(query) => query,
        };
        let meters = query.meters(&client).await.context("cannot read usage")?;
        for MeterInRange { cell_minutes, .. } in &meters {
            if let Err(error) = query.window.check_cells(*cell_minutes) {
                return refuse(error.to_string());
            }
        }
        if meters.len() > 1 && !query.by.contains(&Key::Meter) {
            query.by.push(Key::Meter);
        }
        let edges = query.window.edges();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut rows = Rows::<UsageRow>::of(&client, query.all(&client))?;
        let mut shown = 0u64;
        while let Some(row) = rows.next().await.context("cannot read usage")? {
            let seconds = row.seconds(&query.window, &edges);
            serde_json::to_writer(&mut out, &UsageLine { row: &row, by: &query.by, seconds })?;
            out.write_all(b"\n")?;
            shown += 1;
        }
        out.flush()?;
        if shown == 0 {
            tell_nothing(&client, &query).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn into_query(self) -> anyhow::Result<UsageQuery> {
        let step = match self.step {
            Step::Cell => window::Step::Cell,
            Step::Hour => window::Step::Hour,
            Step::Day => window::Step::Day,
            Step::Period => window::Step::Period,
        };
        let window = Window::parse(&self.from, &self.to, step, Some(&self.time_zone))?;
        let mut by = Vec::new();
        for key in self.by {
            if by.contains(&key) {
                anyhow::bail!("--by names `{}` twice; name it once", key.as_str());
            }
            by.push(key);
        }
        Ok(UsageQuery {
            provider: self.provider,
            window,
            by,
            meter: self.meter,
            array: self.array,
            kind: self.kind,
            customers: self.customer.map(|tag| vec![tag]),
        })
    }
}
