//! Issued documents listed and fetched over HTTP, among a million that are stored.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::invoice::{InvoiceRow, insert};
use plimsoll::clickhouse::{Client, migrate};
use plimsoll::http::{Api, Server};
use plimsoll::metrics::Metrics;

use crate::end_to_end::Parts;
use crate::row;
use crate::stage::invoice::{september, stored};

/// Documents; `PLIMSOLL_BENCH_INVOICES` sets another number.
const DOCUMENTS: usize = 1_000_000;
/// Documents of one insert: some 100 MB of JSON.
const OF_INSERT: usize = 20_000;
/// Pages and documents that are asked for.
const ASKED: usize = 200;
const NUMBER: &str = "EG-2026-000118";

/// Prints the figures.
pub fn measure() {
    let asked = std::env::var("PLIMSOLL_BENCH_INVOICES").ok().and_then(|text| text.parse().ok());
    let documents = asked.unwrap_or(DOCUMENTS);
    let parts = Parts::start();
    let mut settings = parts.config.clickhouse.clone();
    settings.database = "invoices".to_owned();
    settings.insert_timeout = Duration::from_secs(600);
    let client = Client::new(&settings);
    parts.runtime.block_on(async {
        migrate::apply(&client).await.unwrap();
        insert(&client, &[first()]).await.unwrap();
    });
    let bytes = first().document.len();
    println!("\n{documents} issued documents of {bytes} bytes, engine beside");
    let started = Moment::now();
    parts.runtime.block_on(fill(&client, documents));
    println!("  inserted in {:.0} s", started.elapsed().as_secs_f64());
    let address = serve(&parts, &client);
    let mut reader = Reader::new(address);
    pages(&mut reader, documents);
    fetches(&mut reader, documents);
}

/// The real document as a closer stores it.
pub fn first() -> InvoiceRow {
    stored(&september(), 0)
}

/// The same again under other numbers: a hundred providers with a hundred customers each over two years, a close of four hundred documents at
/// a time, one in a hundred wholesale. Of one in a hundred there is a second row, since it was credited.
async fn fill(client: &Client, documents: usize) {
    let parties = "if(n % 100 = 0, 'evergrove', concat('provider-', toString(intDiv(n, 400) % 100))) AS s, \
         concat('provider-', toString(intDiv(n, 400) % 100)) AS p, \
         if(n % 100 = 0, p, concat('customer-', toString(intDiv(n, 400) % 100), '-', toString(n % 100))) AS c";
    let insert = |version: u32, state: &str, numbers: &str| {
        format!(
            "INSERT INTO invoice SELECT concat('EG-2026-', leftPad(toString(n), 7, '0')) AS own, {version}, d.document_type, '{state}', s, c, p, \
             d.contract, '', d.period_start, d.period_end, \
             formatDateTime(addMonths(toDate('2025-01-01'), intDiv(n * 24, {documents})), '%Y-%m'), 0, n * 3, \
             addSeconds(d.issued_at, n), d.issue_date, d.due_date, d.currency, d.total, d.net, [], d.rating_id, d.digest, '', \
             replaceAll(d.document, '{NUMBER}', own), d.detail \
             FROM (SELECT number AS n, {parties} FROM {numbers}) AS x CROSS JOIN (SELECT * FROM invoice WHERE number = '{NUMBER}') AS d"
        )
    };
    for from in (1..=documents).step_by(OF_INSERT) {
        let count = OF_INSERT.min(documents + 1 - from);
        client.execute(&insert(1, "issued", &format!("numbers({from}, {count})"))).await.unwrap();
    }
    let credited = format!("(SELECT number * 100 + 50 AS number FROM numbers({}))", documents / 100);
    client.execute(&insert(2, "credited", &credited)).await.unwrap();
    let headers = "INSERT INTO invoice_header SELECT decision, version, number, document_type, state, seller, buyer, provider, contract, \
         customer, label, issued_at, issue_date, due_date, currency, total, corrects, erp FROM invoice";
    client.execute(headers).await.unwrap();
}

/// Serves the API over a database.
pub fn serve(parts: &Parts, client: &Client) -> SocketAddr {
    let mut config = parts.config.clone();
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    let api = Api::new(&config, client.clone(), Arc::new(Metrics::new().unwrap()), None);
    let server = parts.runtime.block_on(Server::bind(api)).unwrap();
    let address = server.address().unwrap();
    let (end, shutdown) = tokio::sync::watch::channel(false);
    parts.runtime.spawn(async move {
        let _end = end;
        server.run(shutdown).await;
    });
    address
}

/// One connection that is kept, as an ERP's client does.
pub struct Reader {
    stream: BufReader<TcpStream>,
}

impl Reader {
    pub fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Milliseconds to the last byte, and the body.
    pub fn get(&mut self, path: &str) -> (f64, String) {
        let started = Moment::now();
        self.stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let (mut length, mut line) = (0, String::new());
        self.stream.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{path}: {line}");
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (started.elapsed().as_secs_f64() * 1e3, String::from_utf8(body).unwrap())
    }
}

/// Pages with each filter, of which every other one is a page behind a cursor.
fn pages(reader: &mut Reader, documents: usize) {
    let filters = |place: usize| {
        let (provider, customer, month) = (place * 7 % 100, 1 + place % 99, 1 + place % 12);
        let year = 2025 + place % 2;
        [
            String::new(),
            "&seller=evergrove".to_owned(),
            format!("&provider=provider-{provider}"),
            format!("&seller=provider-{provider}&buyer=customer-{provider}-{customer}"),
            format!("&buyer=customer-{provider}-{customer}"),
            format!("&period={year}-{month:02}"),
            format!("&provider=provider-{provider}&period={year}-{month:02}"),
            "&state=credited".to_owned(),
            format!("&state=credited&provider=provider-{provider}"),
            "&issued_since=2026-10-10".to_owned(),
        ][place % 10]
            .clone()
    };
    let (mut times, mut of_filter) = (Vec::new(), vec![0f64; 10]);
    let mut rows = 0;
    // one that nobody waits for opens the files
    reader.get("/v1/invoices?limit=1");
    for place in 0..ASKED / 2 {
        let question = format!("/v1/invoices?limit=100{}", filters(place));
        let (took, body) = reader.get(&question);
        let page: serde_json::Value = serde_json::from_str(&body).unwrap();
        rows += page["data"].as_array().unwrap().len();
        let cursor = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let (next, _) = reader.get(&format!("{question}{cursor}"));
        times.extend([took, next]);
        of_filter[place % 10] = of_filter[place % 10].max(took).max(next);
    }
    assert!(rows > ASKED / 2 * 20, "{rows} rows of {documents} documents");
    let slowest: Vec<String> = of_filter.iter().map(|ms| format!("{ms:.0}")).collect();
    println!("  slowest page by filter, ms: {}", slowest.join(" "));
    percentiles("a page of 100 documents, filtered, over HTTP", times);
}

fn fetches(reader: &mut Reader, documents: usize) {
    let times = (0..ASKED).map(|place| {
        let number = 1 + place * 7_919 * 131 % documents;
        let form = if place % 4 == 3 { ".json" } else { "" };
        let name = format!("EG-2026-{number:07}");
        let (took, body) = reader.get(&format!("/v1/invoices/{name}{form}"));
        assert!(body.contains(&name), "{name}");
        took
    });
    percentiles("one document, over HTTP", times.collect());
}

/// Prints the median and the 99th percentile.
pub fn percentiles(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    row(&format!("{name}: p50"), times[times.len() / 2], "ms", None);
    row(&format!("{name}: p99"), times[times.len() * 99 / 100], "ms", None);
}
