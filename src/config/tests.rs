//! What the configuration takes, what it refuses, and in which words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

fn named(text: &str) -> Result<Config, ConfigError> {
    with(text, &[])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_parts(Source::Named(PathBuf::from("site.toml")), text, variables)
}

fn refusal(text: &str) -> String {
    named(text).unwrap_err().to_string()
}

#[test]
fn the_reference_is_valid_by_itself() {
    let config = Config::from_parts(Source::Defaults, "", []).unwrap();
    assert_eq!(config.kafka.group, "plimsoll");
    assert_eq!(config.run.flush_interval, Duration::from_secs(1));
    assert!(config.credentials.is_empty());
    // ... and so is a copy of it as a site's own file.
    named(REFERENCE).unwrap();
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
    let text = "[kafka]\nbootstrap_servers = \"file:1\"\ngroup = \"g\"\n";
    let variables = [
        ("PLIMSOLL_KAFKA__BOOTSTRAP_SERVERS", "environment:1"),
        ("PLIMSOLL_RUN__FLUSH_INTERVAL_MS", "50"),
        ("PLIMSOLL_KAFKA__PROPERTIES", "{ \"client.rack\" = \"b\" }"),
        ("PLIMSOLL_CONFIG", "no key"),
    ];
    let config = with(text, &variables).unwrap();
    assert_eq!(config.kafka.bootstrap_servers, "environment:1");
    assert_eq!(config.kafka.group, "g");
    assert_eq!(config.kafka.control_topic, "billing-control");
    assert_eq!(config.run.flush_interval, Duration::from_millis(50));
    assert_eq!(config.kafka.properties, [("client.rack".to_owned(), Secret::new("b".to_owned()))]);
}

