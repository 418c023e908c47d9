//! Who sends: a token stands for one principal, and the principal says whose events it may send.

use super::Gateway;
use super::failure::Failure;
use crate::config::Principal;
use crate::gateway::Sends;
use crate::http::caller::bearer;

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The credential's id, for the log and the metrics.
    pub credential: String,
    /// The principal, whose allowance it is.
    pub principal: String,
    /// Whose events.
    pub sends: Sends,
}

impl Sender {
    /// Who bears this `Authorization` header.
    ///
    /// # Errors
    /// No token, an unknown one, and one of somebody who sends nothing.
    pub fn authenticate(gateway: &Gateway, header: Option<&str>) -> Result<Self, Failure> {
        if gateway.is_open {
            let (credential, principal) = ("none".to_owned(), Principal::Operator.to_string());
            return Ok(Self { credential, principal, sends: Sends::All });
        }
        let readers = gateway.credentials.iter().map(|known| {
            let sends = match &known.principal {
                Principal::Operator => Some(Sends::All),
                Principal::Provider(own) => Some(Sends::Of(own.clone())),
                Principal::Vendor(_) | Principal::Customer { .. } => None,
            };
            (&known.token_sha256, (&known.id, known.principal.to_string(), sends))
        });
        let producers = gateway.producers.iter().map(|known| {
            let sends = Some(Sends::Of(known.provider.clone()));
            (&known.token_sha256, (&known.id, format!("producer:{}", known.provider), sends))
        });
        let found = bearer(readers.chain(producers), header);
        let (credential, principal, sends) = found.map_err(|_| Failure::Unauthorized)?;
        match sends {
            Some(sends) => Ok(Self { credential: credential.clone(), principal, sends }),
            None => Err(Failure::Forbidden),
        }
    }
}
