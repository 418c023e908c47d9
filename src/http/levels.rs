//! `GET /v1/levels`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::access::Providers;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use super::statements::rater;
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::config::Principal;
use crate::core::programme::standing::Standing;
use crate::core::word::Instant;
use crate::programme;
use crate::programme::{Asked, OpenAmounts, levels as of, watch};

/// Providers on a page: their open periods are rated when they are asked for.
const PAGE: usize = 20;

/// Which standings are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LevelsParams {
    /// This provider's only.
    provider: Option<String>,
    /// As things stood at this instant (RFC 3339, or a date: its midnight UTC); default now.
    at: Option<String>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of standings, by provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelsPage {
    /// The instant that is meant.
    pub at: String,
    /// Providers that are in a programme.
    pub data: Vec<Standing>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// The instant that a parameter means.
pub(super) fn instant(at: Option<&str>) -> Result<Instant, ApiError> {
    at.map_or_else(|| Ok(watch::now()), |text| Ok(parse_instant(text, parse_zone(None)?)?))
}

/// Of whose sales alone a caller is told.
pub(super) fn seller(caller: &Caller) -> Option<String> {
    match &caller.principal {
        Principal::Vendor(vendor) => Some(vendor.clone()),
        Principal::Operator | Principal::Provider(_) | Principal::Customer { .. } => None,
    }
}

/// Levels granted, attained and promised.
#[utoipa::path(get, path = "/v1/levels", tag = "programme", params(LevelsParams), responses(
    (status = 200, description = "A page of standings", body = LevelsPage),
    (status = 400, description = "A parameter is wrong, or a contract cannot be rated", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn levels(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<LevelsParams>,
) -> Result<Json<LevelsPage>, ApiError> {
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("levels"));
    }
    let asked = caller.providers_asked(&*api.parties().await?, params.provider.as_deref())?;
    let at = instant(params.at.as_deref())?;
    let after: Option<String> = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let rater = rater(&api).await?;
    let book = rater.book();
    let is_asked = |id: &str| {
        let mine = matches!(&asked, Providers::All) || matches!(&asked, Providers::These(these) if these.contains(id));
        mine && book.providers.get(id).is_some_and(|provider| provider.programme.is_some())
    };
    let mut providers = programme::page(book, is_asked, after.as_deref(), PAGE + 1);
    let more = cut(&mut providers);
    let next_cursor = providers.last().filter(|_| more).map(|last| cursor::after(&question, last)).transpose()?;
    let register = api.kept.register(&api.client, rater.after()).await?;
    let asked = Asked { providers, seller: seller(&caller), at, is_past: params.at.is_some() };
    let data = of(&rater, &register, &asked, OpenAmounts::Kept).await?;
    Ok(Json(LevelsPage { at: at.rfc3339(), data, next_cursor }))
}

/// Cuts providers down to a page; whether there are more.
fn cut(providers: &mut Vec<String>) -> bool {
    let more = providers.len() > PAGE;
    providers.truncate(PAGE);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_providers_up_to_its_limit() {
        for (count, more) in [(PAGE - 1, false), (PAGE, false), (PAGE + 1, true)] {
            let mut providers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            assert_eq!((cut(&mut providers), providers.len()), (more, count.min(PAGE)));
        }
    }
}
