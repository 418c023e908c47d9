//! What is answered where a part below the API fails.

use std::sync::Arc;

use super::error::ApiError;
use crate::clickhouse::Error as StoreError;
use crate::clickhouse::read::window::WindowError;
use crate::closer::CloseError;
use crate::core::programme::error::ProgrammeError as FigureError;
use crate::programme::ProgrammeError;
use crate::quarantine::ResolveError;
use crate::statement::StatementError;

/// ClickHouse's code for a grouping that grows beyond `max_rows_to_group_by`.
const TOO_MANY_ROWS: u32 = 158;
/// Its code for a query that took longer than `max_execution_time`, and for one that needed more than `max_memory_usage`.
const TOO_LARGE: [u32; 3] = [159, 160, 241];

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error.failure().code {
            Some(TOO_MANY_ROWS) => ApiError::TooLarge(
                "the answer has more rows than http.usage_rows_max allows: ask for a shorter range, a longer step or fewer keys".to_owned(),
            ),
            Some(code) if TOO_LARGE.contains(&code) => {
                ApiError::TooLarge("the question takes too long or too much memory: ask for a shorter range or fewer keys".to_owned())
            }
            _ if error.is_retryable() => ApiError::Unavailable(Arc::new(error)),
            _ => ApiError::Internal(error.to_string()),
        }
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::ClickHouse(error) => error.into(),
            ResolveError::NoStream(_) => ApiError::BadRequest(error.to_string()),
            error if error.is_retryable() => ApiError::Unresolved(error.to_string()),
            error => ApiError::Internal(error.to_string()),
        }
    }
}

impl From<CloseError> for ApiError {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Refused(refusal) if refusal.is_unknown() => ApiError::NotFound,
            CloseError::Refused(refusal) => ApiError::Conflict(refusal.to_string()),
            CloseError::Rate(error) => ApiError::BadRequest(error.to_string()),
            CloseError::Place { .. } | CloseError::TooMany { .. } => ApiError::Conflict(error.to_string()),
            error if error.is_retryable() => ApiError::Unresolved(error.to_string()),
            error => ApiError::Internal(error.to_string()),
        }
    }
}

impl From<ProgrammeError> for ApiError {
    fn from(error: ProgrammeError) -> Self {
        match error {
            ProgrammeError::ClickHouse(error) | ProgrammeError::Book(StatementError::ClickHouse(error)) => error.into(),
            ProgrammeError::Book(StatementError::NoBook) => ApiError::NotFound,
            ProgrammeError::Statement { contract, label, error } => match *error {
                StatementError::ClickHouse(error) => error.into(),
                StatementError::Rate(error) => {
                    ApiError::BadRequest(format!("contract {contract}, period {label}: {error}"))
                }
                error => ApiError::Internal(format!("contract {contract}, period {label}: {error}")),
            },
            ProgrammeError::Figure(FigureError::Groups(_)) => ApiError::TooLarge(error.to_string()),
            ProgrammeError::Figure(FigureError::Key(..)) => ApiError::BadRequest(error.to_string()),
            error => ApiError::Internal(error.to_string()),
        }
    }
}

impl From<WindowError> for ApiError {
    fn from(error: WindowError) -> Self {
        ApiError::BadRequest(error.to_string())
    }
}

impl From<StatementError> for ApiError {
    fn from(error: StatementError) -> Self {
        match error {
            StatementError::NoContract(_)
            | StatementError::NoProvider(_)
            | StatementError::NoBook
            | StatementError::NoReading { .. } => ApiError::NotFound,
            StatementError::Tag { .. } => ApiError::BadRequest(error.to_string()),
            StatementError::CustomerNeeded(contract) => ApiError::BadRequest(format!(
                "contract {contract} is for each customer: ask for /v1/statements/{contract}/CUSTOMER"
            )),
            StatementError::Rate(error) => ApiError::BadRequest(error.to_string()),
            StatementError::ClickHouse(error) => error.into(),
            StatementError::Document(error) => ApiError::Internal(error.to_string()),
            StatementError::Book(error) => ApiError::Internal(error.to_string()),
        }
    }
}
