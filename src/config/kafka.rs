//! `[kafka]`: how the log is reached.

use std::path::PathBuf;

use super::error::{ConfigError, Origin};
use super::layer::Values;
use super::secret::Secret;

const SECTION: &str = "kafka";

/// Settings of librdkafka that Plimsoll sets itself, because exactness rests on them or because they have a key of their own.
const RESERVED: [&str; 24] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "isolation.level",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "queued.max.messages.kbytes",
    "request.required.acks",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
];

/// How a connection to a broker is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL in the clear.
    SaslPlaintext,
    /// SASL inside TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// The name that librdkafka uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "plaintext",
            SecurityProtocol::Ssl => "ssl",
            SecurityProtocol::SaslPlaintext => "sasl_plaintext",
            SecurityProtocol::SaslSsl => "sasl_ssl",
        }
    }

    fn has_sasl(self) -> bool {
        matches!(self, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl)
    }

    fn has_tls(self) -> bool {
        matches!(self, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl)
    }
}

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// The password itself.
    Plain,
    /// Challenge and response with SHA-256.
    ScramSha256,
    /// Challenge and response with SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    /// The name that librdkafka uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Who the client is to the broker.
#[derive(Clone, Debug)]
pub struct Sasl {
    /// How it is proved.
    pub mechanism: SaslMechanism,
    /// The name.
    pub username: String,
    /// The proof.
    pub password: Secret,
}

/// `[kafka]`, checked.
#[derive(Clone, Debug)]
pub struct Kafka {
    /// Comma-separated HOST:PORT.
    pub bootstrap_servers: String,
    /// Whether somebody has written down where Kafka is: `plimsoll serve` needs it to resolve records, and for nothing else.
    pub is_configured: bool,
    /// How connections are secured.
    pub security_protocol: SecurityProtocol,
    /// Set with the two SASL protocols, and only with them.
    pub sasl: Option<Sasl>,
    /// PEM file of the authorities to trust.
    pub ssl_ca_location: Option<PathBuf>,
    /// PEM file of the client's own certificate.
    pub ssl_certificate_location: Option<PathBuf>,
    /// PEM file of the client's own key.
    pub ssl_key_location: Option<PathBuf>,
    /// What that key is locked with.
    pub ssl_key_password: Option<Secret>,
    /// The topic of decisions.
    pub control_topic: String,
    /// The topic of issued documents.
    pub invoice_topic: String,
    /// The consumer group of the usage workers.
    pub group: String,
    /// Of the topics that Plimsoll makes.
    pub replication_factor: u16,
    /// KiB fetched and not yet folded, per partition.
    pub queued_max_kbytes: u64,
    /// Bytes of decisions that a process holds.
    pub control_max_bytes: u64,
    /// More of librdkafka's settings. Their values may be secrets (a key in PEM, a token), so all are treated as such.
    pub properties: Vec<(String, Secret)>,
}

impl Kafka {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let protocols = [
            SecurityProtocol::Plaintext,
            SecurityProtocol::Ssl,
            SecurityProtocol::SaslPlaintext,
            SecurityProtocol::SaslSsl,
        ];
        let security_protocol = values.choice(SECTION, "security_protocol", &protocols.map(|it| (it.as_str(), it)))?;
        let kafka = Self {
            bootstrap_servers: values.required(SECTION, "bootstrap_servers")?,
            is_configured: values.entry(SECTION, "bootstrap_servers")?.origin != Origin::Default,
            security_protocol,
            sasl: read_sasl(values, security_protocol)?,
            ssl_ca_location: values.path(SECTION, "ssl_ca_location")?,
            ssl_certificate_location: values.path(SECTION, "ssl_certificate_location")?,
            ssl_key_location: values.path(SECTION, "ssl_key_location")?,
            ssl_key_password: values.secret(SECTION, "ssl_key_password", "ssl_key_password_file")?,
            control_topic: values.required(SECTION, "control_topic")?,
            invoice_topic: values.required(SECTION, "invoice_topic")?,
            group: values.required(SECTION, "group")?,
            replication_factor: u16::try_from(values.number(SECTION, "replication_factor", 1..=32)?).unwrap_or(1),
            queued_max_kbytes: values.number(SECTION, "queued_max_kbytes", 64..=2_097_151)?,
            control_max_bytes: values.number(SECTION, "control_max_mbytes", 32..=1_048_576)? << 20,
            properties: read_properties(values)?,
        };
        // A setting that is silently without effect is worse than a refusal, most of all one about security.
        let idle = [
            ("ssl_ca_location", kafka.ssl_ca_location.is_some()),
            ("ssl_certificate_location", kafka.ssl_certificate_location.is_some()),
            ("ssl_key_location", kafka.ssl_key_location.is_some()),
        ];
        match idle.into_iter().find(|(_, set)| *set && !security_protocol.has_tls()) {
            Some((key, _)) => {
                Err(values.refuse(SECTION, key, "has no effect without security_protocol = \"ssl\" or \"sasl_ssl\""))
            }
            None => Ok(kafka),
        }
    }
}

fn read_sasl(values: &Values, protocol: SecurityProtocol) -> Result<Option<Sasl>, ConfigError> {
    let username = values.text(SECTION, "sasl_username")?;
    let password = values.secret(SECTION, "sasl_password", "sasl_password_file")?;
    if !protocol.has_sasl() {
        return match username {
            Some(_) => Err(values.refuse(
                SECTION,
                "sasl_username",
                "has no effect without security_protocol = \"sasl_ssl\" or \"sasl_plaintext\"",
            )),
            None => Ok(None),
        };
    }
    let mechanisms = [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512];
    let mechanism = values.choice(SECTION, "sasl_mechanism", &mechanisms.map(|it| (it.as_str(), it)))?;
    let username =
        username.ok_or_else(|| values.refuse(SECTION, "sasl_username", "is needed with this security_protocol"))?;
    let password = password.ok_or_else(|| {
        let mend = "is needed with this security_protocol; set sasl_password_file or PLIMSOLL_KAFKA__SASL_PASSWORD";
        values.refuse(SECTION, "sasl_password", mend)
    })?;
    Ok(Some(Sasl { mechanism, username, password }))
}

fn read_properties(values: &Values) -> Result<Vec<(String, Secret)>, ConfigError> {
    let properties = values.table(SECTION, "properties")?;
    match properties.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
        Some((name, _)) => {
            let mend = format!("must not set `{name}`: it has a key of its own or exactness rests on it");
            Err(values.refuse(SECTION, "properties", mend))
        }
        None => Ok(properties.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()),
    }
}
