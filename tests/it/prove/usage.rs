//! Usage from the ledger below a cut is what SQL read of the buckets when they stood at that cut: over random usage, for the lines of the
//! sample book, of random books, and for lines that no book would have.

use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::read::line_usage;
use plimsoll::clickhouse::read::rating::vector;
use plimsoll::config::Config;
use plimsoll::core::book::model::{Buyer, Per, Statistic};
use plimsoll::core::book::{self, Book};
use plimsoll::core::cut::CutPoint;
use plimsoll::core::decision::stream::StreamRegister;
use plimsoll::core::pricing::party;
use plimsoll::core::pricing::period::period;
use plimsoll::core::pricing::selection::{Grain, LineSelection, selections};
use plimsoll::core::pricing::usage::LineUsage;
use plimsoll::core::word::{Instant, Kind};
use plimsoll::prove::{Effort, Ledger, Streams};
use plimsoll::remeter::Definitions;

use super::random::{ARRAYS, END_MS, PROVIDERS, SITES, START_MS, TAGS, TIERS, corrections, polls};
use crate::quote::random::Random;
use crate::stage::{SAMPLE, shared_site};
use crate::worker::Parts;

const QUARTER: i64 = 900_000;

const METERS: &str = r#"format = 1
[meter.fine]
kind = "gauge"
base = "byte"
cell_minutes = 5
max_hold_minutes = 300
[meter.written]
kind = "delta"
base = "byte"
[provider.p]
name = "P"
address = ["1"]
"#;

/// The sample book, and meters of other kinds.
fn publish(parts: &Parts) -> Book {
    let directory = parts.directory.path().join("sample");
    std::fs::create_dir_all(&directory).unwrap();
    let mut files = vec![("meters.toml".to_owned(), METERS.to_owned())];
    for entry in std::fs::read_dir(SAMPLE).unwrap() {
        let entry = entry.unwrap();
        files.push((entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()));
    }
    for (name, text) in &files {
        std::fs::write(directory.join(name), text).unwrap();
    }
    parts.ok(&["catalog", "apply", directory.to_str().unwrap()]);
    book::parse(&files).unwrap()
}

/// The lines of a book in a month, those of `"*"` contracts for some customers.
fn lines_of(book: &Book, label: &str) -> Vec<LineSelection> {
    let mut lines = Vec::new();
    for (id, contract) in &book.contracts {
        let customers: Vec<Option<&str>> = match contract.buyer {
            Buyer::EachCustomer => TAGS.iter().copied().filter(|tag| !tag.is_empty()).map(Some).collect(),
            _ => vec![None],
        };
        assert!(!party::provider(contract).is_empty());
        let Ok(period) = period(contract, label) else { continue };
        lines.extend(
            customers.into_iter().filter_map(|customer| selections(book, id, customer, &period).ok()).flatten(),
        );
    }
    lines
}

fn random_book(random: &mut Random) -> Option<Book> {
    let text = crate::rating::random::book(random);
    // the tiers, the customer and the provider that usage knows
    let text = text.replace("\"t0\"", "\"//Block - Premium\"").replace("\"t1\"", "\"//UFFO - Standard\"");
    crate::rating::book::parse(&text).ok()
}

/// A line with anything in it.
fn line(random: &mut Random) -> LineSelection {
    let quarters = ((END_MS - START_MS) / QUARTER) as u64;
    let step = random.pick(&[1, 1, 4]);
    let instant = |random: &mut Random| Instant(START_MS + (random.below(quarters) as i64 / step * step) * QUARTER);
    let (one, other) = (instant(random), instant(random));
    // few ends, since each is asked for on its own
    let until = Instant(END_MS - [0, 5, 96, 450][random.below(4) as usize] * step * QUARTER);
    let from = one.min(other).min(until.plus_ms(-step * QUARTER));
    let some = |random: &mut Random, list: &[&str]| -> Vec<String> {
        let taken = list.iter().filter(|_| random.chance(3)).map(|text| (*text).to_owned());
        taken.collect()
    };
    let mut edges: Vec<Instant> =
        (0..random.below(40)).map(|_| instant(random)).filter(|edge| from < *edge && *edge < until).collect();
    edges.push(from);
    edges.sort_unstable();
    edges.dedup();
    let demo: Vec<String> = if random.chance(3) { some(random, &ARRAYS) } else { Vec::new() };
    LineSelection {
        line: 0,
        id: "any".to_owned(),
        meter: random.pick(&["effective_used", "read_bytes", "fine", "written", "nothing"]).to_owned(),
        kind: random.pick(&[Kind::Volume, Kind::Volume, Kind::Array, Kind::FileSystem]),
        tier: random.chance(2).then(|| random.pick(&TIERS[1..]).to_owned()),
        statistic: Statistic::Mean,
        provider: random.pick(&PROVIDERS).to_owned(),
        sites: if random.chance(3) { some(random, &SITES) } else { Vec::new() },
        arrays: if random.chance(3) { some(random, &ARRAYS) } else { Vec::new() },
        customers: random.chance(2).then(|| some(random, &TAGS[1..])),
        per: random.pick(&[None, None, Some(Per::Array), Some(Per::Resource)]),
        grain: if random.chance(3) { Grain::Cell } else { Grain::Window(edges.into()) },
        from,
        until,
        part: Vec::new(),
        demo: demo.into_iter().map(|array| (array, (!random.chance(3)).then(|| instant(random)))).collect(),
    }
}

