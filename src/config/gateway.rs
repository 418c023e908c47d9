//! `[gateway]`: usage events over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::ConfigError;
use super::layer::Values;

const SECTION: &str = "gateway";

/// `[gateway]`, checked.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Where events are taken; `None` = nowhere.
    pub listen: Option<SocketAddr>,
    /// Where events go whose provider has no stream bound to it; `None` = the one shared stream.
    pub shared_stream: Option<String>,
    /// Connections at once.
    pub connections: usize,
    /// The most bytes of a body as it is sent.
    pub body_max_bytes: usize,
    /// The most bytes of a body that was gzip.
    pub inflated_max_bytes: usize,
    /// The most events of a batch.
    pub batch_max_events: usize,
    /// Bytes of bodies that are read and not acknowledged yet, of all requests.
    pub in_flight_max_bytes: usize,
    /// How long a client may take over its request's head.
    pub header_timeout: Duration,
    /// How long a client may take over its request's body.
    pub body_timeout: Duration,
    /// How long Kafka may take to acknowledge.
    pub acknowledge_timeout: Duration,
    /// Events a second of one principal.
    pub events_per_second: u64,
    /// Bytes a second of one principal.
    pub bytes_per_second: u64,
    /// How many seconds of both may come at once.
    pub burst_seconds: u64,
}

impl Gateway {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let kbytes = |key, most| Ok::<_, ConfigError>(values.count(SECTION, key, 1..=most)? << 10);
        let gateway = Self {
            listen: values.address(SECTION, "listen")?,
            shared_stream: values.text(SECTION, "shared_stream")?,
            connections: values.count(SECTION, "connections_max", 1..=100_000)?,
            body_max_bytes: kbytes("body_max_kbytes", 65_536)?,
            inflated_max_bytes: kbytes("inflated_max_kbytes", 262_144)?,
            batch_max_events: values.count(SECTION, "batch_max_events", 1..=100_000)?,
            in_flight_max_bytes: values.count(SECTION, "in_flight_max_kbytes", 2..=16_777_216)? << 10,
            header_timeout: values.seconds(SECTION, "header_timeout_seconds", 1..=300)?,
            body_timeout: values.seconds(SECTION, "body_timeout_seconds", 1..=3600)?,
            acknowledge_timeout: values.seconds(SECTION, "acknowledge_timeout_seconds", 1..=300)?,
            events_per_second: values.number(SECTION, "events_per_second", 1..=10_000_000)?,
            bytes_per_second: values.number(SECTION, "kbytes_per_second", 1..=16_777_216)? << 10,
            burst_seconds: values.number(SECTION, "burst_seconds", 1..=3600)?,
        };
        // both are held while one is made of the other
        let greatest = gateway.body_max_bytes + gateway.inflated_max_bytes;
        if gateway.in_flight_max_bytes < greatest {
            let mend = format!("must be at least body_max_kbytes + inflated_max_kbytes = {}", greatest >> 10);
            return Err(values.refuse(SECTION, "in_flight_max_kbytes", mend));
        }
        Ok(gateway)
    }

    /// Refuses a listener that nobody needs a token for where others reach it, and one without a log to write to.
    pub(super) fn check_use(&self, values: &Values, is_open: bool, has_kafka: bool) -> Result<(), ConfigError> {
        let Some(listen) = self.listen else { return Ok(()) };
        if is_open && !listen.ip().is_loopback() {
            let mend = "is reachable from outside while there is no [[credential]]; add one, or listen on 127.0.0.1";
            return Err(values.refuse(SECTION, "listen", mend));
        }
        match has_kafka {
            true => Ok(()),
            false => Err(values.refuse(SECTION, "listen", "needs kafka.bootstrap_servers; set it too")),
        }
    }
}
