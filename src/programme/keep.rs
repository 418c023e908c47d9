//! Keeps what the programme is read of small: arrays are put together of the ledger, and what providers hold is counted, so that neither
//! is read whole for a page; sales credits are made of documents for who asks by SQL. `plimsoll bill` does it each round; two of them do
//! the same.

use std::collections::BTreeSet;
use std::time::{Duration, Instant as Moment};

use super::ProgrammeError;
use super::levels::page;
use super::open::OpenKeeper;
use super::sales::Documents;
use crate::clickhouse::due::Part;
use crate::clickhouse::mark::{MarkRow, Marks};
use crate::clickhouse::provider_activity::{ActivityRow, insert, newest};
use crate::clickhouse::read::wholesale::WholesaleQuery;
use crate::clickhouse::read::{activity, book};
use crate::clickhouse::sales_credit::{self, SalesCreditRow};
use crate::clickhouse::seen::put_together;
use crate::clickhouse::{Client, Error};
use crate::core::billing::error::DocumentError;
use crate::core::book::Book;
use crate::core::programme::credit::Credit;
use crate::core::programme::neutrality::name;
use crate::core::programme::scorecard::{Activity, measured};
use crate::core::word::Instant;
use crate::statement::StatementError;

/// Offsets that are put together in one statement.
const OFFSETS_MAX: u64 = 100_000;
/// Statements of a round: a great ledger is put together in many rounds.
const STATEMENTS_MAX: usize = 16;
/// How long a checkpoint must lie back on a cluster: a replica that lags has its rows by then. One server has them before the checkpoint.
const SETTLED_MS: i64 = 120_000;
/// Between two counts of what providers hold.
const COUNT_EVERY: Duration = Duration::from_secs(900);
/// Documents of which sales credits are made in a round.
const CREDITS_BATCH: usize = 500;
/// Sales credits in one insert; of a document all are.
const CREDITS_MAX: usize = 20_000;
/// Places of sales credits.
const CREDIT_PLACES: u32 = 15;
/// Providers that are counted together.
const PROVIDERS_PAGE: usize = 100;

/// What keeps.
#[derive(Debug, Default)]
pub struct Keeper {
    counted: Option<Moment>,
    open: OpenKeeper,
}

impl Keeper {
    /// Does what is due.
    ///
    /// # Errors
    /// The server's, and a price book that is not understood.
    pub async fn round(&mut self, client: &Client) -> Result<(), ProgrammeError> {
        let now = super::watch::now();
        let settled = client.settings().cluster.as_ref().map(|_| now.plus_ms(-SETTLED_MS));
        put_together_before(client, settled).await?;
        if self.counted.is_none_or(|counted| counted.elapsed() >= COUNT_EVERY) {
            count(client, now).await?;
            self.counted = Some(Moment::now());
        }
        credit(client).await?;
        self.open.round(client, now).await
    }
}

/// Puts arrays together as far as checkpoints go, or those that lie before an instant of the log; how many statements that took.
///
/// # Errors
/// The server's.
pub async fn put_together_before(client: &Client, settled: Option<Instant>) -> Result<usize, Error> {
    let marks = Marks::read_to_go_on(client).await?;
    let statements = statements(marks.due(client, settled).await?);
    marks.begin(client, statements.iter().flatten()).await?;
    for parts in &statements {
        put_together(client, &marks, parts).await?;
    }
    Ok(statements.len())
}

/// The statements of a round, with the parts of each. What is nearly there comes first: a partition that is far behind, or a generation that is
/// put together once more, has nobody wait for it.
fn statements(mut due: Vec<Part>) -> Vec<Vec<Part>> {
    due.sort_by_key(|due| due.to.next_offset.saturating_sub(due.from));
    let (mut statements, mut parts, mut left) = (Vec::new(), Vec::new(), OFFSETS_MAX);
    for Part { mut from, to } in due {
        while from < to.next_offset {
            let part = part(from, left, &to);
            left -= part.to.next_offset - from;
            from = part.to.next_offset;
            parts.push(part);
            if left == 0 {
                statements.push(std::mem::take(&mut parts));
                left = OFFSETS_MAX;
            }
            if statements.len() == STATEMENTS_MAX {
                return statements;
            }
        }
    }
    if !parts.is_empty() {
        statements.push(parts);
    }
    statements
}

/// The next offsets of what is due, so many at most: of a part that is not the last nobody knows the log time.
fn part(from: u64, most: u64, due: &MarkRow) -> Part {
    let next_offset = from.saturating_add(most).min(due.next_offset);
    let log_time = if next_offset == due.next_offset { due.log_time } else { 0 };
    Part { from, to: MarkRow { next_offset, reached: next_offset, log_time, ..due.clone() } }
}

