//! The state of one partition: a function of the log below `next` and of the meters defined below `control` (I4).

use std::collections::VecDeque;
use std::sync::Arc;

use super::checkpoint::{Checkpoint, LastRecord, Span, Totals};
use super::error::Permanent;
use super::ledger::{BucketPlace, LedgerEvent, LedgerRow};
use crate::core::event::{self, Limits};
use crate::core::ledger::batch::{LedgerBatch, RowMeta};
use crate::core::ledger::digest::{Said, record_hash};
use crate::core::ledger::judge::{Judge, LogRecord, NamedDecision, Verdict};
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::array::MeterReading;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::held::EventOrder;
use crate::core::metering::partition::{PartitionMeter, PutOut};
use crate::core::word::{Disposition, Offset, Partition};
use crate::mutation::{Mutation, planted};

/// The fold of one partition.
#[derive(Debug)]
pub struct PartitionFold {
    rules: Arc<StreamRules>,
    partition: Partition,
    limits: Limits,
    next: Offset,
    control: Offset,
    judge: Judge,
    meter: PartitionMeter,
    batch: LedgerBatch,
    span: Span,
    totals: Totals,
    consumed: u64,
    /// Offsets that recorded holes passed over.
    lost: u64,
    last: Option<LastRecord>,
    /// Rows at or above the checkpoint that were in the ledger when the state was rebuilt, in the order of their offsets: no part of the
    /// state, but what the log says must become the same rows again.
    ahead: VecDeque<LedgerRow>,
}

impl PartitionFold {
    /// The fold at a position, from the state that was rebuilt there.
    #[must_use]
    pub fn new(
        rules: Arc<StreamRules>,
        partition: Partition,
        next: Offset,
        control: Offset,
        judge: Judge,
        meter: PartitionMeter,
        last: Option<LastRecord>,
    ) -> Self {
        let limits = limits_of(&rules);
        let (batch, span) = (LedgerBatch::default(), Span::new(next));
        let totals = Totals::default();
        let (consumed, lost, ahead) = (0, 0, VecDeque::new());
        Self { rules, partition, limits, next, control, judge, meter, batch, span, totals, consumed, lost, last, ahead }
    }

    /// Folds the next record: gives it its disposition and its ledger row, and meters it if it is accepted.
    ///
    /// # Errors
    /// Permanent if the offsets do not rise, or if the record is not the one of which the ledger has a row already.
    pub fn fold(&mut self, record: &LogRecord<'_>, named: NamedDecision) -> Result<Disposition, Permanent> {
        if record.offset < self.next {
            return Err(Permanent::OffsetsFell { label: self.label(), expected: self.next.0, got: record.offset.0 });
        }
        self.consumed += 1;
        let decoded = event::decode(&record.raw, &self.limits);
        let unknown =
            |event: &event::Event<'_>| event.readings.iter().any(|r| self.meter.meters().get(&r.meter).is_none());
        let named = match &decoded {
            Ok(event) if planted(Mutation::CatalogInDisposition) && unknown(event) => NamedDecision::Unmatched,
            _ => named,
        };
        let verdict = self.judge.judge(record, &decoded, named);
        let readings = match &decoded {
            Ok(event) => event.readings.len() as u32,
            Err(refusal) => refusal.readings,
        };
        self.compare_ahead(record, &verdict, readings)?;
        let decision = match named {
            NamedDecision::Matching(offset) => Some(offset.0),
            _ => None,
        };
        let provider = self.rules.provider.as_deref().unwrap_or_default();
        self.batch.push(record, &decoded, &RowMeta { verdict, decision, provider });
        if let (Ok(event), Disposition::Accepted) = (&decoded, verdict.disposition) {
            self.meter_event(event, record.offset);
        }
        self.span.consumed += 1;
        self.span.counts.add(verdict.disposition);
        self.totals.add(verdict.disposition);
        self.span.first_append_time.get_or_insert(record.append_time);
        let number = verdict.disposition.number();
        self.span.digest.add(record.offset.0, number, verdict.identity, verdict.content, readings);
        let hash = record_hash(record.append_time, said(&verdict, decoded.is_ok()), record.raw.value);
        self.last = Some(LastRecord { offset: record.offset, hash });
        self.next = Offset(record.offset.0 + 1);
        Ok(verdict.disposition)
    }

