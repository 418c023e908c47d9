//! What docs/PRODUCERS.md says to type works.

use std::collections::BTreeMap;

use super::*;

#[test]
fn the_documented_commands_send_events() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has("curl") || !has("jq") {
        eprintln!("passed over without curl and jq");
        return;
    }
    let page = include_str!("../../../docs/PRODUCERS.md");
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.into_iter().find(|block| block.contains("/v1/events")).unwrap();
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--shared", "--partitions", "2"]);
    with_credentials(&parts);
    let door = Door::open(&parts, &[]);
    assert!(block.contains("http://127.0.0.1:8090/v1/events"));
    let script = block.replace("127.0.0.1:8090", &door.address);
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", &script]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.env("TOKEN", "producer:northwind").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("{\"accepted\":1}").count(), 4, "{said}");
    parts.ok(&["run", "--until-caught-up"]);
    let mut found = BTreeMap::new();
    for event in parts.lines(&["events", "--stream", "usage"]) {
        *found.entry(event["disposition"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    // the same event three times, and its data under another id
    assert_eq!(found, BTreeMap::from([("accepted".to_owned(), 2), ("duplicate".to_owned(), 2)]));
}
