//! `GET /v1/statements`: live, provisional ratings of an open period.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::own_cut::OwnCut;
use super::params::Params;
use crate::config::Principal;
use crate::core::billing::document::Document;
use crate::core::book::model::{Book, Seller};
use crate::core::closing::period;
use crate::core::pricing::error::RateError;
use crate::statement::{Place, Rater, StatementError};

/// Statements on a page: each is rated when it is asked for.
const PAGE: usize = 20;

/// Which statements are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatementsParams {
    /// The period by the month in which it begins, such as 2026-10.
    period: String,
    /// Only contracts in which this provider buys or sells.
    provider: Option<String>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of statements, by contract and customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementsPage {
    /// The documents, in the form of an invoice and without a number: state open, or closed with the period's numbers in `references.corrects`.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Document>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// Statements of all contracts that the caller may read.
#[utoipa::path(get, path = "/v1/statements", tag = "statements", params(StatementsParams), responses(
    (status = 200, description = "A page of statements", body = StatementsPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn statements(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<StatementsParams>,
) -> Result<Json<StatementsPage>, ApiError> {
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("open statements"));
    }
    caller.providers_asked(&*api.parties().await?, params.provider.as_deref())?;
    let rater = rater(&api).await?;
    let after: Option<Place> = match &params.cursor {
        Some(text) => Some(cursor::key(&question, text)?),
        None => None,
    };
    let readable = rater.book().contracts.keys().filter(|id| may_read(&caller.principal, rater.book(), id));
    let of_provider = |id: &&String| params.provider.as_deref().is_none_or(|own| concerns(rater.book(), id, own));
    let contracts: Vec<String> = readable.filter(of_provider).cloned().collect();
    let mut places = rater.places(&contracts, &params.period).await?;
    places.sort();
    places.retain(|place| after.as_ref().is_none_or(|after| place > after));
    let more = cut(&mut places);
    let next_cursor = places.last().filter(|_| more).map(|last| cursor::after(&question, last)).transpose()?;
    let mut data = Vec::new();
    let read = rater.shown(&places, &params.period, |_, document, _| {
        match document {
            Ok(document) => data.push(document),
            Err(StatementError::Rate(RateError::NotInForce { .. })) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    });
    read.await?;
    let own = OwnCut::read(&api).await?;
    let data = data.into_iter().map(|document| own.document(rater.book(), document)).collect::<Result<_, _>>()?;
    Ok(Json(StatementsPage { data, next_cursor }))
}

/// Cuts a page; whether there are more.
fn cut<T>(places: &mut Vec<T>) -> bool {
    let more = places.len() > PAGE;
    places.truncate(PAGE);
    more
}

pub(super) async fn rater(api: &Api) -> Result<Rater, ApiError> {
    Ok(Rater::newest(&api.client).await?)
}

/// PRICING §15: a vendor reads its wholesale, a provider both of its sides, a customer nothing that is open.
pub(super) fn may_read(principal: &Principal, book: &Book, contract: &str) -> bool {
    let Some(terms) = book.contracts.get(contract) else { return false };
    match principal {
        Principal::Operator => true,
        Principal::Vendor(id) => terms.seller == Seller::Vendor(id.clone()),
        Principal::Provider(id) => concerns(book, contract, id),
        Principal::Customer { .. } => false,
    }
}

fn concerns(book: &Book, contract: &str, provider: &str) -> bool {
    book.contracts.get(contract).is_some_and(|terms| period::concerns(terms, provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_statements_up_to_its_limit() {
        for (count, more) in [(PAGE - 1, false), (PAGE, false), (PAGE + 1, true)] {
            let mut places: Vec<usize> = (0..count).collect();
            assert_eq!((cut(&mut places), places.len()), (more, count.min(PAGE)));
        }
    }
}
