//! The open statement of a contract's period: the invoice as it would be now (INVOICE §1).

use super::document::{Document, DocumentCredit, DocumentPeriod, DocumentState, DocumentTax, DocumentType, SCHEMA};
use super::error::DocumentError;
use super::party;
use super::proof::{Proof, proof};
use super::references::References;
use super::row::DocumentRow;
use crate::core::book::model::{Book, Contract};
use crate::core::pricing::credit::Applied;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::RateError;
use crate::core::pricing::party as rated;
use crate::core::pricing::period::Period;
use crate::core::pricing::rating::Rating;
use crate::core::pricing::row::Row;

/// The document of a rating, open and provisional (INVOICE §3). `book_hash` is shown as it is given.
pub fn document(
    book: &Book,
    book_hash: &str,
    contract_id: &str,
    customer: Option<&str>,
    period: &Period,
    rating: &Rating,
    inputs: &Proof,
) -> Result<Document, DocumentError> {
    let contract = rated::contract(book, contract_id)?;
    let customer = rated::rated_customer(contract_id, contract, customer)?;
    let row = |(index, row): (usize, &Row)| {
        let overflow = |_| RateError::Overflow { row: format!("{}", index + 1) };
        DocumentRow::new(index + 1, row, &rating.currency).map_err(overflow)
    };
    let rows: Vec<DocumentRow> = rating.rows.iter().enumerate().map(row).collect::<Result<_, _>>()?;
    let proof = proof(inputs, &rows, book_hash)?;
    let (taxes, tax) = taxes(contract, rating)?;
    let total = rating.net.checked_add(tax).ok_or_else(|| RateError::Overflow { row: "total".to_owned() })?;
    let show = |minor| rating.currency.show(minor);
    Document {
        schema: SCHEMA.to_owned(),
        kind: DocumentType::Invoice,
        state: DocumentState::Open,
        provisional: true,
        number: None,
        issue_date: None,
        due_date: None,
        payment_terms: format!("net {} days", contract.payment_days),
        cause: None,
        reason: None,
        seller: party::seller(book, contract_id, contract)?,
        buyer: party::buyer(book, contract, customer, rated::provider(contract)),
        contract: contract_id.to_owned(),
        route: contract.route,
        level: rating.level.clone(),
        deal: rating.deal.clone(),
        period: bounds(contract, period),
        currency: rating.currency.code.clone(),
        rounding: rating.rounding,
        rows,
        subtotal: show(rating.subtotal),
        saving: show(rating.saving),
        credits: rating.credits.iter().map(|credit| shown(credit, &rating.currency)).collect(),
        net: show(rating.net),
        tax_note: taxes.is_empty().then(|| "no tax computed".to_owned()),
        taxes,
        total: show(total),
        references: References::default(),
        proof,
    }
    .sealed()
}

fn shown(credit: &Applied, currency: &Currency) -> DocumentCredit {
    let (applied, left) = (currency.show(credit.applied), currency.show(credit.left));
    DocumentCredit { id: credit.id.clone(), applied, left }
}

fn bounds(contract: &Contract, period: &Period) -> DocumentPeriod {
    DocumentPeriod {
        start: period.start.rfc3339(),
        end: period.end.rfc3339(),
        time_zone: contract.time_zone.name().to_owned(),
        label: period.label.clone(),
    }
}

/// The contract's tax on the net amount, and its sum (PRICING §13).
fn taxes(contract: &Contract, rating: &Rating) -> Result<(Vec<DocumentTax>, i128), DocumentError> {
    let Some(tax) = &contract.tax else { return Ok((Vec::new(), 0)) };
    let amount = rating.tax(rating.net, tax)?;
    let row = DocumentTax {
        percent: tax.percent.normalize().to_string(),
        base: rating.currency.show(rating.net),
        amount: rating.currency.show(amount),
        note: tax.note.clone(),
    };
    Ok((vec![row], amount))
}
