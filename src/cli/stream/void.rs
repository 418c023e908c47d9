//! `plimsoll stream void`: the records of a stream that count for nothing, and how they are sent to where they count.

use std::collections::BTreeSet;
use std::io::{BufWriter, StdoutLock, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::name::any;
use crate::cli::control::follow;
use crate::clickhouse::Client;
use crate::clickhouse::read::events;
use crate::clickhouse::read::whole::Whole;
use crate::config::Config;
use crate::core::decision::stream::Generation;
use crate::core::event::partition_of;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Offset, Partition};
use crate::fold::error::SeamError;
use crate::kafka::client::client_config;
use crate::kafka::reader::{Reader, Stamp};
use crate::kafka::topic::{Topics, USAGE_MAX_MESSAGE_BYTES};

/// How long the broker may take to acknowledge a record.
const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(60);

/// List the records of a stream that are void, as lines of JSON: past the end of a closed generation, or in a recorded hole
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  plimsoll stream void usage-1 --send-again")]
pub(in crate::cli) struct Void {
    /// The stream's id: usage-1; or its topic, or its first name, if just one generation has it
    stream: String,
    /// Send those that the log still has to the generation in which the stream goes on; what it knows already is a duplicate there
    #[arg(long)]
    send_again: bool,
    /// As well what the log has below the end of a closed generation: for a topic that was re-created, whose records were never folded
    #[arg(long)]
    below_end: bool,
}

/// One void record.
#[derive(Debug, Serialize)]
struct Line<'a> {
    stream: &'a str,
    partition: u32,
    offset: Whole,
    /// `past_end`, `lost` or `below_end`.
    why: &'static str,
    /// What a worker made of it before it was void; none if nobody folded it.
    disposition: Option<&'a str>,
    array: Option<&'a str>,
    time: Option<String>,
    /// Its bytes, if the log still has it.
    bytes: Option<usize>,
}

impl Void {
    pub(super) fn run(self, config: &Config, runtime: &Runtime) -> anyhow::Result<ExitCode> {
        let register = follow(config)?.register();
        let generation = any(&register, &self.stream)?;
        let to = match (self.send_again, register.now(&generation.rules.stream)) {
            (false, _) => None,
            (true, Some(now)) => Some(Sender::new(config, &now.rules)?),
            (true, None) => bail!("{} goes on nowhere", generation.rules.stream),
        };
        let topics = Topics::new(&config.kafka)?;
        let there = topics.partitions(&generation.rules.topic)?.unwrap_or(0);
        let mut list = List {
            client: Client::new(&config.clickhouse),
            reader: Reader::new(&config.kafka)?,
            generation,
            there,
            runtime,
            out: BufWriter::new(std::io::stdout().lock()),
            to,
            sent: 0,
        };
        for partition in (0..there.max(generation.rules.partitions)).map(Partition) {
            for hole in generation.holes(partition) {
                list.span(partition, (hole.from, hole.to), "lost")?;
            }
            if let Some(end) = generation.end(partition) {
                if self.below_end {
                    list.in_log(partition, (Offset(0), end), &BTreeSet::new(), "below_end")?;
                }
                list.span(partition, (end, Offset(u64::MAX)), "past_end")?;
            }
        }
        list.out.flush()?;
        if self.send_again {
            eprintln!("{} records sent again", list.sent);
        }
        Ok(ExitCode::SUCCESS)
    }
}

struct List<'a> {
    client: Client,
    reader: Reader,
    generation: &'a Generation,
    /// Partitions that the topic has now.
    there: u32,
    runtime: &'a Runtime,
    out: BufWriter<StdoutLock<'static>>,
    to: Option<Sender>,
    sent: u64,
}

