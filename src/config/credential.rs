//! `[[credential]]`: who may read or send over HTTP.

use std::collections::BTreeSet;
use std::fmt;

use super::error::{ConfigError, Origin};
use super::layer::{Section, Values};

/// What a principal may be.
const FORMS: &str = "must be operator, vendor:ID, provider:ID, customer:PROVIDER/ID or producer:PROVIDER";

/// On whose behalf a request reads (DESIGN §8, PRICING §15). Every query is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Runs Plimsoll: reads all.
    Operator,
    /// Sells to providers: wholesale, array health; nothing retail.
    Vendor(String),
    /// Runs arrays: its own, both sides.
    Provider(String),
    /// Buys from a provider: its own usage and documents.
    Customer {
        /// The provider it buys from.
        provider: String,
        /// Its id in the price book.
        customer: String,
    },
}

impl Principal {
    /// The principal that a text of the form of `principal` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
        match text.split_once(':') {
            None if text == "operator" => Some(Principal::Operator),
            Some(("vendor", vendor)) => id(vendor).map(Principal::Vendor),
            Some(("provider", provider)) => id(provider).map(Principal::Provider),
            Some(("customer", both)) => {
                let (provider, customer) = both.split_once('/')?;
                Some(Principal::Customer { provider: id(provider)?, customer: id(customer)? })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Operator => f.write_str("operator"),
            Principal::Vendor(id) => write!(f, "vendor:{id}"),
            Principal::Provider(id) => write!(f, "provider:{id}"),
            Principal::Customer { provider, customer } => {
                write!(f, "customer:{provider}/{customer}")
            }
        }
    }
}

/// A token's digest and the one principal it stands for.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name in logs.
    pub id: String,
    /// SHA-256 of the token.
    pub token_sha256: [u8; 32],
    /// Whose eyes it gives.
    pub principal: Principal,
}

/// A token's digest and the one provider whose events it may send. It reads nothing, so it is no [`Credential`].
#[derive(Clone, Debug)]
pub struct Producer {
    /// Its name in logs.
    pub id: String,
    /// SHA-256 of the token.
    pub token_sha256: [u8; 32],
    /// Whose events it sends.
    pub provider: String,
}

/// All `[[credential]]` sections: who reads, and who sends only.
pub(super) fn read_all(values: &Values) -> Result<(Vec<Credential>, Vec<Producer>), ConfigError> {
    let (mut credentials, mut producers) = (Vec::new(), Vec::new());
    let (mut ids, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for section in values.credentials() {
        let text = |key: &str| section.get(key).and_then(|entry| entry.value.as_str()).unwrap_or_default();
        let id = text("id").to_owned();
        if id.is_empty() {
            return Err(refuse(section, "id", "must not be empty"));
        }
        let token_sha256 = from_hex(text("token_sha256")).ok_or_else(|| {
            refuse(section, "token_sha256", "must be the SHA-256 of the token in 64 hexadecimal digits")
        })?;
        if !ids.insert(id.clone()) {
            return Err(refuse(section, "id", "is used twice; give every credential its own"));
        }
        if !tokens.insert(token_sha256) {
            return Err(refuse(section, "token_sha256", "is used twice; a token stands for one principal"));
        }
        match (text("principal").strip_prefix("producer:"), Principal::parse(text("principal"))) {
            (Some(provider), _) if !provider.is_empty() => {
                producers.push(Producer { id, token_sha256, provider: provider.to_owned() });
            }
            (_, Some(principal)) => credentials.push(Credential { id, token_sha256, principal }),
            _ => return Err(refuse(section, "principal", FORMS)),
        }
    }
    Ok((credentials, producers))
}

fn refuse(section: &Section, key: &str, mend: &str) -> ConfigError {
    let at = section.get(key).map_or(Origin::Default, |entry| entry.origin.clone());
    ConfigError::Value { at, key: format!("credential.{key}"), mend: mend.to_owned() }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
