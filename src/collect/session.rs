//! A session with an array's REST API 2.x: the API token is exchanged for a session token, lists are read page by page.

use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::client::{Answer, Client};
use super::config::{ArrayConfig, Family};
use super::error::PollError;
use crate::config::Secret;
use crate::core::collect::page::{self, Followed};

/// Pages of one list.
pub const PAGES_MAX: usize = 1_000;
/// Elements of one list.
pub const ITEMS_MAX: usize = 200_000;

const API_TOKEN: &str = "api-token";
const SESSION_TOKEN: &str = "x-auth-token";

/// A session with one array.
pub(crate) struct Session {
    client: Client,
    base: String,
    login: String,
    token: super::token::TokenSource,
    page_size: usize,
    session: Option<Secret>,
}

impl Session {
    pub(crate) fn new(family: Family, array: &ArrayConfig, client: Client, page_size: usize) -> Self {
        let base = format!("{}/api/{}", array.url, array.api_version);
        let login = match family {
            // a FlashBlade logs in outside of any version
            Family::FlashBlade => format!("{}/api/login", array.url),
            Family::FlashArray | Family::OpenMetrics => format!("{base}/login"),
        };
        Self { client, base, login, token: array.token.clone(), page_size, session: None }
    }

    /// All elements of a list. `path` names it in errors; `query` is appended to it.
    pub(crate) async fn list<T: DeserializeOwned>(
        &mut self,
        path: &'static str,
        query: &[(&str, String)],
    ) -> Result<Vec<T>, PollError> {
        let mut items = Vec::new();
        let (mut next, mut followed) = (None, Followed::default());
        for _ in 0..PAGES_MAX {
            let mut address = format!("{}{path}?limit={}", self.base, self.page_size);
            let more = next.iter().map(|token| ("continuation_token", token));
            for (name, value) in query.iter().map(|(name, value)| (*name, value)).chain(more) {
                address.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
            }
            let answer = self.get(path, &address).await?;
            let mut page = page::parse::<T>(path, &answer.body)?;
            next = followed.next(path, &mut page)?;
            items.extend(page.items);
            if items.len() > ITEMS_MAX {
                return Err(PollError::TooMany { path: path.to_owned(), limit: ITEMS_MAX });
            }
            if next.is_none() {
                return Ok(items);
            }
        }
        Err(PollError::TooMany { path: path.to_owned(), limit: PAGES_MAX })
    }

    /// One page; a session that has expired is opened again, once.
    async fn get(&mut self, path: &str, address: &str) -> Result<Answer, PollError> {
        let was_open = self.session.is_some();
        let answer = self.try_get(address).await?;
        let answer = match answer.status.as_u16() {
            401 | 403 if was_open => {
                self.session = None;
                self.try_get(address).await?
            }
            _ => answer,
        };
        match answer.status.as_u16() {
            200 => Ok(answer),
            status @ (401 | 403) => {
                self.session = None;
                Err(PollError::Credentials { status })
            }
            status => Err(PollError::Status { path: path.to_owned(), status, retry_after: answer.retry_after }),
        }
    }

    async fn try_get(&mut self, address: &str) -> Result<Answer, PollError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.log_in().await?,
        };
        let answer = self.client.ask(Method::GET, address, Some((SESSION_TOKEN, &session))).await;
        self.session = Some(session);
        answer
    }

    async fn log_in(&self) -> Result<Secret, PollError> {
        let token = self.token.read()?;
        let secret = token.as_ref().map(|token| (API_TOKEN, token));
        let answer = self.client.ask(Method::POST, &self.login, secret).await?;
        match (answer.status.as_u16(), answer.session) {
            (200, Some(session)) => Ok(session),
            (status @ (400 | 401 | 403), _) => Err(PollError::Credentials { status }),
            (status, _) => {
                Err(PollError::Status { path: "the login".to_owned(), status, retry_after: answer.retry_after })
            }
        }
    }
}
