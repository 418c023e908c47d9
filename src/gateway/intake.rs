//! A body becomes records: inflated, split, routed, and sent if all of it is usage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::producer::future_producer::DeliveryFuture;
use tokio::sync::Semaphore;

use super::budget::{Budget, Held};
use super::error::{Away, GatewayError};
use super::form::Form;
use super::inflate::inflate;
use super::route::{Route, Sends};
use super::sender::Sender;
use crate::config;
use crate::core::decision::stream::StreamRegister;
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;

/// Bodies that are decoded at once: it is processor time, and memory for what comes of it.
const DECODES_MAX: usize = 4;

/// A request's body and what its headers say of it.
#[derive(Debug)]
pub struct Body {
    /// As it was sent.
    pub bytes: Vec<u8>,
    /// Whether it is gzip.
    pub is_gzip: bool,
    /// How it carries its events.
    pub form: Form,
    /// The memory that it takes, until Kafka has all of it.
    pub held: Held,
}

/// The way to the log.
pub struct Intake {
    limits: config::Gateway,
    control: ControlFollower,
    /// Whether the control log has been read to an end: before that nobody knows which streams are open.
    has_read: AtomicBool,
    sender: Sender,
    decodes: Arc<Semaphore>,
    budget: Budget,
}

/// What was sent, and is not acknowledged yet.
struct Sent {
    deliveries: Vec<DeliveryFuture>,
    failed: Option<String>,
    held: Held,
}

impl Intake {
    /// Connects when the first events come.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(
        kafka: &config::Kafka,
        gateway: &config::Gateway,
        control: ControlFollower,
    ) -> Result<Arc<Self>, SeamError> {
        Ok(Arc::new(Self {
            limits: gateway.clone(),
            control,
            has_read: AtomicBool::new(false),
            sender: Sender::new(kafka, gateway)?,
            decodes: Arc::new(Semaphore::new(DECODES_MAX)),
            budget: Budget::new(gateway.in_flight_max_bytes),
        }))
    }

    /// The memory that bodies may take.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Has all events of a body acknowledged by Kafka in time, or none sent. `count` hears how many there are before they are sent. What is
    /// begun goes on when nobody waits for it any more, so that memory is counted until it is free.
    ///
    /// # Errors
    /// What has to change, and what is to be tried again.
    pub async fn take(
        self: &Arc<Self>,
        body: Body,
        sends: Sends,
        count: impl FnOnce(usize) + Send + 'static,
    ) -> Result<usize, GatewayError> {
        let place = Arc::clone(&self.decodes).acquire_owned();
        let place = tokio::time::timeout(self.limits.acknowledge_timeout, place).await;
        let Ok(Ok(place)) = place else { return Err(Away::Full.into()) };
        let intake = Arc::clone(self);
        let taken = tokio::spawn(async move {
            let decoding = Arc::clone(&intake);
            let sent = tokio::task::spawn_blocking(move || {
                let _place = place;
                decoding.send(body, &sends, count)
            });
            let sent = sent.await.map_err(|error| Away::Kafka(format!("decoding: {error}")))??;
            let events = sent.deliveries.len();
            let acknowledged = intake.sender.acknowledged(sent.deliveries).await;
            drop(sent.held);
            match sent.failed {
                Some(failed) => Err(Away::Kafka(failed).into()),
                None => acknowledged.map(|()| events).map_err(GatewayError::from),
            }
        });
        // librdkafka gives records up later than it is told to while it waits to connect again: nobody is kept waiting for that
        match tokio::time::timeout(self.limits.acknowledge_timeout, taken).await {
            Ok(taken) => taken.map_err(|error| Away::Kafka(format!("sending: {error}")))?,
            Err(_) => Err(Away::Kafka("no acknowledgement in time".to_owned()).into()),
        }
    }

    fn send(&self, body: Body, sends: &Sends, count: impl FnOnce(usize)) -> Result<Sent, GatewayError> {
        let Body { bytes, is_gzip, form, mut held } = body;
        let bytes = match is_gzip {
            true => inflate(&bytes, self.limits.inflated_max_bytes, &mut held)?,
            false => bytes,
        };
        let events = form.events(&bytes, self.limits.batch_max_events)?;
        count(events.len());
        let headers = form.headers();
        let route = Route { register: &self.register()?, shared: self.limits.shared_stream.as_deref(), sends };
        let routed = route.all(&events, &headers)?;
        let (mut deliveries, mut failed) = (Vec::with_capacity(routed.len()), None);
        for event in routed {
            match self.sender.send(&event.stream, &event.array, &headers, event.value) {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => {
                    self.sender.renew_if_broken();
                    failed = Some(error.to_string());
                    break;
                }
            }
        }
        Ok(Sent { deliveries, failed, held })
    }

    /// The streams as decisions stand. The log of decisions is followed all the time; only the first time its end is waited for.
    fn register(&self) -> Result<StreamRegister, GatewayError> {
        if !self.has_read.load(Ordering::Acquire) {
            self.control.read_to_end().map_err(|error| Away::Kafka(error.to_string()))?;
            self.has_read.store(true, Ordering::Release);
        }
        Ok(self.control.register())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::error::{EVENTS_TOLD_MAX, Refusal};
    use super::*;
    use crate::config::{Config, Source};

    fn intake() -> Arc<Intake> {
        let mut config = Config::from_parts(Source::Defaults, "", []).unwrap();
        config.kafka.bootstrap_servers = "127.0.0.1:1".to_owned();
        config.gateway.acknowledge_timeout = Duration::from_millis(200);
        let control = ControlFollower::start(&config.kafka).unwrap();
        control.stop();
        let intake = Intake::new(&config.kafka, &config.gateway, control).unwrap();
        // without events there is nothing to look up
        intake.has_read.store(true, Ordering::Release);
        intake
    }

    async fn take(intake: &Arc<Intake>, batch: &str) -> GatewayError {
        let (bytes, held) = (batch.as_bytes().to_vec(), intake.budget().hold());
        let body = Body { bytes, is_gzip: false, form: Form::Batch, held };
        intake.take(body, Sends::All, |_| {}).await.unwrap_err()
    }

    #[tokio::test]
    async fn so_many_bodies_are_decoded_at_once_and_the_next_one_waits() {
        let intake = intake();
        let mut places = Vec::new();
        for _ in 0..DECODES_MAX {
            let refused = take(&intake, "{}").await;
            assert!(matches!(refused, GatewayError::Refused(Refusal::Batch(_))), "{refused}");
            places.push(Arc::clone(&intake.decodes).try_acquire_owned().unwrap());
        }
        let full = take(&intake, "{}").await;
        assert!(matches!(full, GatewayError::Away(Away::Full)), "{full}");
        places.pop();
        assert!(matches!(take(&intake, "{}").await, GatewayError::Refused(_)));
    }

    #[tokio::test]
    async fn refusals_are_counted_all_and_told_up_to_their_limit() {
        let intake = intake();
        for count in [EVENTS_TOLD_MAX - 1, EVENTS_TOLD_MAX, EVENTS_TOLD_MAX + 1] {
            let batch = format!("[{}]", vec!["{}"; count].join(","));
            match take(&intake, &batch).await {
                GatewayError::Refused(Refusal::Events { count: counted, of, first, told }) => {
                    assert_eq!((counted, of, told.len()), (count, count, count.min(EVENTS_TOLD_MAX)));
                    assert_eq!((first.index, told.last().unwrap().index), (0, told.len() - 1));
                    assert_eq!(first.reason, "schema");
                }
                other => panic!("{other}"),
            }
        }
    }
}
