//! What is asked of usage, and what of it somebody may ask.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::clickhouse::read::usage::UsageQuery;
use crate::clickhouse::read::usage_key::Key;
use crate::clickhouse::read::window::{Step, Window};
use crate::config::Principal;
use crate::core::word::Kind;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;

/// What usage is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageParams {
    /// Whose arrays; obligatory for an operator, and for a vendor with several providers.
    provider: Option<String>,
    /// The start: an instant in RFC 3339 or a date, which means its midnight in `time_zone`. On a whole cell.
    from: String,
    /// The end, which is left out.
    to: String,
    /// How the range is cut. Days are those of `time_zone`, hours are UTC hours, `period` is the whole range.
    step: Option<StepParam>,
    /// Keys of a row and its order, comma-separated; default all: provider, array, kind, resource, customer, tier, site, meter.
    /// Resources of different kinds may measure the same bytes: keep `kind`, or ask for one.
    by: Option<String>,
    /// Whose days and midnights, a name of the tz database; default UTC.
    time_zone: Option<String>,
    /// This meter only. `$observed`, one per accepted event, is left out unless it is named here.
    meter: Option<String>,
    /// This array only.
    array: Option<String>,
    /// This kind of resource only: array, volume, pod, realm, file_system or object_bucket.
    kind: Option<String>,
    /// This tenant tag only; empty for what bears none.
    customer: Option<String>,
    /// Rows on a page.
    pub(super) limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    pub(super) cursor: Option<String>,
}

/// How a range is cut.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Step)]
pub enum StepParam {
    /// The meter's own cells of 15 or 5 minutes.
    Cell,
    /// UTC hours.
    Hour,
    /// Local days of 23 to 25 hours.
    #[default]
    Day,
    /// The whole range.
    Period,
}

/// The question of a caller: nothing in it that is not the caller's to ask.
pub(super) async fn of(api: &Api, caller: &Caller, params: &UsageParams) -> Result<UsageQuery, ApiError> {
    let parties = api.parties().await?;
    let provider = caller.provider(&parties, params.provider.as_deref())?;
    let step = match params.step.unwrap_or_default() {
        StepParam::Cell => Step::Cell,
        StepParam::Hour => Step::Hour,
        StepParam::Day => Step::Day,
        StepParam::Period => Step::Period,
    };
    let mut query = UsageQuery {
        provider,
        window: Window::parse(&params.from, &params.to, step, params.time_zone.as_deref())?,
        by: keys(params.by.as_deref())?,
        meter: params.meter.clone(),
        array: params.array.clone(),
        kind: params.kind.as_deref().map(kind).transpose()?,
        customers: params.customer.clone().map(|tag| vec![tag]),
    };
    match &caller.principal {
        Principal::Operator | Principal::Provider(_) => {}
        Principal::Vendor(_) => wholesale_only(caller, params, &mut query)?,
        Principal::Customer { .. } => {
            if matches!(step, Step::Cell | Step::Hour) {
                return Err(caller.never("usage by the hour or cell: ask for step=day or step=period"));
            }
            let mine = caller.tags(&parties)?.unwrap_or_default();
            if query.customers.iter().flatten().any(|tag| !mine.contains(tag)) {
                return Err(ApiError::NotFound);
            }
            query.customers.get_or_insert(mine);
        }
    }
    Ok(query)
}

/// A vendor bills arrays: it reads their own readings, and no names of the provider's customers.
fn wholesale_only(caller: &Caller, params: &UsageParams, query: &mut UsageQuery) -> Result<(), ApiError> {
    let named = params.by.is_some() && query.by.contains(&Key::Customer);
    if named || params.customer.is_some() {
        return Err(caller.never("usage by customer"));
    }
    if query.kind.is_some_and(|kind| kind != Kind::Array) {
        return Err(caller.never("usage of anything but arrays: ask for kind=array"));
    }
    query.by.retain(|key| *key != Key::Customer);
    query.kind = Some(Kind::Array);
    Ok(())
}

fn keys(by: Option<&str>) -> Result<Vec<Key>, ApiError> {
    let Some(by) = by else { return Ok(Key::ALL.to_vec()) };
    let mut keys = Vec::new();
    for name in by.split(',').filter(|name| !name.is_empty()) {
        let known = || Key::ALL.map(Key::as_str).join(", ");
        let key = Key::parse(name)
            .ok_or_else(|| ApiError::BadRequest(format!("`by` knows no `{name}`; use some of {}", known())))?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn kind(name: &str) -> Result<Kind, ApiError> {
    let known = || Kind::ALL.map(Kind::as_str).join(", ");
    Kind::parse(name)
        .ok_or_else(|| ApiError::BadRequest(format!("no `kind` is called `{name}`; use one of {}", known())))
}