/// The end of the log as checkpoints have it.
async fn newest_cut(client: &Client) -> Vec<CutPoint> {
    let vector = vector(client).await.unwrap().into_iter();
    vector.map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect()
}

async fn from_ledger(client: &Client, lines: &[LineSelection], cut: &[CutPoint]) -> (Vec<LineUsage>, Effort) {
    let meters = Definitions::read(client).await.unwrap().newest();
    let streams = Streams::of(StreamRegister::default());
    let (mut usages, mut all) = (vec![LineUsage::default(); lines.len()], Effort::default());
    for provider in PROVIDERS {
        let places: Vec<usize> = (0..lines.len()).filter(|place| lines[*place].provider == provider).collect();
        let own: Vec<LineSelection> = places.iter().map(|place| lines[*place].clone()).collect();
        let mut effort = Effort::default();
        let ledger = Ledger { client, cut, streams: &streams, meters: &meters, provider };
        let found = ledger.usages(&own, |_, now| effort = now).await.unwrap();
        places.into_iter().zip(found).for_each(|(place, usage)| usages[place] = usage);
        all.readings += effort.readings;
    }
    (usages, all)
}

fn compare(what: &str, lines: &[LineSelection], ledger: &[LineUsage], sql: &[LineUsage]) {
    assert_eq!(ledger.len(), sql.len());
    for ((line, ledger), sql) in lines.iter().zip(ledger).zip(sql) {
        let brief = |usage: &LineUsage| {
            let parts: Vec<String> =
                usage.parts.iter().map(|part| format!("{}: {}", part.name, part.slots.len())).collect();
            format!("{parts:?} {:?}", usage.arrays.iter().map(|array| &array.array).collect::<Vec<_>>())
        };
        assert_eq!(brief(ledger), brief(sql), "{what}: {line:?}");
        for (one, other) in ledger.parts.iter().zip(&sql.parts) {
            let differs = one.slots.iter().zip(&other.slots).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{what}: {} of {line:?}", one.name);
            assert_eq!(one, other, "{what}: {line:?}");
        }
        assert_eq!(ledger.arrays, sql.arrays, "{what}: {line:?}");
    }
}

#[test]
fn usage_from_the_ledger_is_what_sql_reads_of_buckets() {
    let parts = shared_site(3);
    let book = publish(&parts);
    let config = Config::load(Some(&parts.config)).unwrap();
    let client = Client::new(&config.clickhouse);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut random = Random::new(11);
    let mut lines = lines_of(&book, "2026-10");
    for _ in 0..40 {
        lines.extend(random_book(&mut random).iter().flat_map(|book| lines_of(book, "2026-10")));
    }
    let of_books = lines.len();
    lines.extend((0..60).map(|_| line(&mut random)));

    parts.produce("usage", polls(&mut random).into_iter());
    parts.ok(&["run", "--until-caught-up"]);
    let cut = runtime.block_on(newest_cut(&client));
    let sql = runtime.block_on(line_usage::read_at(&client, &lines, Some(&cut))).unwrap();
    let (ledger, effort) = runtime.block_on(from_ledger(&client, &lines, &cut));
    compare("at the newest cut", &lines, &ledger, &sql);
    assert!(effort.readings > 50_000, "{effort:?}");
    // most lines have something to say: else nothing was compared
    let said = |usages: &[LineUsage]| usages.iter().filter(|usage| !usage.parts.is_empty()).count();
    println!(
        "{} of {} lines of books and {} of {} others have usage",
        said(&sql[..of_books]),
        of_books,
        said(&sql[of_books..]),
        lines.len() - of_books
    );
    assert!(said(&sql[..of_books]) > of_books / 4 && said(&sql[of_books..]) > 15);
    assert!(sql.iter().flat_map(|usage| &usage.arrays).any(|array| array.handed_over.is_some()), "no hand-over");

    // what comes later changes much now, and nothing at the old cut
    parts.produce("usage", corrections(&mut random).into_iter());
    parts.ok(&["run", "--until-caught-up"]);
    let (again, _) = runtime.block_on(from_ledger(&client, &lines, &cut));
    compare("at the old cut", &lines, &again, &sql);
    let later = runtime.block_on(newest_cut(&client));
    let lines: Vec<LineSelection> = lines.into_iter().step_by(3).collect();
    let sql: Vec<LineUsage> = sql.into_iter().step_by(3).collect();
    let now = runtime.block_on(line_usage::read_at(&client, &lines, Some(&later))).unwrap();
    let (ledger, _) = runtime.block_on(from_ledger(&client, &lines, &later));
    compare("after corrections", &lines, &ledger, &now);
    let changed = now.iter().zip(&sql).filter(|(now, then)| now != then).count();
    assert!(changed > lines.len() / 4, "{changed} of {} lines", lines.len());
}
