//! `GET /v1/providers/{provider}/unclaimed`: tags that no customer of the price book claims, and what bears none.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use crate::clickhouse::read::unclaimed::{TagRow, tags};
use crate::core::book::claim::{claimed, section};
use crate::core::book::model::Book;
use crate::core::closing::period::concerns;
use crate::core::pricing::period::{Period, period};

/// Most tags of an answer.
const TAGS_MAX: usize = 1_000;

/// Which period is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnclaimedParams {
    /// The period by the month in which it begins, such as 2026-10, in the time zone of the provider's first contract.
    period: String,
}

/// What no customer claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnclaimedTags {
    /// By tag; first what bears none, if there is any.
    data: Vec<UnclaimedTag>,
    /// Whether there are more tags than one answer holds: claim these first.
    more: bool,
}

/// One tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnclaimedTag {
    /// The tag; null for resources without one.
    tag: Option<String>,
    /// Arrays that it is on.
    arrays: u64,
    /// Resources that bear it.
    resources: u64,
    /// The first of them: kind, resource and array.
    first: String,
    /// The section of the price book that claims the tag, to paste; null where there is no tag to claim.
    section: Option<String>,
}

/// Tags on a provider's resources that no customer of the newest price book claims, and resources without any. For the provider itself
/// and the operator.
#[utoipa::path(get, path = "/v1/providers/{provider}/unclaimed", tag = "margin",
    params(("provider" = String, Path, description = "The provider's id"), UnclaimedParams), responses(
    (status = 200, description = "The tags", body = UnclaimedTags),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such provider, no contract of it, or not the caller's", body = ErrorBody),
))]
pub async fn unclaimed(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(provider): Path<String>,
    Params { values: params, .. }: Params<UnclaimedParams>,
) -> Result<Json<UnclaimedTags>, ApiError> {
    // PRICING §15: tags are names of a provider's customers
    if !caller.reads_customers_of(&provider) {
        return Err(ApiError::NotFound);
    }
    let parties = api.parties().await?;
    let asked = asked(parties.book(), &provider, &params.period)?;
    let known = claimed(parties.book(), &provider);
    let rows = tags(&api.client, &provider, asked.span(), &known, TAGS_MAX + 1).await?;
    Ok(Json(shown(parties.book(), &provider, rows)))
}

fn asked(book: &Book, provider: &str, label: &str) -> Result<Period, ApiError> {
    let contract = book.contracts.values().find(|contract| concerns(contract, provider)).ok_or(ApiError::NotFound)?;
    period(contract, label).map_err(|error| ApiError::BadRequest(error.to_string()))
}

fn shown(book: &Book, provider: &str, mut rows: Vec<TagRow>) -> UnclaimedTags {
    let more = rows.len() > TAGS_MAX;
    rows.truncate(TAGS_MAX);
    let tag = |row: TagRow| {
        let tag = Some(row.customer).filter(|tag| !tag.is_empty());
        let first = format!("{} {} on {}", row.kind, row.resource, row.array);
        let section = tag.as_deref().map(|tag| section(book, provider, tag));
        UnclaimedTag { tag, arrays: row.arrays, resources: row.resources, first, section }
    };
    UnclaimedTags { data: rows.into_iter().map(tag).collect(), more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(customer: &str) -> TagRow {
        let text = |text: &str| text.to_owned();
        TagRow {
            customer: text(customer),
            arrays: 1,
            resources: 2,
            kind: text("volume"),
            resource: text("v1"),
            array: text("a1"),
        }
    }

    #[test]
    fn an_answer_has_tags_up_to_its_limit() {
        for (count, more) in [(TAGS_MAX - 1, false), (TAGS_MAX, false), (TAGS_MAX + 1, true)] {
            let rows = (0..count).map(|number| row(&number.to_string())).collect();
            let said = shown(&Book::default(), "p", rows);
            assert_eq!((said.more, said.data.len()), (more, count.min(TAGS_MAX)));
        }
    }

    #[test]
    fn what_bears_no_tag_has_nothing_to_paste() {
        let said = shown(&Book::default(), "p", vec![row(""), row("acme")]);
        assert_eq!((&said.data[0].tag, &said.data[0].section), (&None, &None));
        assert_eq!(said.data[1].first, "volume v1 on a1");
        assert!(said.data[1].section.as_deref().unwrap().starts_with("[customer.acme]\nprovider = \"p\"\n"));
    }
}
