//! What every Kafka client of ours is made of.

use rdkafka::ClientConfig;

use crate::config::{Kafka, Sasl};

/// Addresses, TLS and SASL, and the site's own properties. Consumers and producers add what exactness needs on top, so that
/// no property can undo it.
#[must_use]
pub fn client_config(kafka: &Kafka) -> ClientConfig {
    let mut client = ClientConfig::new();
    for (name, value) in &kafka.properties {
        client.set(name, value.reveal());
    }
    client.set("bootstrap.servers", &kafka.bootstrap_servers);
    client.set("client.id", "plimsoll");
    client.set("security.protocol", kafka.security_protocol.as_str());
    if let Some(Sasl { mechanism, username, password }) = &kafka.sasl {
        client.set("sasl.mechanisms", mechanism.as_str());
        client.set("sasl.username", username);
        client.set("sasl.password", password.reveal());
    }
    let files = [
        ("ssl.ca.location", &kafka.ssl_ca_location),
        ("ssl.certificate.location", &kafka.ssl_certificate_location),
        ("ssl.key.location", &kafka.ssl_key_location),
    ];
    for (name, path) in files {
        if let Some(path) = path {
            client.set(name, path.to_string_lossy());
        }
    }
    if let Some(password) = &kafka.ssl_key_password {
        client.set("ssl.key.password", password.reveal());
    }
    client
}
