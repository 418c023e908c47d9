//! A month of usage of many providers as a close finds it, made by hand: folding it would take an hour a measurement.
//!
//! By hand are the rows of `usage_bucket`, `usage_event` (without readings, which a close does not read), `checkpoint` and `audit`. Buckets
//! come a day at a time, as a worker writes them, and the server merges them as it does in operation.

use std::time::Duration;

use plimsoll::audit::day::{ArrayDay, DayFound};
use plimsoll::audit::record::{self, AuditRow};
use plimsoll::audit::vector::Stand;
use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::bucket_block::bucket_version;
use plimsoll::core::cut::CutPoint;
use plimsoll::core::event::partition_of;
use plimsoll::core::ledger::rules::StreamRules;
use plimsoll::core::word::{HOUR_MS, Instant, Offset, Partition};
use plimsoll::fold::checkpoint::{Checkpoint, Counts};
use plimsoll::fold::seam::Store as _;

use crate::end_to_end::Parts;

/// Arrays of a provider.
pub const ARRAYS: usize = 10;
/// Polls of an hour.
const POLLS: usize = 12;
/// Blocks of which two fit the engine's memory at a time.
const BLOCK: &str = "min_insert_block_size_rows = 300000, min_insert_block_size_bytes = 0";

/// The month of some providers.
pub struct Month<'a> {
    /// The database.
    pub client: &'a Client,
    /// The stream.
    pub rules: &'a StreamRules,
    /// The month's first hour.
    pub from: Instant,
    /// Its hours.
    pub hours: usize,
    /// Series of one array.
    pub of_array: usize,
    /// All providers that the stream has.
    pub providers: usize,
}

