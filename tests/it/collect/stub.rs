//! Arrays that answer over real HTTP, well or badly.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What every array's API token is. It must be seen nowhere else.
pub const TOKEN: &str = "t0ken-of-the-array-5f1c";
/// How session tokens begin.
pub const SESSION: &str = "s3ssion-of-the-array-";

const EXPOSITION: &str = include_str!("../../../examples/vendor/purefa_exporter_exposition.txt");

/// What the next answer is instead of a good one.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The session has expired: 401 until the next login.
    Expired,
    /// This status; with 429 the array wants to be left alone for a second.
    Status(u16),
    /// It comes late.
    Slow(Duration),
    /// It is no JSON.
    Malformed,
    /// It has so many bytes.
    Huge(usize),
    /// It breaks off.
    CutOff,
    /// Its page has this element and leads to itself.
    Around(&'static str),
    /// Its page has nothing and says that there is more.
    Nothing,
}

/// A stub's settings and counts.
pub struct Inner {
    array: String,
    volumes: AtomicUsize,
    faults: Mutex<VecDeque<Fault>>,
    is_away: AtomicBool,
    /// The array has no figures of this time.
    unknown_ms: AtomicI64,
    session: AtomicU64,
    /// Older sessions have expired.
    valid_from: AtomicU64,
    answered: AtomicU64,
    pages: AtomicU64,
}

/// A FlashArray, a FlashBlade and an exporter in one.
pub struct Stub {
    pub address: SocketAddr,
    inner: Arc<Inner>,
    _runtime: Runtime,
}

impl Stub {
    pub fn start(array: &str, volumes: usize) -> Self {
        let inner = Arc::new(Inner {
            array: array.to_owned(),
            volumes: AtomicUsize::new(volumes),
            faults: Mutex::default(),
            is_away: AtomicBool::default(),
            unknown_ms: AtomicI64::default(),
            session: AtomicU64::new(1),
            valid_from: AtomicU64::default(),
            answered: AtomicU64::default(),
            pages: AtomicU64::default(),
        });
        let app = Router::new()
            .route("/api/2.26/login", post(login))
            .route("/api/login", post(login))
            .route("/api/2.26/arrays/space", get(arrays_space))
            .route("/api/2.26/volumes/space", get(volumes_space))
            .route("/api/2.26/volumes/tags", get(tags))
            .route("/api/2.26/file-systems", get(file_systems))
            .route("/api/2.26/buckets", get(buckets))
            .route("/metrics/flasharray", get(|| async { EXPOSITION }))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&inner), misbehave))
            .with_state(Arc::clone(&inner));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, inner, _runtime: runtime }
    }

    /// The next answer is this one.
    pub fn next_is(&self, fault: Fault) {
        self.inner.faults.lock().unwrap().push_back(fault);
    }

    /// Whether every fault has been met.
    pub fn is_done(&self) -> bool {
        self.inner.faults.lock().unwrap().is_empty()
    }

    /// Answers nothing but 503 from now on, or well again.
    pub fn away(&self, is_away: bool) {
        self.inner.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Has so many volumes from now on.
    pub fn has_volumes(&self, count: usize) {
        self.inner.volumes.store(count, Ordering::SeqCst);
    }

    /// Has no figures of this time.
    pub fn does_not_know(&self, time_ms: i64) {
        self.inner.unknown_ms.store(time_ms, Ordering::SeqCst);
    }

    /// Good answers so far.
    pub fn answered(&self) -> u64 {
        self.inner.answered.load(Ordering::SeqCst)
    }

    /// Pages beyond the first so far.
    pub fn pages(&self) -> u64 {
        self.inner.pages.load(Ordering::SeqCst)
    }

    /// Logins so far.
    pub fn logins(&self) -> u64 {
        self.inner.session.load(Ordering::SeqCst) - 1
    }
}

type Asked = Query<BTreeMap<String, String>>;
type Shared = State<Arc<Inner>>;

async fn misbehave(State(inner): Shared, request: Request, next: axum::middleware::Next) -> Response {
    if inner.is_away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let is_login = request.uri().path().ends_with("login");
    if !is_login {
        let fault = inner.faults.lock().unwrap().pop_front();
        match fault {
            None => {}
            Some(Fault::Expired) => {
                let next = inner.session.load(Ordering::SeqCst) + 1;
                inner.valid_from.store(next, Ordering::SeqCst);
            }
            Some(Fault::Status(429)) => {
                return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response();
            }
            Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
            Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
            Some(Fault::Malformed) => return "{\"items\": [{\"id\": ".into_response(),
            Some(Fault::Around(item)) => {
                return format!(
                    "{{\"items\": [{item}], \"continuation_token\": \"again\", \"more_items_remaining\": true}}"
                )
                .into_response();
            }
            Some(Fault::Nothing) => return "{\"items\": [], \"continuation_token\": \"more\"}".into_response(),
            Some(Fault::Huge(bytes)) => return vec![b' '; bytes].into_response(),
            Some(Fault::CutOff) => {
                let pieces = [Ok(Bytes::from_static(b"{\"items\": [")), Err(std::io::Error::other("cut off"))];
                return Body::from_stream(futures_util::stream::iter(pieces)).into_response();
            }
        }
        if request.uri().path().starts_with("/api") && !is_open(&inner, request.headers()) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    }
    let answer = next.run(request).await;
    if answer.status() == 200 && !is_login {
        inner.answered.fetch_add(1, Ordering::SeqCst);
    }
    answer
}

