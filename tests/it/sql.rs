//! Every query of docs/SQL.md is run on a pipeline's tables.

use plimsoll::config::Config;

use crate::worker::Parts;

const PAGE: &str = include_str!("../../docs/SQL.md");

fn queries() -> Vec<&'static str> {
    PAGE.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn each_query_of_the_page_is_answered() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "northwind", "--partitions", "2"]);
    parts.ok(&["catalog", "apply", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pricebook")]);
    parts.ok(&["load", "--stream", "usage", "--events", "400", "--readings", "4", "--arrays", "4"]);
    parts.produce("usage", [("a".to_owned(), "{".to_owned())].into_iter());
    parts.ok(&["run", "--until-caught-up"]);

    let config = Config::load(Some(&parts.config)).unwrap();
    let client = plimsoll::clickhouse::Client::new(&config.clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let queries = queries();
    assert!(queries.len() > 10);
    for query in queries {
        let answer = runtime.block_on(async {
            let mut rows = client.raw().query_raw(query).fetch_bytes("JSONEachRow").unwrap();
            rows.collect().await
        });
        let rows = answer.unwrap_or_else(|error| panic!("{query}: {error}"));
        let is_empty = rows.is_empty();
        assert!(!is_empty || query.contains("-- may be empty"), "nothing is answered to {query}");
    }
    // and each name of the page's table is there
    let (_, table) = PAGE.split_once("| name |").unwrap();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        for name in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            let found = parts
                .number(&format!("SELECT count() FROM system.tables WHERE database = 'plimsoll' AND name = '{name}'"));
            assert_eq!(found, 1, "{name}");
        }
    }
}