    /// A disposition never changes and a position holds one record: a row that was flushed and not yet under a checkpoint must come out
    /// again, or the log is another one.
    fn compare_ahead(&mut self, record: &LogRecord<'_>, verdict: &Verdict, readings: u32) -> Result<(), Permanent> {
        let row = LedgerRow {
            offset: record.offset.0,
            append_time: record.append_time,
            disposition: verdict.disposition.number(),
            identity: verdict.identity,
            content: verdict.content,
            readings,
        };
        while self.ahead.front().is_some_and(|ahead| ahead.offset <= row.offset) {
            let ahead = self.ahead.pop_front().filter(|_| !planted(Mutation::FlushedRowsIgnored));
            if let Some(ahead) = ahead.filter(|ahead| *ahead != row) {
                return Err(self.log_changed(Offset(ahead.offset)));
            }
        }
        Ok(())
    }

    /// States which rows at or above the checkpoint the ledger had when the state was rebuilt, in the order of their offsets.
    pub fn expect_again(&mut self, ahead: VecDeque<LedgerRow>) {
        self.ahead = ahead;
    }

    /// The refusal of a log whose record at `offset` is not the one that was folded.
    #[must_use]
    pub fn log_changed(&self, offset: Offset) -> Permanent {
        let to = self.known_end().max(self.next).max(Offset(offset.0 + 1));
        Permanent::LogChanged {
            label: self.label(),
            stream: self.rules.stream.clone(),
            partition: self.partition.0,
            offset: offset.0,
            from: self.span.from.0,
            to: to.0,
        }
    }

    /// Goes on at `to`: the offsets before it are recorded as lost, and what lies below them is not to be found in the log any more.
    pub fn pass_over(&mut self, to: Offset) {
        self.lost += to.0.saturating_sub(self.next.0);
        (self.next, self.span, self.last) = (to, Span::new(to), None);
    }

    /// States that no record is left below `limit`, where folding has to stop.
    pub fn reach(&mut self, limit: Offset) {
        self.next = self.next.max(limit);
    }

    /// Marks the hours that an event touches which is void and may have been metered: they are metered from what is not.
    pub fn mark_void(&mut self, event: &LedgerEvent) {
        let readings = event.readings.iter().map(|reading| (reading.kind, &*reading.resource, &*reading.meter));
        self.meter.mark_void((&event.provider, &event.array), event.time, readings);
    }

    /// Marks the hour of a bucket that was written past the end of its generation.
    pub fn mark_past_end(&mut self, bucket: &BucketPlace) {
        let BucketPlace { provider, array, kind, resource, meter, hour } = bucket;
        self.meter.mark_again((provider, array), (*kind, resource, meter), (*hour, *hour));
    }

    /// Where the log must reach at least: past everything of which the ledger has a row.
    #[must_use]
    pub fn known_end(&self) -> Offset {
        Offset(self.ahead.back().map_or(self.next.0, |row| row.offset + 1))
    }

    /// The hash by which `record` is recognised when the log shows it again.
    #[must_use]
    pub fn hash_again(&self, record: &LogRecord<'_>) -> u128 {
        hash_of(record, &self.limits)
    }

    fn meter_event(&mut self, event: &event::Event<'_>, offset: Offset) {
        let order = EventOrder {
            instant: event.time,
            recorded: event.recorded.filter(|_| !planted(Mutation::RecordedTimeIgnored)),
            generation: self.rules.generation,
            offset: offset.0,
        };
        let readings = event.readings.iter().map(|reading| MeterReading {
            kind: reading.kind,
            resource: &reading.resource,
            meter: &reading.meter,
            customer: reading.customer.as_deref(),
            tier: reading.tier.as_deref(),
            value: reading.value,
            series_hash: reading.series_hash,
        });
        self.meter.complete_from(self.judge.log_time().plus_ms(-self.rules.acceptance_window_ms));
        self.meter.accept(&event.provider, &event.array, event.site.as_deref(), order, readings);
    }