impl List<'_> {
    /// Lists one span: what the ledger has of it, then what only the log has.
    fn span(&mut self, partition: Partition, (from, to): (Offset, Offset), why: &'static str) -> anyhow::Result<()> {
        let stream = &self.generation.rules.stream;
        let mut folded = BTreeSet::new();
        let part = events::Part { stream: stream.clone(), partition: Some(partition.0), from: from.0, to: Some(to.0) };
        let out = &mut self.out;
        self.runtime
            .block_on(events::read::<anyhow::Error>(&self.client, &part, |row| {
                let event = row.printed(stream);
                folded.insert(row.offset());
                let (offset, disposition, array) = (event.offset, Some(event.disposition), event.array);
                let time = event.time.clone();
                line(
                    out,
                    &Line {
                        stream: &stream.0,
                        partition: partition.0,
                        offset,
                        why,
                        disposition,
                        array,
                        time,
                        bytes: None,
                    },
                )
            }))
            .context("cannot read the ledger")?;
        self.in_log(partition, (from, to), &folded, why)
    }

    /// What the log has of a span that is not listed yet.
    fn in_log(
        &mut self,
        partition: Partition,
        (from, to): (Offset, Offset),
        folded: &BTreeSet<u64>,
        why: &'static str,
    ) -> anyhow::Result<()> {
        if partition.0 >= self.there {
            return Ok(());
        }
        let topic = &*self.generation.rules.topic;
        let ends = self.reader.ends(topic, partition)?;
        let (mut begin, end) = (from.max(ends.first), to.min(ends.end));
        while begin < end {
            // in pieces, so that memory is bounded however much the log holds
            let piece_end = Offset(begin.0.saturating_add(PIECE)).min(end);
            let mut records: Vec<Owned> = Vec::new();
            self.reader.read((topic, partition), (begin, piece_end), Stamp::Any, &mut |record| {
                records.push(Owned::of(record));
                Ok::<(), SeamError>(())
            })?;
            self.records(partition, &records, folded, why)?;
            begin = piece_end;
        }
        Ok(())
    }

    fn records(
        &mut self,
        partition: Partition,
        records: &[Owned],
        folded: &BTreeSet<u64>,
        why: &'static str,
    ) -> anyhow::Result<()> {
        for record in records {
            if !folded.contains(&record.offset) {
                let (stream, partition, offset) =
                    (&*self.generation.rules.stream.0, partition.0, Whole(i128::from(record.offset)));
                let (array, bytes) = (record.array(), Some(record.value.len()));
                let seen = Line { stream, partition, offset, why, disposition: None, array, time: None, bytes };
                line(&mut self.out, &seen)?;
            }
            if let Some(sender) = &self.to {
                self.runtime.block_on(sender.send(record))?;
                self.sent += 1;
            }
        }
        Ok(())
    }
}

/// Offsets read at a time.
const PIECE: u64 = 1000;

fn line(out: &mut BufWriter<StdoutLock<'static>>, line: &Line<'_>) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    Ok(out.write_all(b"\n")?)
}

/// A record with its bytes.
struct Owned {
    offset: u64,
    key: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    value: Vec<u8>,
}

impl Owned {
    fn of(record: &LogRecord<'_>) -> Self {
        let headers = record.raw.headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        let key = record.raw.key.unwrap_or_default().to_vec();
        Self { offset: record.offset.0, key, headers: headers.collect(), value: record.raw.value.to_vec() }
    }

    fn array(&self) -> Option<&str> {
        std::str::from_utf8(&self.key).ok().filter(|key| !key.is_empty())
    }
}

/// Sends records to the generation in which their stream goes on.
struct Sender {
    producer: FutureProducer,
    topic: String,
    partitions: u32,
}

impl Sender {
    fn new(config: &Config, rules: &StreamRules) -> anyhow::Result<Self> {
        let producer = client_config(&config.kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.max.bytes", USAGE_MAX_MESSAGE_BYTES.to_string())
            .create()
            .context("kafka settings")?;
        Ok(Self { producer, topic: rules.topic.clone(), partitions: rules.partitions })
    }

    /// Sends one record as it is; the broker has it when this returns.
    async fn send(&self, record: &Owned) -> anyhow::Result<()> {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let partition = partition_of(&record.key, self.partitions);
        let message = FutureRecord::to(&self.topic)
            .partition(i32::try_from(partition.0).unwrap_or_default())
            .key(&record.key)
            .payload(&record.value)
            .headers(headers);
        match self.producer.send(message, ACKNOWLEDGE_WAIT).await {
            Ok(_) => Ok(()),
            Err((error, _)) => {
                bail!("{}: not acknowledged: {error}; repeating the command bills nothing twice", record.offset)
            }
        }
    }
}
