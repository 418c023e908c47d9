//! `[http]` and `[metrics]`: the two listeners and their limits.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::ConfigError;
use super::layer::Values;

const SECTION: &str = "http";

/// `[http]`, checked.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Rows on a page by default.
    pub page_size: usize,
    /// The most rows on a page.
    pub page_size_max: usize,
    /// The most rows that one usage request may group.
    pub usage_rows_max: u64,
    /// Requests at once.
    pub concurrent_requests: usize,
    /// The most bytes of a request's body.
    pub body_max_bytes: usize,
    /// How long a client may take over its request's head.
    pub header_timeout: Duration,
    /// How long a request may take altogether.
    pub request_timeout: Duration,
}

impl Http {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let page_size_max = values.count(SECTION, "page_size_max", 1..=100_000)?;
        let page_size = values.count(SECTION, "page_size", 1..=100_000)?;
        if page_size > page_size_max {
            return Err(values.refuse(
                SECTION,
                "page_size",
                format!("must not be above http.page_size_max = {page_size_max}"),
            ));
        }
        let listen =
            values.address(SECTION, "listen")?.ok_or_else(|| values.refuse(SECTION, "listen", "must not be empty"))?;
        Ok(Self {
            listen,
            page_size,
            page_size_max,
            usage_rows_max: values.number(SECTION, "usage_rows_max", 1..=1_000_000_000)?,
            concurrent_requests: values.count(SECTION, "concurrent_requests", 1..=10_000)?,
            body_max_bytes: values.count(SECTION, "body_max_kbytes", 1..=65_536)? << 10,
            header_timeout: values.seconds(SECTION, "header_timeout_seconds", 1..=300)?,
            request_timeout: values.seconds(SECTION, "request_timeout_seconds", 1..=3600)?,
        })
    }

    /// Refuses to read everything out to a network: without credentials only a loopback address is allowed.
    pub(super) fn check_exposure(&self, values: &Values, is_open: bool) -> Result<(), ConfigError> {
        if is_open && !self.listen.ip().is_loopback() {
            let mend = "is reachable from outside while there is no [[credential]]; add one, or listen on 127.0.0.1";
            return Err(values.refuse(SECTION, "listen", mend));
        }
        Ok(())
    }
}

/// `[metrics]`, checked.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Where Prometheus finds /metrics; `None` = nowhere.
    pub listen: Option<SocketAddr>,
}

impl Metrics {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self { listen: values.address("metrics", "listen")? })
    }
}
