//! What the command line says to whoever uses it wrongly.

use clap::Parser as _;

use super::Cli;

fn refused(line: &str) -> String {
    let words = std::iter::once("plimsoll").chain(line.split(' '));
    Cli::try_parse_from(words).unwrap_err().to_string()
}

#[test]
fn where_there_are_several_ways_all_are_named() {
    for (line, ways) in [
        ("export focus", "<--period <YYYY-MM|YYYY>|--from <YYYY-MM>|--to <YYYY-MM>>"),
        ("prove", "<NUMBER|--all|--statement <CONTRACT>|--statements>"),
        ("issue", "<DRAFT|--all>"),
        ("statement --period 2026-10", "<CONTRACT|--all>"),
        ("trace", "<NUMBER|--statement <CONTRACT>>"),
        ("stream open usage --partitions 1", "<--provider <PROVIDER>|--shared>"),
    ] {
        let told = refused(line);
        assert!(told.contains("required arguments were not provided:\n  ") && told.contains(ways), "{line}: {told}");
    }
}

#[test]
fn half_of_a_range_asks_for_its_other_half_alone() {
    for (line, lacks, other) in [
        ("export focus --from 2026-10", "--to <YYYY-MM>", "--period <"),
        ("export focus --to 2026-10", "--from <YYYY-MM>", "--period <"),
        ("prove --statement northwind-wholesale", "--period <YYYY-MM>", "--all"),
    ] {
        let told = refused(line);
        let (lacking, _) = told.split_once("\n\nUsage").unwrap();
        assert!(lacking.contains(lacks) && !lacking.contains(other), "{line}: {told}");
    }
    assert!(refused("export focus --period 2026-10 --to 2026-11").contains("cannot be used with"));
    assert!(refused("prove EG-2026-000118 --all").contains("cannot be used with"));
}

#[test]
fn a_period_is_a_month_wherever_it_is_named() {
    for line in [
        "prove --all --period 2026-1",
        "close --provider northwind --period october",
        "invoices --period 2026-13",
        "margin --provider northwind --period 2026",
        "reprice --provider northwind --period x --reason r",
        "statement northwind-wholesale --period x",
        "trace --statement northwind-wholesale --row 1 --period x",
        "unclaimed --provider northwind --period x",
        "export csv --from x --to 2026-10",
    ] {
        assert!(refused(line).contains("write a month: 2026-10"), "{line}: {}", refused(line));
    }
}

#[test]
fn an_amount_below_nothing_is_no_option() {
    let line = "credit grant northwind-wholesale --id sla-7 --amount -1 --reference outage";
    assert!(Cli::try_parse_from(std::iter::once("plimsoll").chain(line.split(' '))).is_ok());
}
