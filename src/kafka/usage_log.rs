//! The fold's Log over one partition's own queue of a group's consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::group::{AssignedPartition, GroupContext};
use super::reader::{append_time, record};
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Offset, Partition, StreamId};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::seam::{Flow, Log, LogEnds};

/// The longest wait for an answer of the broker about offsets.
const BROKER_WAIT: Duration = Duration::from_secs(10);
/// Longer than any fetch takes: if records are there and none comes for so long, the position was lost.
const QUIET_TOO_LONG: Duration = Duration::from_secs(5);
/// Records between two looks at the watch.
const LOOK_EVERY: u64 = 256;

/// One partition of a usage topic.
pub struct UsageLog {
    consumer: Arc<BaseConsumer<GroupContext>>,
    queue: PartitionQueue<GroupContext>,
    topic: String,
    partition: i32,
    stream: StreamId,
    label: String,
    stopped: Arc<AtomicBool>,
    end: Offset,
    place: Place,
}

/// Where the log is read. A seek right after an assignment may be overtaken by the assignment itself, which takes effect later on
/// another thread: then records come from the beginning, at once or after some have come from where the seek went. So what lies below
/// the place is never taken, and the first record after a seek is looked at: what is due is asked for again.
#[derive(Debug)]
struct Place {
    /// The offset that is due.
    next: u64,
    /// Whether a record has come since the last seek.
    settled: bool,
    /// A first record that lies further than what is due: the log has a hole there if it comes a second time.
    hole_to: Option<u64>,
    /// Since when nothing came.
    quiet_since: Moment,
    /// Where the log ended when what is due was asked for again since nothing came. If the broker then says that nothing is there, what lies
    /// between are no records: ends of transactions, and what was never committed.
    asked_to: Option<u64>,
    /// Where nothing is left below.
    nothing_below: Option<u64>,
}

/// What to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    /// It is the one that is due.
    Take,
    /// It is not: ask again.
    SeekAgain,
}

impl Place {
    fn at(next: u64) -> Self {
        let quiet_since = Moment::now();
        Self { next, settled: false, hole_to: None, quiet_since, asked_to: None, nothing_below: None }
    }

    /// What is due is asked for again, since nothing came although the log ends at `end`.
    fn ask_again(&mut self, end: u64) {
        (self.quiet_since, self.asked_to) = (Moment::now(), Some(end));
    }

    /// The broker says that nothing is there. An answer from before the question was asked never comes: a seek drops what waits.
    fn ended(&mut self) {
        if let Some(end) = self.asked_to.take().filter(|end| *end > self.next) {
            (self.next, self.nothing_below) = (end, Some(end));
        }
    }

    /// Looks at the offset of a record that came.
    fn arrived(&mut self, offset: u64) -> Arrival {
        // the assignment may take effect even after a record has come from where the seek went
        let goes_on = self.settled && offset >= self.next;
        let as_due = offset == self.next || goes_on || self.hole_to == Some(offset);
        if !as_due {
            self.hole_to = (offset > self.next).then_some(offset);
            return Arrival::SeekAgain;
        }
        (self.settled, self.hole_to, self.next, self.quiet_since) = (true, None, offset + 1, Moment::now());
        (self.asked_to, self.nothing_below) = (None, None);
        Arrival::Take
    }
}

impl UsageLog {
    /// The log of a partition that was assigned and paused: its queue is split off. `stopped` is set when it is revoked: then it gives
    /// nothing more, since its queue may belong to the next owner.
    ///
    /// # Errors
    /// If librdkafka does not know the partition.
    pub fn of(assigned: AssignedPartition, rules: &StreamRules, stopped: Arc<AtomicBool>) -> KafkaResult<Self> {
        let AssignedPartition { topic, partition, consumer } = assigned;
        let queue = consumer.split_partition_queue(&topic, partition);
        let queue =
            queue.ok_or_else(|| KafkaError::Subscription(format!("{}/{partition} has no queue", rules.stream)))?;
        let label = rules.label(Partition(u32::try_from(partition).unwrap_or_default()));
        let (topic, stream) = (rules.topic.clone(), rules.stream.clone());
        Ok(Self { consumer, queue, topic, partition, stream, label, stopped, end: Offset(0), place: Place::at(0) })
    }

    fn partitions(&self) -> TopicPartitionList {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(&self.topic, self.partition);
        partitions
    }

    fn trouble(&self, error: &KafkaError) -> SeamError {
        use RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange, UnknownTopicOrPartition};
        match error.rdkafka_error_code() {
            Some(AutoOffsetReset | OffsetOutOfRange) => Permanent::OffsetGone { label: self.label.clone() }.into(),
            Some(UnknownTopicOrPartition) => {
                SeamError::retryable(format!("{}: the topic is not there (deleted?); waiting for it", self.label))
            }
            _ => SeamError::retryable(format!("{}: kafka: {error}", self.label)),
        }
    }
}

