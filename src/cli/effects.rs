//! Statements under two books as a table: now, then, difference.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::core::billing::effect::{AmountError, Effect, Sum, Totals};

/// One row a statement.
pub(super) fn table(effects: &[Effect]) -> String {
    let mut table = ruled(&["period", "contract", "buyer", "currency", "now", "then", "difference"]);
    for effect in effects {
        let total = |sum: &Option<Sum>| sum.as_ref().map(|sum| sum.total.clone());
        let currency = |sum: &Option<Sum>| sum.as_ref().map(|sum| sum.currency.clone());
        let currency = match (currency(&effect.now), currency(&effect.then)) {
            (Some(now), Some(then)) if now != then => format!("{now} -> {then}"),
            (now, then) => then.or(now).unwrap_or_default(),
        };
        let texts = [&effect.period, &effect.contract, &effect.buyer, &currency].map(Cell::new);
        let numbers = [total(&effect.now), total(&effect.then), effect.difference.clone()].map(right);
        table.add_row(texts.into_iter().chain(numbers));
    }
    table.to_string()
}

/// One row a currency.
pub(super) fn totals(totals: &Totals) -> Result<String, AmountError> {
    let mut table = ruled(&["total", "now", "then", "difference"]);
    for total in totals.by_currency()? {
        let numbers = [total.now, total.then, total.difference].map(|number| right(Some(number)));
        table.add_row([Cell::new(total.currency)].into_iter().chain(numbers));
    }
    Ok(table.to_string())
}

fn ruled(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(head);
    table
}

fn right(number: Option<String>) -> Cell {
    Cell::new(number.as_deref().unwrap_or("-")).set_alignment(CellAlignment::Right)
}