#[test]
fn refusals_name_the_place_and_the_mend() {
    let cases = [
        "[kafka]\n\nbootstrap_server = \"x\"",
        "[kafak]\ngroup = \"x\"",
        "group = \"x\"",
        "[kafka]\nzookeeper = \"x\"",
        "[kafka]\ngroup = 7",
        "[run]\nflush_interval_ms = 1.5",
        "[run]\nflush_interval_ms = 5",
        "[run]\nflush_interval_ms = 99999999999999999999",
        "[kafka]\nsecurity_protocol = \"tls\"",
        "[kafka]\nsasl_username = \"x\"",
        "[kafka]\nssl_ca_location = \"ca.pem\"",
        "[kafka]\nsecurity_protocol = \"sasl_ssl\"\nsasl_mechanism = \"GSSAPI\"",
        "[kafka]\nsecurity_protocol = \"sasl_ssl\"\nsasl_mechanism = \"PLAIN\"\nsasl_username = \"x\"",
        "[kafka]\nproperties = { \"auto.offset.reset\" = \"latest\" }",
        "[kafka]\nproperties = { \"a\" = [1] }",
        "[clickhouse]\nurl = \"tcp://x\"",
        "[clickhouse]\nurl = \"http://me:secret@x\"",
        "[clickhouse]\ndatabase = \"a; drop\"",
        "[clickhouse]\npassword = \"a\"\npassword_file = \"b\"",
        "[clickhouse]\npassword_file = \"/nowhere/at/all\"",
        "[http]\nlisten = \"here\"",
        "[http]\nlisten = \"0.0.0.0:8080\"",
        "[http]\npage_size = 20000",
        "[log]\nfilter = \"a=b=c\"",
        "[[credential]]\nid = \"a\"\ntoken = \"x\"",
        "[[credential]]\nid = \"a\"\nprincipal = \"operator\"",
        "[[credential]]\nid = \"a\"\ntoken_sha256 = \"x\"\nprincipal = \"operator\"",
        "[credential]\nid = \"a\"",
        "[kafka\n",
        "[kafka]\ngroup = \"a\"\ngroup = \"b\"",
    ];
    let all: Vec<String> = cases.iter().map(|case| format!("{case}\n  -> {}\n", refusal(case))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_variable_that_names_no_key_is_refused() {
    let error = with("", &[("PLIMSOLL_KAFKA__GROOP", "x")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable PLIMSOLL_KAFKA__GROOP: unknown key `kafka.groop`; did you mean `kafka.group`?"
    );
    let error = with("", &[("PLIMSOLL_RUN__FLUSH_INTERVAL_MS", "soon")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable PLIMSOLL_RUN__FLUSH_INTERVAL_MS: `run.flush_interval_ms` must be a whole number, \
         not a value of type string"
    );
}

#[test]
fn principals_have_one_form_each() {
    let parse = Principal::parse;
    for text in ["operator", "vendor:evergrove", "provider:northwind", "customer:northwind/acme"] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    for text in ["", "operator:x", "vendor:", "provider", "customer:northwind", "customer:/acme", "root"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn two_credentials_never_share_an_id_or_a_token() {
    let one = |id: &str, digit: &str| {
        format!("[[credential]]\nid = \"{id}\"\ntoken_sha256 = \"{}\"\nprincipal = \"operator\"\n", digit.repeat(64))
    };
    assert_eq!(named(&(one("a", "1") + &one("b", "2"))).unwrap().credentials.len(), 2);
    assert!(refusal(&(one("a", "1") + &one("a", "2"))).contains("site.toml:6: `credential.id` is used twice"));
    assert!(
        refusal(&(one("a", "1") + &one("b", "1"))).contains("site.toml:7: `credential.token_sha256` is used twice")
    );
}

#[test]
fn a_producer_is_no_reader_and_closes_the_door_all_the_same() {
    let one = |principal: &str| {
        format!("[[credential]]\nid = \"a\"\ntoken_sha256 = \"{}\"\nprincipal = \"{principal}\"\n", "1".repeat(64))
    };
    let config = named(&one("producer:northwind")).unwrap();
    assert_eq!((config.credentials.len(), config.producers[0].provider.as_str()), (0, "northwind"));
    assert!(!config.is_open());
    for principal in ["producer", "producer:"] {
        assert!(refusal(&one(principal)).contains("or producer:PROVIDER"), "{principal}");
    }
}

#[test]
fn a_gateway_needs_a_log_a_token_and_room_for_one_body() {
    let kafka = "[kafka]\nbootstrap_servers = \"k:1\"\n";
    let gateway = |keys: &str| format!("{kafka}[gateway]\n{keys}\n");
    assert!(named(&gateway("listen = \"127.0.0.1:8090\"")).is_ok());
    assert!(refusal("[gateway]\nlisten = \"127.0.0.1:8090\"").contains("kafka.bootstrap_servers"));
    assert!(refusal(&gateway("listen = \"0.0.0.0:8090\"")).contains("[[credential]]"));
    let room =
        |most: u32| gateway(&format!("body_max_kbytes = 2\ninflated_max_kbytes = 3\nin_flight_max_kbytes = {most}"));
    assert!(
        named(&room(5)).is_ok() && refusal(&room(4)).contains("at least body_max_kbytes + inflated_max_kbytes = 5")
    );
}

#[test]
fn secrets_come_from_a_file_or_the_environment_and_are_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "from the file\n").unwrap();
    let text =
        format!("[clickhouse]\npassword_file = {:?}\n[kafka]\nproperties = {{ \"ssl.key.pem\" = \"hush\" }}", file);
    let password = |config: &Config| config.clickhouse.password.clone().unwrap().reveal().to_owned();
    let config = named(&text).unwrap();
    assert_eq!(password(&config), "from the file");
    let config = with(&text, &[("PLIMSOLL_CLICKHOUSE__PASSWORD", "from the environment")]).unwrap();
    assert_eq!(password(&config), "from the environment");
    let shown = toml::to_string(config.redacted()).unwrap() + &format!("{config:?}");
    assert!(shown.contains("password = \"***\"") && shown.contains("\"ssl.key.pem\" = \"***\""), "{shown}");
    assert!(!shown.contains("from the environment") && !shown.contains("hush"), "{shown}");
}

#[test]
fn the_named_file_is_the_one_that_is_read() {
    assert_eq!(Source::find(Some(Path::new("x.toml"))), Source::Named(PathBuf::from("x.toml")));
    let error = Config::load(Some(Path::new("/nowhere/x.toml"))).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("configuration named by --config or PLIMSOLL_CONFIG: cannot read /nowhere/x.toml"),
        "{error}"
    );
}
