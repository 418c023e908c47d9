//! The load: records with acks=all, and what Kafka acknowledged of them. Half of the producers are not idempotent, as many in the field
//! are not: then a broker that is killed may have a record twice, or in another order.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use super::event::Sent;

/// The header that says which record it is, for the oracle alone.
pub const NUMBER: &str = "soak-number";
/// How long the broker may take for an answer, down time included.
const ANSWER_WAIT: Duration = Duration::from_secs(90);

/// Where Kafka says a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub number: u64,
    pub partition: i32,
    pub offset: i64,
}

#[derive(Default)]
struct Deliveries {
    acknowledged: Mutex<Vec<Acknowledged>>,
    refused: Mutex<Vec<(u64, String)>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<u64>) {
        match result {
            Ok(message) => self.acknowledged.lock().unwrap().push(Acknowledged {
                number: *number,
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, _)) => self.refused.lock().unwrap().push((*number, error.to_string())),
        }
    }
}

/// A load of records, numbered from `first` on, spread over some time.
pub struct Load<'a> {
    pub kafka: &'a str,
    pub topic: &'a str,
    pub first: u64,
    pub records: &'a [Sent],
    pub over: Duration,
    pub idempotent: bool,
}

impl Load<'_> {
    /// Sends all of it and waits for every answer. What the broker refuses is sent again by another producer, as a collector would do:
    /// whether it is in the log by then, nobody knows.
    pub fn send(&self) -> Vec<Acknowledged> {
        let mut acknowledged = Vec::new();
        let mut missing: Vec<u64> = (0..self.records.len() as u64).collect();
        for attempt in 0..3 {
            let deliveries = self.attempt(&missing, if attempt == 0 { self.over } else { Duration::ZERO });
            acknowledged.extend(deliveries.acknowledged.lock().unwrap().iter().copied());
            let refused = deliveries.refused.lock().unwrap();
            if refused.is_empty() {
                return acknowledged;
            }
            eprintln!("soak: {} records refused, sent again: {}", refused.len(), refused[0].1);
            missing = refused.iter().map(|(number, _)| number - self.first).collect();
            missing.sort_unstable();
        }
        panic!("the broker refused {} records three times", missing.len());
    }

    fn attempt(&self, places: &[u64], over: Duration) -> std::sync::Arc<Deliveries> {
        let producer: BaseProducer<Deliveries> = ClientConfig::new()
            .set("bootstrap.servers", self.kafka)
            .set("partitioner", "murmur2")
            .set("acks", "all")
            .set("enable.idempotence", if self.idempotent { "true" } else { "false" })
            .set("linger.ms", "5")
            .set("message.max.bytes", "16777216")
            .set("message.timeout.ms", ANSWER_WAIT.as_millis().to_string())
            .set("request.timeout.ms", "5000")
            .set("reconnect.backoff.max.ms", "500")
            .create_with_context(Deliveries::default())
            .unwrap();
        let begun = Instant::now();
        for (sent, place) in places.iter().enumerate() {
            let due = over.mul_f64(sent as f64 / places.len() as f64);
            while begun.elapsed() < due {
                producer.poll(Duration::from_millis(2));
            }
            self.queue(&producer, *place);
        }
        let _ = producer.flush(ANSWER_WAIT + Duration::from_secs(10)); // the counts say what came of it
        let context = std::sync::Arc::clone(producer.context());
        let answered = context.acknowledged.lock().unwrap().len() + context.refused.lock().unwrap().len();
        assert_eq!(answered, places.len(), "every record has an answer");
        context
    }

    fn queue(&self, producer: &BaseProducer<Deliveries>, place: u64) {
        let sent = &self.records[usize::try_from(place).unwrap()];
        let number = self.first + place;
        let text = number.to_string();
        let headers = OwnedHeaders::new().insert(Header { key: NUMBER, value: Some(&text) });
        let mut record = BaseRecord::with_opaque_to(self.topic, Box::new(number))
            .key(&sent.key)
            .payload(&sent.body)
            .headers(headers);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            producer.poll(Duration::from_millis(10));
        }
    }
}