impl UsageLog {
    fn seek(&self, from: Offset) -> Result<(), SeamError> {
        let offset = KafkaOffset::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        self.consumer
            .seek(&self.topic, self.partition, offset, BROKER_WAIT)
            .and_then(|()| self.consumer.resume(&self.partitions()))
            .map_err(|error| self.trouble(&error))
    }
}

impl Log for UsageLog {
    fn ends(&mut self) -> Result<LogEnds, SeamError> {
        let ends = self.consumer.fetch_watermarks(&self.topic, self.partition, BROKER_WAIT);
        let (first, end) = ends.map_err(|error| self.trouble(&error))?;
        let offset = |offset: i64| Offset(u64::try_from(offset).unwrap_or_default());
        self.end = offset(end);
        Ok(LogEnds { first: offset(first), end: offset(end) })
    }

    fn start_at(&mut self, from: Offset) -> Result<(), SeamError> {
        self.place = Place::at(from.0);
        self.seek(from)
    }

    fn fetch(
        &mut self,
        max_wait_ms: u64,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<Flow, SeamError>,
    ) -> Result<u64, SeamError> {
        let deadline = Moment::now() + Duration::from_millis(max_wait_ms);
        let mut wait = Duration::from_millis(max_wait_ms);
        let mut fetched = 0u64;
        while !self.stopped.load(Ordering::Acquire) {
            let message = match self.queue.poll(wait) {
                None => break,
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.place.ended();
                    wait = deadline.saturating_duration_since(Moment::now());
                    continue;
                }
                Some(message) => message.map_err(|error| self.trouble(&error))?,
            };
            let offset = u64::try_from(message.offset()).unwrap_or_default();
            if self.place.arrived(offset) == Arrival::SeekAgain {
                tracing::debug!(partition = %self.label, offset, due = self.place.next, "seeking again");
                self.seek(Offset(self.place.next))?;
                continue;
            }
            fetched += 1;
            wait = Duration::ZERO;
            let flow = record(&message, append_time(&message, (&self.label, &self.stream))?, sink)?;
            if flow == Flow::Enough || (fetched.is_multiple_of(LOOK_EVERY) && Moment::now() >= deadline) {
                break;
            }
        }
        if self.end.0 > self.place.next && self.place.quiet_since.elapsed() >= QUIET_TOO_LONG {
            tracing::debug!(partition = %self.label, due = self.place.next, "nothing comes: seeking again");
            self.seek(Offset(self.place.next))?;
            self.place.ask_again(self.end.0);
        }
        Ok(fetched)
    }

    fn nothing_below(&self) -> Option<Offset> {
        self.place.nothing_below.map(Offset)
    }

    fn commit(&mut self, next: Offset) {
        let mut partitions = TopicPartitionList::new();
        let offset = KafkaOffset::Offset(i64::try_from(next.0).unwrap_or(i64::MAX));
        let added = partitions.add_partition_offset(&self.topic, self.partition, offset);
        // a courtesy to lag tools: recovery never reads it, so trouble here is not trouble
        if let Err(error) = added.and_then(|()| self.consumer.commit(&partitions, CommitMode::Async)) {
            tracing::debug!(partition = %self.label, %error, "offset not committed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_seek_only_what_is_due_is_taken() {
        let mut place = Place::at(1000);
        // the assignment overtook the seek: the log comes from its beginning
        assert_eq!([0, 1, 999].map(|offset| place.arrived(offset)), [Arrival::SeekAgain; 3]);
        assert_eq!([1000, 1001, 1005].map(|offset| place.arrived(offset)), [Arrival::Take; 3]);
        assert_eq!(place.next, 1006);
        // and overtook it only after records had come
        assert_eq!([0, 1005].map(|offset| place.arrived(offset)), [Arrival::SeekAgain; 2]);
        assert_eq!([1006, 1008].map(|offset| place.arrived(offset)), [Arrival::Take; 2]);
        // a hole right behind the place: the same record comes a second time
        let mut place = Place::at(1000);
        assert_eq!([1003, 1004, 1003].map(|offset| place.arrived(offset)), [Arrival::SeekAgain; 3]);
        assert_eq!([1003, 1004].map(|offset| place.arrived(offset)), [Arrival::Take; 2]);
    }

    #[test]
    fn what_is_no_record_is_passed_if_the_broker_was_asked_for_it() {
        let mut place = Place::at(10);
        assert_eq!(place.arrived(10), Arrival::Take);
        // it may have ended before the log grew
        place.ended();
        assert_eq!((place.next, place.nothing_below), (11, None));
        // a record came after the question: the answer is about what follows it
        place.ask_again(13);
        assert_eq!(place.arrived(11), Arrival::Take);
        place.ended();
        assert_eq!((place.next, place.nothing_below), (12, None));
        place.ask_again(13);
        place.ended();
        assert_eq!((place.next, place.nothing_below), (13, Some(13)));
        assert_eq!(place.arrived(13), Arrival::Take);
        assert_eq!(place.nothing_below, None);
    }
}