fn is_open(inner: &Inner, headers: &HeaderMap) -> bool {
    let token = headers.get("x-auth-token").and_then(|token| token.to_str().ok());
    let session = token.and_then(|token| token.strip_prefix(SESSION)).and_then(|number| number.parse::<u64>().ok());
    session.is_some_and(|session| session >= inner.valid_from.load(Ordering::SeqCst))
}

async fn login(State(inner): Shared, headers: HeaderMap) -> Response {
    if headers.get("api-token").is_none_or(|token| token != TOKEN) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let session = inner.session.fetch_add(1, Ordering::SeqCst) + 1;
    ([("x-auth-token", format!("{SESSION}{session}"))], axum::Json(json!({"items": [{"username": "plimsoll"}]})))
        .into_response()
}

/// What a volume holds at a time: the test knows it too.
fn used(volume: usize, time_ms: i64) -> i64 {
    1_000_000 * (volume as i64 + 1) + time_ms / 1000 % 1000
}

fn number(asked: &BTreeMap<String, String>, name: &str) -> Option<i64> {
    asked.get(name).map(|text| text.parse().unwrap())
}

async fn arrays_space(State(inner): Shared, Query(asked): Asked) -> Response {
    let volumes = inner.volumes.load(Ordering::SeqCst);
    let item = |time: i64, used: i64| {
        json!({"id": inner.array, "name": format!("{}-name", inner.array), "capacity": 900_000_000_000_i64,
               "time": time, "space": {"total_used": used, "data_reduction": 3.7}})
    };
    let items: Vec<Value> = match (number(&asked, "end_time"), asked.get("type").map(String::as_str)) {
        (Some(time), _) if time == inner.unknown_ms.load(Ordering::SeqCst) => Vec::new(),
        (Some(time), _) => {
            // the window holds the sample before too, which is another instant's
            let all = |time: i64| (0..volumes).map(|volume| used(volume, time)).sum::<i64>();
            let step = number(&asked, "resolution").unwrap();
            vec![item(time - step, all(time - step)), item(time, all(time))]
        }
        (None, Some("array")) => vec![item(0, 700)],
        (None, Some("file-system")) => vec![item(0, 400)],
        (None, Some("object-store")) => vec![item(0, 300)],
        (None, _) => return StatusCode::BAD_REQUEST.into_response(),
    };
    axum::Json(json!({"items": items, "continuation_token": null, "more_items_remaining": false})).into_response()
}

async fn volumes_space(State(inner): Shared, Query(asked): Asked) -> axum::Json<Value> {
    let time = number(&asked, "end_time").unwrap();
    let item = |volume: usize| {
        json!({"id": format!("v{volume}"), "name": format!("tenant::v{volume}"), "time": time,
               "space": {"total_used": used(volume, time), "total_provisioned": 5, "shared": null}})
    };
    page(&inner, &asked, inner.volumes.load(Ordering::SeqCst), item)
}

/// Every volume but the first has a tag.
async fn tags(State(inner): Shared, Query(asked): Asked) -> axum::Json<Value> {
    assert_eq!(asked.get("namespaces").map(String::as_str), Some("staas"));
    let tag = |n: usize| {
        json!({"namespace": "staas", "key": "chargeback", "value": format!("cc-{}", n + 1),
               "resource": {"id": format!("v{}", n + 1), "resource_type": "volumes"}})
    };
    page(&inner, &asked, inner.volumes.load(Ordering::SeqCst) - 1, tag)
}

async fn file_systems(State(inner): Shared, Query(asked): Asked) -> axum::Json<Value> {
    let system = |n: usize| {
        json!({"id": format!("fs{n}"), "name": format!("tenant::fs{n}"), "provisioned": 1000 + n,
               "space": {"total_used": 100 + n, "total_physical": 1}})
    };
    page(&inner, &asked, 5, system)
}

async fn buckets(State(inner): Shared, Query(asked): Asked) -> axum::Json<Value> {
    let bucket =
        |n: usize| json!({"id": format!("b{n}"), "name": format!("tenant::b{n}"), "space": {"total_used": 200 + n}});
    page(&inner, &asked, 2, bucket)
}

/// A page of a list; its token has characters that an address must not hold as they are.
fn page(
    inner: &Inner,
    asked: &BTreeMap<String, String>,
    count: usize,
    item: impl Fn(usize) -> Value,
) -> axum::Json<Value> {
    let limit = number(asked, "limit").unwrap() as usize;
    let from: usize = asked.get("continuation_token").map_or(0, |token| {
        inner.pages.fetch_add(1, Ordering::SeqCst);
        token.strip_prefix("+/ &=?").unwrap().parse().unwrap()
    });
    let to = count.min(from + limit);
    let items: Vec<Value> = (from..to).map(item).collect();
    let next = (to < count).then(|| format!("+/ &=?{to}"));
    axum::Json(
        json!({"items": items, "continuation_token": next, "more_items_remaining": to < count, "total_item_count": count}),
    )
}