impl Month<'_> {
    /// The partition of an array, how many arrays it has, and which of them this is.
    fn place(&self, provider: usize, array: usize) -> (Partition, usize, usize) {
        let own = partition_of(name(provider, array).as_bytes(), self.rules.partitions);
        let all = (0..self.providers).flat_map(|provider| (0..ARRAYS).map(move |array| (provider, array)));
        let all: Vec<_> =
            all.filter(|(p, a)| partition_of(name(*p, *a).as_bytes(), self.rules.partitions) == own).collect();
        let rank = all.iter().position(|one| *one == (provider, array)).unwrap();
        (own, all.len(), rank)
    }

    /// The records of a partition with so many arrays.
    fn end(&self, arrays: usize) -> u64 {
        (self.hours * POLLS * arrays) as u64
    }

    /// Rows of a provider: its buckets, the events that they are of, and green audits of its days.
    pub async fn insert(&self, provider: usize) {
        let places: Vec<_> = (0..ARRAYS).map(|array| self.place(provider, array)).collect();
        let list = |of: fn(&(Partition, usize, usize)) -> usize| {
            let all: Vec<String> = places.iter().map(|place| of(place).to_string()).collect();
            format!("[{}]", all.join(", "))
        };
        let (partitions, counts) = (list(|place| place.0.0 as usize), list(|place| place.1));
        for day in (0..self.hours).step_by(24) {
            let hours = 24.min(self.hours - day);
            self.client.execute(&self.series(provider, (day, hours), &partitions, &counts)).await.unwrap();
            self.client.execute(&self.observed(provider, (day, hours), &partitions, &counts)).await.unwrap();
        }
        self.client.execute(&self.events(provider, &partitions, &counts, &list(|place| place.2))).await.unwrap();
        self.audits(provider, &places).await;
    }

    /// Half of an array's series are levels and half are counters; the first of each are the array's own.
    fn series(&self, provider: usize, (day, hours): (usize, usize), partitions: &str, counts: &str) -> String {
        let of_array = self.of_array;
        let four = |value: &str| format!("arrayWithConstant(4, {value})");
        let level = "if(is_level, toUInt64(1 + s % 97) * 68719476736 + cityHash64(s, hour, n) % 1073741824, 0)";
        let cells = |value: &str| format!("arrayMap(n -> {value}, [0, 1, 2, 3])");
        let levels = cells(level);
        let amounts =
            cells(&format!("if(is_level, toInt128({level}) * 900000, toInt128(cityHash64(s, hour, n) % 1073741824))"));
        let lists = [
            four("toLowCardinality(if(unit = 0, '', concat('c', toString(unit % 100))))"),
            four("toLowCardinality('//Block - Premium')"),
            four("toLowCardinality('HAM1')"),
            amounts,
            four("toUInt32(if(is_level, 900000, 0))"),
            four("toUInt32(3)"),
            levels.clone(),
            levels.clone(),
            levels,
        ];
        let from = self.from.0 / 1000;
        format!(
            "INSERT INTO usage_bucket SELECT 'provider-{provider}', {array}, if(unit = 0, 'array', 'volume'), \
             if(unit = 0, {array}, concat('vol-', toString(place), '-', leftPad(toString(unit), 6, '0'))), \
             if(is_level, 'effective_used', 'read_bytes'), toDateTime({from} + hour * 3600, 'UTC'), {version}, \
             '{stream}', {partitions}[place + 1], {as_of}, if(is_level, 'gauge', 'counter'), 15, [0, 1, 2, 3], {lists} \
             FROM (SELECT number % {series} AS s, {day} + intDiv(number, {series}) AS hour, intDiv(s, {of_array}) AS place, \
             s % {of_array} % 2 = 0 AS is_level, intDiv(s % {of_array}, 2) AS unit FROM numbers({rows})) SETTINGS {BLOCK}",
            array = format_args!("concat('array-{provider}-', toString(place))"),
            version = format_args!("{} + {}", bucket_version(1, Offset(0)), self.as_of(counts)),
            stream = self.rules.stream.0,
            as_of = self.as_of(counts),
            lists = lists.join(", "),
            series = ARRAYS * of_array,
            rows = ARRAYS * of_array * hours,
        )
    }

    /// Up to where a bucket counts: the checkpoint after its hold.
    fn as_of(&self, counts: &str) -> String {
        format!("least(hour + 2, {}) * {POLLS} * {counts}[place + 1]", self.hours)
    }

    fn observed(&self, provider: usize, (day, hours): (usize, usize), partitions: &str, counts: &str) -> String {
        let four = |value: &str| format!("arrayWithConstant(4, {value})");
        let none = four("toLowCardinality('')");
        let one = four("toUInt64(1)");
        let lists =
            [none.clone(), none, four("toLowCardinality('HAM1')"), four("toInt128(900000)"), four("toUInt32(900000)")];
        format!(
            "INSERT INTO usage_bucket SELECT 'provider-{provider}', {array}, 'array', {array}, '$observed', \
             toDateTime({from} + hour * 3600, 'UTC'), {version}, '{stream}', {partitions}[place + 1], {as_of}, 'gauge', 15, [0, 1, 2, 3], \
             {lists}, {counts_of}, {one}, {one}, {one} \
             FROM (SELECT number % {ARRAYS} AS place, {day} + intDiv(number, {ARRAYS}) AS hour FROM numbers({rows}))",
            array = format_args!("concat('array-{provider}-', toString(place))"),
            from = self.from.0 / 1000,
            version = format_args!("{} + {}", bucket_version(1, Offset(0)), self.as_of(counts)),
            stream = self.rules.stream.0,
            as_of = self.as_of(counts),
            lists = lists.join(", "),
            counts_of = four("toUInt32(3)"),
            rows = ARRAYS * hours,
        )
    }

    fn events(&self, provider: usize, partitions: &str, counts: &str, ranks: &str) -> String {
        format!(
            "INSERT INTO usage_event (stream, partition, offset, append_time, disposition, provider, array, time, decision, readings) \
             SELECT '{stream}', {partitions}[place + 1], poll * {counts}[place + 1] + {ranks}[place + 1], \
             fromUnixTimestamp64Milli({from} + poll * 300000 + 900, 'UTC'), 'accepted', 'provider-{provider}', \
             concat('array-{provider}-', toString(place)), fromUnixTimestamp64Milli({from} + poll * 300000, 'UTC'), -1, {of_array} \
             FROM (SELECT toUInt64(number % {ARRAYS}) AS place, toInt64(intDiv(number, {ARRAYS})) AS poll FROM numbers({rows})) \
             SETTINGS max_partitions_per_insert_block = 0",
            stream = self.rules.stream.0,
            from = self.from.0,
            of_array = self.of_array,
            rows = ARRAYS * POLLS * self.hours,
        )
    }

    async fn audits(&self, provider: usize, places: &[(Partition, usize, usize)]) {
        let last = |day: i64| {
            let hours = (day + 1) * 24 - self.from.hour().0;
            usize::try_from(hours).unwrap().min(self.hours) - 1
        };
        let end = self.from.plus_ms(self.hours as i64 * HOUR_MS);
        let days = self.from.hour().0.div_euclid(24)..=(end.hour().0 - 1).div_euclid(24);
        let mut rows = Vec::new();
        for (array, (partition, count, _)) in places.iter().enumerate() {
            let stand = self.stand(*partition, *count);
            for day in days.clone() {
                let as_of = Offset(((last(day) + 2).min(self.hours) * POLLS * count) as u64);
                let found = DayFound { version: bucket_version(1, as_of), ..DayFound::default() };
                let (provider, array) = (format!("provider-{provider}").into(), name(provider, array).into());
                rows.push(AuditRow::new(&ArrayDay { provider, array, day }, &found, &stand, end.0));
            }
        }
        record::write(self.client, &rows).await.unwrap();
    }

    fn stand(&self, partition: Partition, arrays: usize) -> Stand {
        let point = CutPoint { stream: self.rules.stream.clone(), partition, offset: Offset(self.end(arrays)) };
        Stand { point, generation: 1, control: Offset(CONTROL), log_time: Instant(0) }
    }

    /// Checkpoints at the ends of all partitions, whose log time is past every grace.
    pub fn checkpoints(&self, parts: &Parts, log_time: Instant) {
        let mut store = parts.store(&self.client.settings().database);
        let all = (0..self.providers).flat_map(|provider| (0..ARRAYS).map(move |array| (provider, array)));
        let places: std::collections::BTreeSet<(u32, usize)> = all
            .map(|(provider, array)| self.place(provider, array))
            .map(|(partition, count, _)| (partition.0, count))
            .collect();
        for (partition, count) in places {
            let next = self.end(count);
            let checkpoint = Checkpoint {
                stream: self.rules.stream.clone(),
                generation: 1,
                partition: Partition(partition),
                from: Offset(0),
                next: Offset(next),
                control: Offset(CONTROL),
                log_time,
                consumed: next,
                counts: Counts { accepted: next, ..Counts::default() },
                digest: 0,
                last: None,
                first_append_time: self.from,
            };
            store.insert_checkpoint(&checkpoint).unwrap();
        }
    }

    /// Waits until the server merges nothing more, and has it merge what it would merge in a day if wanted. How many parts there are then.
    pub async fn settle(&self, is_merged: bool) -> u64 {
        if is_merged {
            self.client.execute("OPTIMIZE TABLE usage_bucket FINAL").await.unwrap();
        }
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let merging: u64 = self.count("SELECT count() FROM system.merges").await;
            if merging == 0 {
                return self.count("SELECT count() FROM system.parts WHERE active AND table = 'usage_bucket' AND database = currentDatabase()").await;
            }
        }
    }

    async fn count(&self, sql: &str) -> u64 {
        self.client.fetch_optional(self.client.select(sql)).await.unwrap().unwrap_or_default()
    }
}

/// Decisions that checkpoints reflect: a price book and a stream.
const CONTROL: u64 = 2;

/// An array's id.
pub fn name(provider: usize, array: usize) -> String {
    format!("array-{provider}-{array}")
}
