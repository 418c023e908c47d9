//! The figures of docs/PERFORMANCE.md, as one table: `make bench`. All ratios are of figures of the same run.
//!
//! `cargo bench --bench pipeline -- core` measures the pure core alone, `-- identity` the
//! identities alone, `-- end` the pipeline on real parts alone, `-- close` closes of a month, `-- export` files of documents,
//! `-- gateway` events over HTTP, `-- invoices` lists and fetches of issued documents, `-- lists` lists of arrays and scorecards,
//! `-- prove` a proof, `-- rating` what rating costs, and `-- statements` the last part of that alone.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that cannot go on should say so where it stands

mod close;
mod core;
mod effort;
mod end_to_end;
mod events;
mod export;
mod gateway;
mod identity;
mod invoices;
mod lists;
mod month;
mod prove;
mod rating;
mod recovery;
mod remeter;
mod statements;

/// What the integration tests are set on as well.
#[path = "../../tests/it/stage"]
mod stage {
    pub mod book;
    pub mod invoice;
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|argument| argument == name);
    if wants("core") {
        core::measure();
    }
    if wants("core") || wants("identity") {
        identity::measure();
    }
    if wants("end") {
        end_to_end::measure();
    }
    if wants("gateway") {
        gateway::measure();
    }
    if wants("recovery") {
        recovery::measure();
    }
    if wants("close") {
        close::measure();
    }
    if wants("prove") {
        prove::measure();
    }
    if wants("invoices") {
        invoices::measure();
    }
    if wants("lists") {
        lists::measure();
    }
    if wants("export") {
        export::measure();
    }
    if wants("remeter") {
        remeter::measure();
    }
    if wants("rating") {
        rating::measure();
    }
    if wants("rating") || wants("statements") {
        statements::measure();
    }
}

/// One row of the table: a figure and what it is compared with.
fn row(name: &str, figure: f64, unit: &str, ratio: Option<(f64, &str)>) {
    let figure = if figure >= 1e6 { format!("{:.2} M", figure / 1e6) } else { format!("{figure:.1}") };
    let ratio = ratio.map_or(String::new(), |(ratio, of)| format!("{ratio:.2} of {of}"));
    println!("{name:<56} {figure:>10} {unit:<12} {ratio}");
}
