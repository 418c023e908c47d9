//! Who asks: a token stands for one principal, and the principal is part of every query.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::ApiError;
use crate::config::{Credential, Principal, Producer};

/// What a producer is told that asks instead of sending.
const SENDS_ONLY: &str =
    "a producer sends events and reads nothing: use a token of an operator, vendor, provider or customer";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The credential's id, for the log.
    pub credential: String,
    /// On whose behalf.
    pub principal: Principal,
}

impl Caller {
    /// Who asks where nobody needs a token: the configuration then allows a loopback address only.
    #[must_use]
    pub fn anybody() -> Self {
        Self { credential: "none".to_owned(), principal: Principal::Operator }
    }

    /// Who bears this `Authorization` header.
    ///
    /// # Errors
    /// No token, an unknown one, or one of a producer, who reads nothing.
    pub fn authenticate(
        credentials: &[Credential],
        producers: &[Producer],
        header: Option<&str>,
    ) -> Result<Self, ApiError> {
        let readers = credentials.iter().map(|credential| (&credential.token_sha256, Some(credential)));
        let senders = producers.iter().map(|producer| (&producer.token_sha256, None));
        let Some(found) = bearer(readers.chain(senders), header)? else {
            return Err(ApiError::Forbidden(SENDS_ONLY.to_owned()));
        };
        Ok(Self { credential: found.id.clone(), principal: found.principal.clone() })
    }

    /// Whether it reads what a provider's customers are called and cost: the provider itself and the operator do (PRICING §15).
    #[must_use]
    pub fn reads_customers_of(&self, provider: &str) -> bool {
        match &self.principal {
            Principal::Operator => true,
            Principal::Provider(own) => own == provider,
            Principal::Vendor(_) | Principal::Customer { .. } => false,
        }
    }

    /// Refuses the id of another provider in a list of documents, as other lists do (DESIGN §8). Who sells to providers or reads all may name
    /// any: documents outlast the price book that named their provider.
    ///
    /// # Errors
    /// A provider's or a customer's token, and an id that is not its own provider's.
    pub fn refuse_foreign(&self, asked: Option<&str>) -> Result<(), ApiError> {
        match (&self.principal, asked) {
            (Principal::Provider(own) | Principal::Customer { provider: own, .. }, Some(asked)) if own != asked => {
                Err(ApiError::NotFound)
            }
            _ => Ok(()),
        }
    }

    /// The refusal of something that this kind of principal never reads.
    #[must_use]
    pub fn never(&self, what: &str) -> ApiError {
        let kind = match self.principal {
            Principal::Operator => "operator",
            Principal::Vendor(_) => "vendor",
            Principal::Provider(_) => "provider",
            Principal::Customer { .. } => "customer",
        };
        ApiError::Forbidden(format!("a {kind} does not read {what}"))
    }
}

/// Whose token this `Authorization` header bears.
///
/// # Errors
/// No token, or an unknown one.
pub(super) fn bearer<'k, T>(
    known: impl Iterator<Item = (&'k [u8; 32], T)>,
    header: Option<&str>,
) -> Result<T, ApiError> {
    let token = header.and_then(|header| header.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let digest = Sha256::digest(token.ok_or(ApiError::Unauthorized)?);
    // All are compared, each in constant time: how long it takes says nothing about how near a guess is.
    let mut found = None;
    for (token_sha256, whose) in known {
        if bool::from(token_sha256.ct_eq(digest.as_slice())) {
            found = Some(whose);
        }
    }
    found.ok_or(ApiError::Unauthorized)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(id: &str, token: &str) -> Credential {
        let principal = Principal::Provider(id.to_owned());
        Credential { id: id.to_owned(), token_sha256: Sha256::digest(token).into(), principal }
    }

    #[test]
    fn a_token_stands_for_its_principal_and_no_token_for_nobody() {
        let credentials = [credential("a", "one"), credential("b", "two")];
        let producers =
            [Producer { id: "p".to_owned(), token_sha256: Sha256::digest("sends").into(), provider: "a".to_owned() }];
        let who = |header: Option<&str>| {
            Caller::authenticate(&credentials, &producers, header).map(|caller| caller.credential)
        };
        assert_eq!(who(Some("Bearer two")).unwrap(), "b");
        assert_eq!(who(Some("bearer one")).unwrap(), "a");
        for header in
            [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Bearer three"), Some("Basic one"), Some("one")]
        {
            assert!(matches!(who(header), Err(ApiError::Unauthorized)), "{header:?}");
        }
        assert!(matches!(who(Some("Bearer sends")), Err(ApiError::Forbidden(_))));
        assert!(Caller::authenticate(&[], &[], Some("Bearer one")).is_err(), "who is not open has a key");
    }
}
