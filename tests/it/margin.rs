//! The margin of a provider with the sample price book: what customers are allocated is computed again here, another way.

use std::collections::BTreeMap;

use plimsoll::clickhouse::{Client, allocation, read::rating};
use plimsoll::config::Config;
use plimsoll::core::cut::Versions;
use plimsoll::core::decision::Decision;
use plimsoll::core::decision::closing::{Cause, Close, PeriodKey};
use plimsoll::core::pricing::period::{Period, period};
use plimsoll::core::word::Offset;
use plimsoll::prove::{Weighed, allocate, allocation_rows};
use plimsoll::statement::Rater;
use serde_json::Value;

use crate::stage::{SAMPLE, shared_site};
use crate::worker::Parts;

/// 2026-10-05T00:00:00Z.
const START_S: i64 = 1_791_158_400;
const HOURS: i64 = 48;
const DEMO: &str = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";
const BLOCK: &str = "//Block - Premium";
const FILE: &str = "//UFFO - Standard";

/// (array, site, kind, resource, tag, tier, TiB). The wholesale line of block is of HAM1 only.
const SERIES: [(&str, &str, &str, &str, &str, &str, u64); 18] = [
    ("ham-1", "HAM1", "array", "ham-1", "", BLOCK, 1_000),
    ("ham-1", "HAM1", "volume", "v1", "acme", BLOCK, 400),
    ("ham-1", "HAM1", "volume", "v2", "globex", BLOCK, 251),
    ("ham-1", "HAM1", "volume", "v3", "umbrella", BLOCK, 149),
    ("ham-1", "HAM1", "volume", "v4", "", BLOCK, 90),
    // of another tier, and of another meter below: no weights of this line
    ("ham-1", "HAM1", "volume", "v5", "acme", "//Block - Basic", 77),
    // at another site
    ("ber-1", "BER1", "array", "ber-1", "", BLOCK, 500),
    ("ber-1", "BER1", "volume", "v1", "acme", BLOCK, 300),
    // more is tagged than the array says
    ("ham-3", "HAM1", "array", "ham-3", "", FILE, 300),
    ("ham-3", "HAM1", "file_system", "f1", "globex", FILE, 200),
    ("ham-3", "HAM1", "file_system", "f2", "ACME", FILE, 83),
    ("ham-3", "HAM1", "file_system", "f3", "acme", FILE, 37),
    (DEMO, "HAM1", "array", DEMO, "", BLOCK, 5_000),
    (DEMO, "HAM1", "volume", "v1", "acme", BLOCK, 4_000),
    // handed over after 24 hours
    ("ham-4", "HAM1", "array", "ham-4", "", BLOCK, 2_000),
    ("ham-4", "HAM1", "volume", "v1", "globex", BLOCK, 1_500),
    ("ham-4", "HAM1", "volume", "v2", "acme", BLOCK, 333),
    // of a customer without wholesale: it buys nothing that an array of the provider measures
    ("ham-5", "HAM1", "volume", "v1", "hooli", "//Block - Basic", 5),
];

