//! A margin as people and spreadsheets read it.

use std::borrow::Cow;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::core::billing::margin::{Figures, Margin, Sheet, UnitQuantity};

/// The margin as tables, one a currency, with what is not in them.
#[must_use]
pub fn table(margin: &Margin) -> String {
    let period = &margin.period;
    let mut text =
        format!("{} {} ({} to {}), {}\n", margin.provider, period.label, period.start, period.end, margin.state);
    for sheet in &margin.currencies {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["customer", "name", "quantity", "retail", "wholesale", "margin", "margin %"]);
        for (id, name, figures) in lines(sheet) {
            let number = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
            table.add_row([
                Cell::new(id),
                Cell::new(name),
                number(&quantities(&figures.quantities)),
                number(&figures.retail),
                number(&figures.wholesale),
                number(&figures.margin),
                number(figures.margin_percent.as_deref().unwrap_or_default()),
            ]);
        }
        text.push_str(&format!("{} without tax\n{table}\n", sheet.currency));
        if !sheet.over_attributed.is_empty() {
            let over = quantities(&sheet.over_attributed);
            text.push_str(&format!(
                "over attributed: customers are tagged with {over} more than the arrays of their lines hold\n"
            ));
        }
    }
    for one in &margin.not_comparable {
        let of = one.customer.as_ref().map_or(String::new(), |customer| format!(" of {customer}"));
        let (contract, net, currency) = (&one.contract, &one.net, &one.currency);
        text.push_str(&format!(
            "not comparable: contract {contract}{of}, {net} {currency}: the other side has no {currency}\n"
        ));
    }
    for one in &margin.not_aligned {
        text.push_str(&format!(
            "not aligned: contract {}, whose period is {} to {}\n",
            one.contract, one.start, one.end
        ));
    }
    for one in &margin.not_issuable {
        let of = one.customer.as_ref().map_or(String::new(), |customer| format!(" for {customer}"));
        text.push_str(&format!(
            "cannot be issued, and is in it: the draft of {}{of}, {} {}: {}\n",
            one.contract, one.net, one.currency, one.why
        ));
    }
    text
}

/// The margin as CSV (RFC 4180): a line a customer, then `(unallocated)`, `(credits)`, `(total)`, `(over attributed)`; what is not
/// compared follows as `(not comparable)`, `(not aligned)`, `(not issuable)`.
#[must_use]
pub fn csv(margin: &Margin) -> String {
    let mut text =
        "provider,period,state,currency,customer,name,quantity,unit,retail,wholesale,margin,margin_percent\r\n"
            .to_owned();
    let head = |currency: &str| {
        [margin.provider.clone(), margin.period.label.clone(), margin.state.to_owned(), currency.to_owned()]
    };
    let mut line = |currency: &str, cells: [&str; 8]| {
        let head = head(currency);
        let cells: Vec<Cow<'_, str>> = head.iter().map(|cell| guarded(cell)).chain(cells.map(guarded)).collect();
        text.push_str(&(cells.join(",") + "\r\n"));
    };
    for sheet in &margin.currencies {
        for (id, name, figures) in lines(sheet) {
            let (quantity, unit) = columns(&figures.quantities);
            let percent = figures.margin_percent.as_deref().unwrap_or_default();
            line(
                &sheet.currency,
                [id, name, &quantity, &unit, &figures.retail, &figures.wholesale, &figures.margin, percent],
            );
        }
        if !sheet.over_attributed.is_empty() {
            let (quantity, unit) = columns(&sheet.over_attributed);
            line(&sheet.currency, ["(over attributed)", "", &quantity, &unit, "", "", "", ""]);
        }
    }
    for one in &margin.not_comparable {
        let name = one.customer.as_ref().map_or(one.contract.clone(), |of| format!("{}/{of}", one.contract));
        let (retail, wholesale) = if one.customer.is_some() { (&*one.net, "") } else { ("", &*one.net) };
        line(&one.currency, ["(not comparable)", &name, "", "", retail, wholesale, "", ""]);
    }
    for one in &margin.not_aligned {
        line("", ["(not aligned)", &one.contract, "", "", "", "", "", ""]);
    }
    for one in &margin.not_issuable {
        let name = one.customer.as_ref().map_or(one.contract.clone(), |of| format!("{}/{of}", one.contract));
        line(&one.currency, ["(not issuable)", &name, "", "", "", "", "", ""]);
    }
    text
}

fn lines(sheet: &Sheet) -> Vec<(&str, &str, &Figures)> {
    let of_customers = sheet.customers.iter().map(|one| (&*one.customer, &*one.name, &one.figures));
    let mut lines: Vec<(&str, &str, &Figures)> = of_customers.collect();
    lines.push(("(unallocated)", "", &sheet.unallocated));
    lines.extend(sheet.credits.iter().map(|credits| ("(credits)", "", credits)));
    lines.push(("(total)", "", &sheet.total));
    lines
}

fn quantities(quantities: &[UnitQuantity]) -> String {
    quantities.iter().map(|one| format!("{} {}", one.quantity, one.unit)).collect::<Vec<_>>().join(" + ")
}

/// Quantities and units in a column each.
fn columns(quantities: &[UnitQuantity]) -> (String, String) {
    let joined = |of: fn(&UnitQuantity) -> &str| quantities.iter().map(of).collect::<Vec<_>>().join(" + ");
    (joined(|one| &one.quantity), joined(|one| &one.unit))
}

/// A cell that a spreadsheet takes for what it is: quoted where it must be, never a formula (INVOICE §5).
fn guarded(cell: &str) -> Cow<'_, str> {
    let is_number =
        cell.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    let is_formula = cell.starts_with(['=', '+', '-', '@']) && !is_number;
    let cell = if is_formula { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) };
    if cell.contains([',', '"', '\r', '\n']) { Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(
            ["-1.50", "=1+1", "a,\"b\"", "-x", "plain"].map(guarded),
            ["-1.50", "'=1+1", "\"a,\"\"b\"\"\"", "'-x", "plain"]
        );
    }
}
