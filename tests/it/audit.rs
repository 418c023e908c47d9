//! What is stored, held against itself and against the log; and mended.

use std::collections::BTreeMap;

use plimsoll::clickhouse::read::bucket::{self, BucketQuery};
use plimsoll::clickhouse::read::rating::vector;
use plimsoll::clickhouse::{Client, Error};
use plimsoll::config::Config;
use plimsoll::core::billing::proof::CutPoint;
use plimsoll::core::metering::bucket::SeriesKey;
use plimsoll::core::word::Hour;
use plimsoll::remeter::{Cut, Definitions, Remeter, Scope};

use crate::worker::Parts;

const BOOK: &str = r#"format = 1
[meter.effective_used]
kind = "gauge"
base = "byte"
[meter.read_bytes]
kind = "counter"
base = "byte"
"#;

async fn remeter(client: &Client) -> Remeter {
    let vector = vector(client).await.unwrap();
    let points = vector.into_iter().map(|(stream, partition, offset)| CutPoint { stream, partition, offset });
    Remeter::new(client.clone(), Cut::new(&points.collect::<Vec<_>>()).unwrap())
}

/// Every bucket that is stored comes out of the ledger again, and no other.
async fn remetered_is_stored(client: &Client) -> (u64, u64) {
    let remeter = remeter(client).await;
    let meters = Definitions::read(client).await.unwrap().newest();
    let spans = remeter.arrays(None).await.unwrap();
    let from = spans.iter().map(|span| span.oldest.hour()).min().unwrap();
    let to = Hour(spans.iter().map(|span| span.newest.hour()).max().unwrap().0 + 4);
    let scope = Scope { provider: None, arrays: Vec::new(), from, to };
    let mut metered = BTreeMap::new();
    let mut readings = 0;
    remeter
        .each::<Error>(&scope, &meters, |array| {
            readings += array.readings;
            for (row, cells) in array.buckets.iter() {
                let key = (row.series.as_ref().clone(), row.hour);
                assert!(metered.insert(key, (row.clone(), cells.to_vec())).is_none(), "twice");
            }
            Ok(())
        })
        .await
        .unwrap();
    let mut buckets = 0;
    let query = BucketQuery { provider: None, arrays: Vec::new(), from: Hour(0), to: Hour(1_000_000) };
    let mut rows = bucket::read(client, &query).unwrap();
    let owned = |(provider, array): (&str, &str), place: bucket::Place<'_>| {
        let (meter, kind, resource, hour) = place;
        (provider.to_owned(), array.to_owned(), meter.to_owned(), kind, resource.to_owned(), hour)
    };
    let name = |series: &SeriesKey, hour| owned((&series.provider, &series.array), bucket::place(series, hour));
    let mut by_place: BTreeMap<_, _> =
        metered.into_iter().map(|((series, hour), row)| (name(&series, hour), row)).collect();
    while let Some(row) = rows.next().await.unwrap() {
        let found = by_place.remove(&owned((row.provider, row.array), row.place()));
        let (bucket, cells) = found.unwrap_or_else(|| panic!("surplus: {row:?}"));
        assert!(row.says(&bucket, &cells), "{row:?} is not {cells:?}");
        buckets += 1;
    }
    assert_eq!(by_place.len(), 0, "missing");
    (buckets, readings)
}

#[test]
fn the_ledger_gives_every_bucket_again() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "3", "--acceptance-window", "400d"]);
    parts.publish_book(BOOK);
    parts.ok(&["load", "--stream", "usage", "--events", "6000", "--readings", "20", "--arrays", "10"]);
    parts.ok(&["run", "--until-caught-up"]);
    let config = Config::load(Some(&parts.config)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let started = std::time::Instant::now();
    let (buckets, readings) = runtime.block_on(remetered_is_stored(&Client::new(&config.clickhouse)));
    println!("{buckets} buckets, {readings} readings in {:?}", started.elapsed());
    assert!(buckets > 10_000 && readings >= 120_000, "{buckets} buckets, {readings} readings");
}