fn event(provider: &str, array: &str, minutes: i64, readings: &str) -> (String, String) {
    let time = chrono::DateTime::from_timestamp(START_S + minutes * 60, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let site = SERIES.iter().find(|series| series.0 == array).map_or("HAM1", |series| series.1);
    let data =
        format!(r#"{{"provider":"{provider}","array":{{"id":"{array}","site":"{site}"}},"readings":[{readings}]}}"#);
    let text = format!(
        r#"{{"specversion":"1.0","id":"{provider}-{time}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{data}}}"#
    );
    (array.to_owned(), text)
}

/// Each array's series at one instant, `more` TiB above what they are.
fn reading_event(array: &str, minutes: i64, more: u64) -> (String, String) {
    let own = SERIES.iter().filter(|series| series.0 == array);
    let readings: Vec<String> = own
        .map(|(_, _, kind, resource, tag, tier, tib)| {
            let tag = if tag.is_empty() { String::new() } else { format!(r#""customer":"{tag}","#) };
            let value = (tib + more) << 40;
            format!(r#"{{{tag}"tier":"{tier}","kind":"{kind}","resource":"{resource}","meter":"effective_used","value":{value}}}"#)
        })
        .collect();
    event("northwind", array, minutes, &readings.join(","))
}

fn events() -> Vec<(String, String)> {
    let mut events = Vec::new();
    for hour in 0..HOURS {
        for array in ["ham-1", "ber-1", "ham-3", DEMO, "ham-5"] {
            events.push(reading_event(array, hour * 60, 0));
        }
        if hour < 24 {
            events.push(reading_event("ham-4", hour * 60, 0));
        }
    }
    let theirs = r#"{"kind":"array","resource":"ham-4","meter":"effective_used","value":1}"#;
    events.push(event("fjordcloud", "ham-4", 24 * 60 + 30, theirs));
    events
}

/// How long an array's levels count, in milliseconds: hourly readings and two hours of hold, or the hand-over.
fn counted_ms(array: &str) -> i128 {
    let minutes = if array == "ham-4" { 24 * 60 + 30 } else { (HOURS - 1) * 60 + 120 };
    i128::from(minutes * 60_000)
}

/// Integrals of a tier at HAM1 without the demo array, by holder; "" is what the arrays hold above all tags.
fn weights(tier: &str) -> BTreeMap<&'static str, i128> {
    let mut weights: BTreeMap<&str, i128> = BTreeMap::new();
    let mut arrays = 0i128;
    for (array, site, kind, _, tag, own, tib) in SERIES {
        if own != tier || array == DEMO || (tier == BLOCK && site != "HAM1") {
            continue;
        }
        let integral = (i128::from(tib) << 40) * counted_ms(array);
        match (kind, tag) {
            ("array", _) => arrays += integral,
            (_, "") => {}
            (_, "ACME") => *weights.entry("acme").or_default() += integral,
            (_, tag) => *weights.entry(tag).or_default() += integral,
        }
    }
    let tagged: i128 = weights.values().sum();
    weights.insert("", (arrays - tagged).max(0));
    weights
}

/// Cents by holder: each cent in turn goes to whoever is furthest below its exact share, "" only if nobody else is as far.
fn cents(amount: i128, weights: &BTreeMap<&'static str, i128>) -> BTreeMap<&'static str, i128> {
    let whole: i128 = weights.values().sum();
    assert!(amount >= 0 && whole > 0);
    let gcd = weights.values().fold(whole, |one, other| {
        let (mut one, mut other) = (one, *other);
        while other != 0 {
            (one, other) = (other, one % other);
        }
        one
    });
    let mut given: BTreeMap<&str, i128> =
        weights.iter().map(|(id, weight)| (*id, amount * (weight / gcd) / (whole / gcd))).collect();
    while given.values().sum::<i128>() < amount {
        let below = |id: &str| amount * (weights[id] / gcd) - given[id] * (whole / gcd);
        let ids = weights.keys().copied().filter(|id| !id.is_empty()).chain([""]);
        let next = ids.fold(None, |best: Option<&str>, id| match best {
            Some(best) if below(best) >= below(id) => Some(best),
            _ => Some(id),
        });
        *given.get_mut(next.unwrap()).unwrap() += 1;
    }
    given
}

fn minor(value: &Value) -> i128 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn margin(parts: &Parts) -> Value {
    parts.lines(&["margin", "--provider", "northwind", "--period", "2026-10", "--format", "json"]).remove(0)
}

/// Wholesale cents by customer as the margin says; "" is unallocated.
fn wholesale(sheet: &Value) -> BTreeMap<String, i128> {
    let of = sheet["customers"].as_array().unwrap().iter();
    let of = of.map(|one| (one["customer"].as_str().unwrap().to_owned(), minor(&one["wholesale"])));
    of.chain([(String::new(), minor(&sheet["unallocated"]["wholesale"]))]).collect()
}

#[test]
fn both_sides_agree_to_the_cent() {
    let parts = shared_site(2);
    parts.ok(&["catalog", "apply", SAMPLE]);
    parts.produce("usage", events().into_iter());
    parts.ok(&["run", "--until-caught-up"]);

    let open = margin(&parts);
    assert_eq!((&open["state"], &open["provisional"]), (&"open".into(), &true.into()));
    let sheet = &open["currencies"][0];
    let statements =
        parts.lines(&["statement", "--all", "--provider", "northwind", "--period", "2026-10", "--format", "json"]);
    let (bought, sold): (Vec<_>, Vec<_>) =
        statements.iter().partition(|document| document["contract"] == "northwind-wholesale");
    let of = |documents: &[&Value]| documents.iter().map(|document| minor(&document["net"])).sum::<i128>();
    let allocated = wholesale(sheet);
    assert_eq!(allocated.values().sum::<i128>(), of(&bought), "I19");
    assert_eq!((minor(&sheet["total"]["wholesale"]), minor(&sheet["total"]["retail"])), (of(&bought), of(&sold)));
    for document in &sold {
        let customer =
            sheet["customers"].as_array().unwrap().iter().find(|one| one["customer"] == document["buyer"]["id"]);
        let customer = customer.unwrap();
        assert_eq!(customer["retail"], document["net"]);
        assert_eq!(minor(&customer["margin"]), minor(&customer["retail"]) - minor(&customer["wholesale"]));
    }
    assert_eq!(allocated, again(bought[0]));
    assert!(allocated["acme"] > 0 && allocated["umbrella"] > 0 && allocated[""] > 0 && allocated["hooli"] == 0);
    // 320 of 300 TiB for 49 of 745 hours (October in Berlin has one more)
    assert_eq!(sheet["over_attributed"][0]["quantity"], "1.315436");
    let table = parts.ok(&["margin", "--provider", "northwind", "--period", "2026-10"]);
    assert!(
        table.contains("(unallocated)") && table.contains("over attributed: ") && table.contains("umbrella"),
        "{table}"
    );
    let csv = parts.ok(&["margin", "--provider", "northwind", "--period", "2026-10", "--format", "csv"]);
    assert!(csv.lines().count() >= 8 && csv.lines().all(|line| line.split(',').count() >= 12), "{csv}");
    assert_eq!(parts.run(&["margin", "--provider", "nobody", "--period", "2026-10"]).status.code(), Some(2));

    closed(&parts, &open);
}

/// What each row of a wholesale document gives to whom, from the levels that were sent.
fn again(document: &Value) -> BTreeMap<String, i128> {
    let mut sums: BTreeMap<&str, i128> = ["acme", "globex", "umbrella", "hooli", ""].map(|id| (id, 0)).into();
    let rows = document["rows"].as_array().unwrap();
    let (lines, derived): (Vec<_>, Vec<_>) = rows.iter().partition(|row| !row["meter"].is_null());
    assert!(lines.len() >= 3 && !derived.is_empty(), "{document}");
    for row in lines {
        let tier = if row["line"] == "block-premium" { BLOCK } else { FILE };
        for (id, share) in cents(minor(&row["amount"]), &weights(tier)) {
            *sums.get_mut(id).unwrap() += share;
        }
    }
    // support is a share of all of them, and so would a minimum be
    let metered = sums.clone();
    for row in derived {
        for (id, share) in cents(minor(&row["amount"]), &metered) {
            *sums.get_mut(id).unwrap() += share;
        }
    }
    sums.into_iter().map(|(id, sum)| (id.to_owned(), sum)).collect()
}

/// A closed period is as its close stored it, whatever comes after.
fn closed(parts: &Parts, open: &Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(close(parts));
    parts.produce("usage", std::iter::once(reading_event("ham-1", HOURS * 60 + 30, 3_000)));
    parts.ok(&["run", "--until-caught-up"]);
    let closed = margin(parts);
    assert_eq!((&closed["state"], &closed["provisional"]), (&"closed".into(), &false.into()));
    assert_eq!(closed["currencies"], open["currencies"]);
    // without one part of it there is no margin rather than a wrong one
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client(parts);
        client
            .execute("ALTER TABLE allocation DELETE WHERE customer = 'acme' SETTINGS mutations_sync = 1")
            .await
            .unwrap();
    });
    let output = parts.run(&["margin", "--provider", "northwind", "--period", "2026-10"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("the margin is not shown"), "{told}");
}

fn client(parts: &Parts) -> Client {
    Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse)
}

/// Stores what a close stores: ratings, their allocation, the decision.
async fn close(parts: &Parts) {
    let client = client(parts);
    let rater = Rater::newest(&client).await.unwrap();
    let bounds: Period = period(&rater.book().contracts["northwind-wholesale"], "2026-10").unwrap();
    let after = Offset(rating::next_decision(&client).await.unwrap());
    let wholesale = rater.statements("northwind-wholesale", "2026-10").await.unwrap();
    let split =
        allocate(&client, rater.book(), "northwind", &bounds, &wholesale, &Weighed::Buckets(None)).await.unwrap();
    let stored = allocation_rows(&wholesale, &split).unwrap();
    for _ in 0..2 {
        // a close that was killed writes them again
        allocation::insert(&client, "r1", &stored).await.unwrap();
    }
    assert_eq!(allocation::read(&client, &["r1".to_owned()]).await.unwrap().len(), stored.len());
    for contract in rater.contracts_of("northwind") {
        for document in rater.statements(&contract, "2026-10").await.unwrap() {
            let customer = if contract == "northwind-customers" { document.buyer.id.clone() } else { String::new() };
            let sql = "INSERT INTO rating (rating_id, contract, customer, provider, currency, document) \
                       SELECT 'r1', {contract:String}, {customer:String}, 'northwind', 'EUR', {document:String}";
            let insert = client.raw().query_raw(sql).param("contract", &contract).param("customer", customer);
            insert.param("document", serde_json::to_string(&document).unwrap()).execute().await.unwrap();
        }
    }
    let close = Close {
        period: PeriodKey { provider: "northwind".to_owned(), start: bounds.start, end: bounds.end },
        revision: 0,
        cause: Cause::Adjustment,
        cut: wholesale[0].proof.cut.clone(),
        after,
        versions: Versions { fold: 1, rate: 1 },
        book: wholesale[0].proof.price_book.clone(),
        rating_id: "r1".to_owned(),
        digest: String::new(),
        credits: Vec::new(),
    };
    let sql =
        "INSERT INTO decision SELECT {offset:UInt64}, now64(3), 'PeriodClosed', 'northwind', 'test', {body:String}, ''";
    let decide = async |offset: Offset, close: Close| {
        let body = Decision::PeriodClosed { close: Box::new(close), actor: "test".to_owned() };
        let insert = client.raw().query_raw(sql).param("offset", offset.0);
        insert.param("body", serde_json::to_string(&body).unwrap()).execute().await.unwrap();
    };
    decide(after, close.clone()).await;
    // a second closer's is void
    decide(Offset(after.0 + 1), Close { rating_id: "r2".to_owned(), ..close }).await;
}
