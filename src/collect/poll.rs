//! One poll of one array: the questions that its family is asked, and the event of the answers.

use hyper::Method;

use super::client::Client;
use super::config::{ArrayConfig, CollectConfig, Family};
use super::error::PollError;
use super::now;
use super::session::Session;
use crate::config::Secret;
use crate::core::collect::rule::{self, Identity};
use crate::core::collect::snapshot::{FILE_USED, OBJECT_USED, Question};
use crate::core::collect::{Customers, ReadError, Rule, Snapshot, Subject, event, exposition, flasharray, flashblade};
use crate::core::word::Instant;

/// Polls one array.
pub(crate) struct Poller {
    pub(crate) array: ArrayConfig,
    provider: String,
    meters: Vec<String>,
    customers: Customers,
    interval_ms: i64,
    source: Source,
}

enum Source {
    FlashArray(Session),
    FlashBlade(Session),
    OpenMetrics { client: Client, identity: Option<Identity>, rules: Vec<Rule> },
}

/// What a poll gave.
pub(crate) struct Polled {
    /// The event, as it will be sent.
    pub(crate) event: Vec<u8>,
    /// How many readings are in it.
    pub(crate) readings: usize,
    /// Readings that are wanted and that the array has no figure of.
    pub(crate) left_out: u64,
}

impl Poller {
    pub(crate) fn new(config: &CollectConfig, array: ArrayConfig, client: Client) -> Self {
        let session = |client| Session::new(config.family, &array, client, config.collect.page_size);
        let source = match config.family {
            Family::FlashArray => Source::FlashArray(session(client)),
            Family::FlashBlade => Source::FlashBlade(session(client)),
            Family::OpenMetrics => {
                Source::OpenMetrics { client, identity: config.identity.clone(), rules: config.rules.clone() }
            }
        };
        Self {
            provider: config.collect.provider.clone(),
            meters: config.collect.meters.clone(),
            customers: config.customers.clone(),
            interval_ms: config.schedule.interval_ms(),
            source,
            array,
        }
    }

    /// The event of an instant.
    pub(crate) async fn poll(&mut self, instant: Instant) -> Result<Polled, PollError> {
        let Self { array, provider, meters, customers, interval_ms, source } = self;
        let question = Question { array: &array.id, tier: array.tier.as_deref(), meters, customers };
        let snapshot = match source {
            Source::FlashArray(session) => ask_flasharray(session, &question, instant, *interval_ms).await?,
            Source::FlashBlade(session) => ask_flashblade(session, &question).await?,
            Source::OpenMetrics { client, identity, rules } => {
                let text = scrape(client, array).await?;
                let samples = exposition::parse(&text)?;
                rule::snapshot(&array.id, array.tier.as_deref(), identity.as_ref(), rules, &samples)?
            }
        };
        let subject = Subject { provider, array: &array.id, name: &array.name, site: array.site.as_deref() };
        let event = event::encode(&subject, instant, now(), &snapshot)?;
        Ok(Polled { event, readings: snapshot.readings.len(), left_out: snapshot.left_out })
    }
}

async fn ask_flasharray(
    session: &mut Session,
    question: &Question<'_>,
    instant: Instant,
    interval_ms: i64,
) -> Result<Snapshot, PollError> {
    let window = flasharray::Window::of(instant, interval_ms);
    let history = [
        ("start_time", window.after.0.to_string()),
        ("end_time", window.to.0.to_string()),
        ("resolution", window.step_ms.to_string()),
    ];
    let mut answers = flasharray::Answers {
        arrays: session.list("/arrays/space", &history).await?,
        volumes: session.list("/volumes/space", &history).await?,
        ..flasharray::Answers::default()
    };
    match question.customers {
        Customers::Tag { namespace, .. } => {
            answers.tags = session.list("/volumes/tags", &[("namespaces", namespace.clone())]).await?;
        }
        Customers::Pod => answers.places = session.list("/volumes", &[]).await?,
        Customers::Untagged | Customers::Prefix(_) => {}
    }
    Ok(flasharray::snapshot(question, &window, &answers)?)
}

async fn ask_flashblade(session: &mut Session, question: &Question<'_>) -> Result<Snapshot, PollError> {
    let wants = |meter: &str| question.meters.iter().any(|wanted| wanted == meter);
    let kind = |kind: &str| [("type", kind.to_owned())];
    let mut answers =
        flashblade::Answers { arrays: session.list("/arrays/space", &kind("array")).await?, ..Default::default() };
    if wants(FILE_USED) {
        answers.files = session.list("/arrays/space", &kind("file-system")).await?;
    }
    if wants(OBJECT_USED) {
        answers.objects = session.list("/arrays/space", &kind("object-store")).await?;
    }
    answers.file_systems = session.list("/file-systems", &[]).await?;
    answers.buckets = session.list("/buckets", &[]).await?;
    Ok(flashblade::snapshot(question, &answers)?)
}

/// The text of an exposition.
async fn scrape(client: &Client, array: &ArrayConfig) -> Result<String, PollError> {
    let bearer = array.token.read()?.map(|token| Secret::new(format!("Bearer {}", token.reveal())));
    let secret = bearer.as_ref().map(|bearer| ("authorization", bearer));
    let answer = client.ask(Method::GET, &array.url, secret).await?;
    match answer.status.as_u16() {
        200 => String::from_utf8(answer.body.to_vec())
            .map_err(|error| ReadError::Malformed { what: "the exposition", text: error.to_string() }.into()),
        status @ (401 | 403) => Err(PollError::Credentials { status }),
        status => Err(PollError::Status { path: "the exposition".to_owned(), status, retry_after: answer.retry_after }),
    }
}