    /// Refuses a state of more than `most` bytes: before the machine has no memory left, and with the mend.
    ///
    /// # Errors
    /// Permanent, of this partition alone.
    pub fn check_state(&self, most: usize) -> Result<(), Permanent> {
        let bytes = self.judge.identities().bytes() + self.meter.bytes();
        match bytes <= most {
            true => Ok(()),
            false => Err(Permanent::StateTooLarge { label: self.label(), bytes, most }),
        }
    }

    /// Takes the ledger rows that wait for a flush.
    pub fn take_batch(&mut self) -> LedgerBatch {
        std::mem::take(&mut self.batch)
    }

    /// Everything that a checkpoint at `next` has to write, once all ledger rows are durable, and the checkpoint itself.
    /// The next span begins here.
    ///
    /// # Errors
    /// Permanent if records consumed are not the sum of the dispositions (I1).
    pub fn take_checkpoint(&mut self) -> Result<(PutOut, Checkpoint), Permanent> {
        let span = std::mem::replace(&mut self.span, Span::new(self.next));
        if span.consumed != span.counts.total() || span.consumed > self.next.0 - span.from.0 {
            let detail = format!("{} records consumed, {:?}", span.consumed, span.counts);
            return Err(Permanent::Invariant { label: self.label(), invariant: "I1", detail });
        }
        let checkpoint = Checkpoint {
            stream: self.rules.stream.clone(),
            generation: self.rules.generation,
            partition: self.partition,
            from: span.from,
            next: self.next,
            control: self.control,
            log_time: self.judge.log_time(),
            consumed: span.consumed,
            counts: span.counts,
            digest: span.digest.finish(),
            last: self.last,
            first_append_time: span.first_append_time.unwrap_or(self.judge.log_time()),
        };
        let window_ms = self.rules.acceptance_window_ms;
        self.meter.forget_arrays(self.judge.log_time().plus_ms(-window_ms - 4 * 86_400_000));
        Ok((self.meter.put_out(), checkpoint))
    }

    /// Drops what has been metered: for a fold that only judges.
    pub fn forget_buckets(&mut self) {
        self.meter.put_out();
    }

    /// Takes back the memory of buckets that were written.
    pub fn recycle(&mut self, written: BucketBatch) {
        self.meter.recycle(written);
    }

    /// States that every decision below `control` is reflected: possible as long as none of them defines a meter.
    pub fn advance_control(&mut self, control: Offset) {
        self.control = self.control.max(control);
    }

    /// The next offset that is due.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.next
    }

    /// The decisions that are reflected.
    #[must_use]
    pub fn control(&self) -> Offset {
        self.control
    }

    /// The rows that wait for a flush.
    #[must_use]
    pub fn batch(&self) -> &LedgerBatch {
        &self.batch
    }

    /// What was folded since the last checkpoint.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Records read since the state was rebuilt: counted before anything is decided, so that I1 compares two counts.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Offsets that recorded holes passed over when the state was rebuilt.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The last record that was folded, as the log must show it again; none if the log need not.
    #[must_use]
    pub fn last(&self) -> Option<LastRecord> {
        self.last
    }

    /// What was judged since the state was rebuilt.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The judge, for figures.
    #[must_use]
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The meter, for figures.
    #[must_use]
    pub fn meter(&self) -> &PartitionMeter {
        &self.meter
    }

    fn label(&self) -> String {
        self.rules.label(self.partition)
    }
}

/// The limits of a stream's events.
#[must_use]
pub fn limits_of(rules: &StreamRules) -> Limits {
    Limits {
        event_bytes: rules.max_event_bytes as usize,
        readings: rules.max_event_readings as usize,
        id_bytes: rules.max_id_bytes as usize,
    }
}

/// The hash by which a record is recognised when the log shows it again.
#[must_use]
pub fn hash_of(record: &LogRecord<'_>, limits: &Limits) -> u128 {
    let said = match event::decode(&record.raw, limits) {
        Ok(event) => Said::Event {
            identity: event::identity(&event.provider, &event.array, &event.source, &event.id),
            content: event::content(&event),
        },
        Err(_) => Said::Bytes,
    };
    record_hash(record.append_time, said, record.raw.value)
}

fn said(verdict: &Verdict, decoded: bool) -> Said {
    match decoded {
        true => Said::Event { identity: verdict.identity, content: verdict.content },
        false => Said::Bytes,
    }
}