/// Counts what all providers of the newest price book hold, and for how many. Nothing is no count: whoever had no usage yet is counted when it
/// is asked for, so that its first readings are told at once. Only a count that was more is replaced.
///
/// # Errors
/// The server's, and a price book that is not understood.
pub async fn count(client: &Client, now: Instant) -> Result<(), ProgrammeError> {
    let Some(offset) = book::newest_offset(client).await? else { return Ok(()) };
    let published = book::read(client, offset).await?;
    let book = Book::from_canonical(&published.book).map_err(StatementError::Book)?;
    let hour = u32::try_from(activity::end_s(now, 0)).unwrap_or_default();
    let mut after: Option<String> = None;
    loop {
        let providers = page(&book, |_| true, after.as_deref(), PROVIDERS_PAGE);
        let Some(last) = providers.last() else { return Ok(()) };
        after = Some(last.clone());
        let told = providers.iter().cloned().collect();
        let found = activity::counted_of(client, &book, &providers, &told, now).await?;
        let row = |(provider, activity): (String, Activity)| {
            let (meter, kind) = measured(&book, &provider).map_or(("", ""), |(meter, kind)| (meter, kind.as_str()));
            let (customers, new_customers) = activity.customers.unwrap_or_default();
            ActivityRow {
                hour,
                book: offset,
                meter: meter.to_owned(),
                kind: kind.to_owned(),
                integral: activity.integral.unwrap_or_default(),
                customers,
                new_customers,
                counted_at: now.0,
                provider,
            }
        };
        let (from, until) = (activity::end_s(now, activity::COUNTED_MAX_HOURS), activity::end_s(now, 0));
        let counted = newest(client, &providers, from, until).await?;
        let more: BTreeSet<String> =
            counted.into_iter().filter(|row| !is_nothing(row)).map(|row| row.provider).collect();
        let mut rows: Vec<ActivityRow> = found.into_iter().map(row).collect();
        rows.retain(|row| !is_nothing(row) || more.contains(&row.provider));
        insert(client, &rows).await?;
    }
}

fn is_nothing(row: &ActivityRow) -> bool {
    row.integral == 0 && row.customers == 0
}

/// Makes the sales credits of the next documents; whether all that are due were there. A document whose header is written and which is not
/// itself is waited for.
///
/// # Errors
/// The server's, and a document that is not what was issued.
pub async fn credit(client: &Client) -> Result<bool, ProgrammeError> {
    let Some(due) = sales_credit::due(client, CREDITS_BATCH).await? else { return Ok(true) };
    let query = WholesaleQuery { records: Some((due.first, due.last)), ..WholesaleQuery::default() };
    let (mut documents, mut rows, mut made) = (Documents::new(client, query, None), Vec::new(), 0);
    while let Some((number, credits)) = documents.next().await? {
        let wrong = |error| ProgrammeError::Document { number: number.clone(), error };
        for credit in credits.credits {
            rows.push(row(credit).map_err(wrong)?);
        }
        if rows.len() >= CREDITS_MAX {
            sales_credit::insert(client, &std::mem::take(&mut rows)).await?;
        }
        made += 1;
    }
    sales_credit::insert(client, &rows).await?;
    if made < due.documents {
        return Ok(false);
    }
    sales_credit::mark(client, due.last.saturating_add(1)).await?;
    Ok(true)
}

fn row(credit: Credit) -> Result<SalesCreditRow, DocumentError> {
    Ok(SalesCreditRow {
        no: u32::try_from(credit.no).map_err(|_| DocumentError::OutOfRange("the number of a row"))?,
        holder: credit.holder.as_str().to_owned(),
        customer: credit.customer.unwrap_or_default(),
        route: name(credit.route).to_owned(),
        deal: credit.deal.unwrap_or_default(),
        month: credit.month.to_string(),
        basis: credit.basis.minor(CREDIT_PLACES)?,
        credit: credit.credit.minor(CREDIT_PLACES)?,
        number: credit.number,
        provider: credit.provider,
        team: credit.team,
        role: credit.role,
        currency: credit.currency,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(partition: u32, from: u64, next_offset: u64) -> Part {
        let to = MarkRow { partition, next_offset, reached: next_offset, log_time: 9, ..MarkRow::default() };
        Part { from, to }
    }

    fn shown(due: Vec<Part>) -> Vec<Vec<(u32, u64, u64, i64)>> {
        let part = |part: &Part| {
            assert_eq!(part.to.reached, part.to.next_offset);
            (part.to.partition, part.from, part.to.next_offset, part.to.log_time)
        };
        statements(due).iter().map(|parts| parts.iter().map(part).collect()).collect()
    }

    #[test]
    fn a_statement_has_offsets_up_to_its_limit() {
        const MAX: u64 = OFFSETS_MAX;
        assert_eq!(shown(vec![]), Vec::<Vec<_>>::new());
        assert_eq!(shown(vec![due(0, 0, MAX - 1)]), [[(0, 0, MAX - 1, 9)]]);
        assert_eq!(shown(vec![due(0, 0, MAX)]), [[(0, 0, MAX, 9)]]);
        assert_eq!(shown(vec![due(0, 0, MAX + 1)]), [[(0, 0, MAX, 0)], [(0, MAX, MAX + 1, 9)]]);
        assert_eq!(shown(vec![due(0, MAX, MAX + 1)]), [[(0, MAX, MAX + 1, 9)]]);
        let both = shown(vec![due(0, 0, MAX), due(1, 5, 8)]);
        assert_eq!(both, [vec![(1, 5, 8, 9), (0, 0, MAX - 3, 0)], vec![(0, MAX - 3, MAX, 9)]]);
    }

    #[test]
    fn a_round_has_statements_up_to_its_limit_and_every_partition_its_turn() {
        let most = STATEMENTS_MAX as u64 * OFFSETS_MAX;
        let length = |next: u64| shown(vec![due(0, 0, next)]).len();
        assert_eq!([most - 1, most, most + 1].map(length), [STATEMENTS_MAX; 3]);
        // one that is far behind, and more partitions than statements that are not
        let many = std::iter::once(due(0, 0, most * 9)).chain((1..100).map(|partition| due(partition, 40, 70)));
        let all: Vec<_> = shown(many.collect()).into_iter().flatten().collect();
        assert!((0..100).all(|partition| all.iter().any(|(of, ..)| *of == partition)));
    }
}
