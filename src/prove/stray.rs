//! Rows of documents that nobody issued: under a number that no decision gave, or in lists beside the record that gave it.

use clickhouse::Row;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ProveError;
use super::difference::{Difference, MAX_LISTED};
use super::documents::Which;
use super::verdict::Verdict;
use crate::clickhouse::Client;
use crate::clickhouse::read::rows::Rows;
use crate::core::closing::register::Register;
use crate::statement::Place;

/// Both tables of issued documents: what a row says of its number and of the record that gave it.
const TABLES: [&str; 2] = ["invoice", "invoice_header"];

#[derive(Debug, Row, Deserialize)]
struct StrayRow {
    number: String,
    decision: u64,
    provider: String,
    contract: String,
    customer: String,
    label: String,
}

/// A row that nothing gives.
#[derive(Debug)]
pub(super) struct Stray {
    table: &'static str,
    row: StrayRow,
}

/// The first rows of issued documents that nothing gives: of one number, or of all that are asked for, in one pass over numbers.
pub(super) async fn strays(
    client: &Client,
    register: &Register,
    number: Option<&str>,
    which: &Which,
) -> Result<Vec<Stray>, ProveError> {
    let mut strays = Vec::new();
    for table in TABLES {
        let of = if number.is_some() { " WHERE t.number = {number:String}" } else { "" };
        let sql = format!(
            "SELECT t.number AS number, t.decision AS decision, toString(t.provider) AS provider, toString(t.contract) AS contract, \
             t.customer AS customer, toString(t.label) AS label FROM {table} AS t{of}"
        );
        let query = client.select(&sql);
        let query = number.into_iter().fold(query, |query, number| query.param("number", number));
        let mut rows: Rows<StrayRow> = Rows::of(client, query)?;
        while let Some(row) = rows.next().await? {
            let stray = Stray { table, row };
            if strays.len() < MAX_LISTED && stray.is_given_by_nothing(register) && stray.is_asked(which) {
                strays.push(stray);
            }
        }
    }
    Ok(strays)
}

impl Stray {
    /// Whether no decision gave the row its number, among those that a register knows.
    pub(super) fn is_given_by_nothing(&self, register: &Register) -> bool {
        let issued = register.document(&self.row.number);
        issued.map(|issued| issued.offset.0) != Some(self.row.decision)
    }

    /// Whether it names a decision that a register does not know yet: whoever issued it writes its rows at once.
    pub(super) fn may_be_new(&self, register: &Register) -> bool {
        register.document(&self.row.number).is_none() && self.row.decision >= register.next().0
    }

    fn is_asked(&self, which: &Which) -> bool {
        which.holds(&self.row.provider, &self.row.label)
    }

    /// The verdict on it.
    pub(super) fn verdict(self) -> Verdict {
        let Self { table, row } = self;
        verdict(table, row)
    }
}

fn verdict(table: &'static str, row: StrayRow) -> Verdict {
    let StrayRow { number, decision, provider, contract, customer, label } = row;
    let stored: Value = json!({"number": &number, "decision": decision, "provider": provider, "contract": &contract});
    let key = Some(format!("{number}, decision {decision}"));
    let difference = Difference { table: Some(table), key, stored, ..Difference::default() };
    Verdict {
        place: Place { contract, customer: Some(customer).filter(|customer| !customer.is_empty()) },
        period: label,
        number: Some(number),
        proven: false,
        digest: None,
        computed: None,
        differences: vec![difference],
        refusal: Some(format!("decision {decision} gave nothing this number")),
    }
}
