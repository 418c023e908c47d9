//! `GET /v1/caller`: whom a token stands for, so that whoever shows things knows what there is to show.

use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::error::ErrorBody;
use crate::config::Principal;

/// Whom the request's token stands for.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct WhoAmI {
    /// The credential's id.
    credential: String,
    /// operator, vendor, provider or customer.
    principal: &'static str,
    /// Of a vendor: its id.
    vendor: Option<String>,
    /// Of a provider, and of a customer of one: the provider's id.
    provider: Option<String>,
    /// Of a customer: its id.
    customer: Option<String>,
}

/// Whom the request's token stands for. It says nothing of anybody else.
#[utoipa::path(get, path = "/v1/caller", tag = "caller", responses(
    (status = 200, description = "Whom", body = WhoAmI),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
))]
pub async fn caller(Extension(caller): Extension<Caller>) -> Json<WhoAmI> {
    Json(shown(caller))
}

fn shown(caller: Caller) -> WhoAmI {
    let (principal, vendor, provider, customer) = match caller.principal {
        Principal::Operator => ("operator", None, None, None),
        Principal::Vendor(vendor) => ("vendor", Some(vendor), None, None),
        Principal::Provider(provider) => ("provider", None, Some(provider), None),
        Principal::Customer { provider, customer } => ("customer", None, Some(provider), Some(customer)),
    };
    WhoAmI { credential: caller.credential, principal, vendor, provider, customer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_principal_is_told_who_it_is() {
        for (text, principal, ids) in [
            ("operator", "operator", [None, None, None]),
            ("vendor:v", "vendor", [Some("v"), None, None]),
            ("provider:p", "provider", [None, Some("p"), None]),
            ("customer:p/c", "customer", [None, Some("p"), Some("c")]),
        ] {
            let caller = Caller { credential: "id".to_owned(), principal: Principal::parse(text).unwrap() };
            let said = shown(caller);
            assert_eq!((said.credential.as_str(), said.principal), ("id", principal));
            assert_eq!([said.vendor.as_deref(), said.provider.as_deref(), said.customer.as_deref()], ids, "{text}");
        }
    }
}
