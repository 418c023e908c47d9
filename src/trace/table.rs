//! A trace as people read it: the row, its pieces as tables, their sum in words.

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::Value;

use super::item::{Compared, Difference, Item, Side, SideRow, Sum};

/// Lines for people of what comes together: windows, or a page of pieces, make one table; everything else is a line of its own.
#[must_use]
pub fn text(items: &[Item]) -> String {
    let mut text = String::new();
    let mut rest = items;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|item| heads(item).is_some() && heads(item) == heads(first)).count();
        if let Some(heads) = heads(first) {
            let mut table = Table::new();
            table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
            table.set_header(heads);
            rest.iter().take(alike).for_each(|item| _ = table.add_row(cells(item)));
            text.push_str(&format!("{table}\n"));
        } else {
            text.push_str(&words(first));
        }
        rest = rest.get(alike.max(1)..).unwrap_or_default();
    }
    text
}

/// The columns of what is shown as a table.
fn heads(item: &Item) -> Option<&'static [&'static str]> {
    match item {
        Item::Piece { .. } => Some(&["array", "resource", "from", "until", "quantity", "estimated", "positions"]),
        Item::Window { .. } => Some(&["from", "until", "level", "committed", "over"]),
        Item::Source { .. } => Some(&["row", "line", "kind", "amount"]),
        Item::Row { .. } | Item::Side(_) | Item::Sum(_) | Item::Difference(_) => None,
    }
}

fn cells(item: &Item) -> Vec<Cell> {
    let number = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
    match item {
        Item::Piece { array, resource, start, end, held, quantity, positions, .. } => {
            let spans = positions.iter().map(|one| {
                let (first, last, events) = (one.first, one.last, one.events);
                format!("{}/{}: {first} to {last} ({events} events)", one.stream, one.partition)
            });
            vec![
                Cell::new(array.as_deref().unwrap_or_default()),
                Cell::new(resource.as_deref().unwrap_or_default()),
                Cell::new(start),
                Cell::new(end),
                number(quantity),
                Cell::new(if held.0 == 0 { "" } else { "partly" }),
                Cell::new(spans.collect::<Vec<_>>().join("\n")),
            ]
        }
        Item::Window { start, end, level, committed, over, .. } => {
            vec![Cell::new(start), Cell::new(end), number(level), number(committed), number(over)]
        }
        Item::Source { no, line, kind, amount } => {
            vec![
                number(&no.to_string()),
                Cell::new(line.as_deref().unwrap_or_default()),
                Cell::new(kind),
                number(amount),
            ]
        }
        Item::Row { .. } | Item::Side(_) | Item::Sum(_) | Item::Difference(_) => Vec::new(),
    }
}

fn words(item: &Item) -> String {
    match item {
        Item::Row { row, from } => format!("{}\n{from}\n", row_in_words(row)),
        Item::Side(SideRow { side, row, from }) => {
            let name = match side {
                Side::Credited => "the row that is credited",
                Side::After => "the rating after",
                Side::Before => "the rating before",
            };
            let row = row.as_ref().map_or(String::new(), |row| format!(" has {}", row_in_words(row)));
            format!("\n{name}{row}: {from}\n")
        }
        Item::Sum(sum) => format!("{}\n", sum_in_words(sum)),
        Item::Difference(difference) => difference_in_words(difference),
        Item::Piece { .. } | Item::Window { .. } | Item::Source { .. } => String::new(),
    }
}

fn row_in_words(row: &Value) -> String {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    let band = row.get("band").filter(|band| band.is_object()).map_or(String::new(), |band| {
        let edge = |key: &str| band.get(key).and_then(Value::as_str).map(str::to_owned);
        let up_to = edge("up_to").map_or(String::new(), |up_to| format!(" up to {up_to}"));
        format!(" (over {}{up_to})", edge("over").unwrap_or_default())
    });
    let quantity = text("quantity").map_or(String::new(), |quantity| {
        let price = text("price").map_or(String::new(), |price| format!(" at {price}"));
        format!("{quantity} {}{price}, ", text("unit").unwrap_or_default())
    });
    let (no, kind) = (row.get("no").cloned().unwrap_or_default(), text("kind").unwrap_or_default());
    let line = text("line").unwrap_or("all lines");
    format!("row {no}, {line}, {kind}{band}: {quantity}amount {}", text("amount").unwrap_or_default())
}

fn sum_in_words(sum: &Sum) -> String {
    let Sum { pieces, quantity, equal, .. } = sum;
    match equal {
        true => format!("{pieces} pieces add up to what was priced: {quantity} on this line"),
        false => format!("{pieces} pieces are not all of what was priced: {quantity} on this line"),
    }
}

fn difference_in_words(difference: &Difference) -> String {
    let mut text = "\n".to_owned();
    let both = [("quantity", difference.quantity.as_ref()), ("amount", Some(&difference.amount))];
    for (name, compared) in both.into_iter().filter_map(|(name, compared)| Some((name, compared?))) {
        let Compared { after, before, difference, row, equal } = compared;
        let is = if *equal { "as the row says" } else { "and NOT what the row says" };
        text.push_str(&format!("{name}: {after} after, {before} before, {difference} between them, {is} ({row})\n"));
    }
    if !difference.is_equal() {
        text.push_str(
            "a quantity that cost nothing may have moved in a revision between; `plimsoll prove` says whether the document is right\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clickhouse::read::whole::Digits;

    #[test]
    fn pieces_are_a_table_and_everything_else_is_said() {
        let row = json!({"no": 2, "line": "mean", "kind": "usage", "band": {"over": "20", "up_to": null}, "quantity": "1.25",
                         "unit": "TiB-month", "price": "27.5", "amount": "34.38"});
        let piece = |array: &str| Item::Piece {
            array: Some(array.to_owned()),
            resource: None,
            start: "2026-10-01T00:00:00Z".to_owned(),
            end: "2026-11-01T00:00:00Z".to_owned(),
            amount: Digits(1),
            held: Digits(0),
            quantity: "8".to_owned(),
            positions: Vec::new(),
        };
        let sum = |equal| {
            Item::Sum(Sum {
                pieces: 2,
                amount: Digits(2),
                priced: Digits(2),
                one: Digits(1),
                quantity: "16".to_owned(),
                equal,
            })
        };
        let said = text(&[
            Item::Row { row: row.clone(), from: "both follow".to_owned() },
            Item::Side(SideRow { side: Side::After, row: Some(row), from: "usage".to_owned() }),
            piece("a"),
            piece("b"),
            sum(true),
            sum(false),
        ]);
        assert!(
            said.starts_with("row 2, mean, usage (over 20): 1.25 TiB-month at 27.5, amount 34.38\nboth follow\n"),
            "{said}"
        );
        assert_eq!(said.matches("positions").count(), 1, "{said}");
        assert!(
            said.contains("2 pieces add up to what was priced: 16") && said.contains("2 pieces are not all"),
            "{said}"
        );
    }

    #[test]
    fn a_difference_says_whether_the_row_is_it() {
        let compared = |equal| Compared {
            after: "130".to_owned(),
            before: "128.75".to_owned(),
            difference: "1.25".to_owned(),
            row: if equal { "1.25" } else { "1.3" }.to_owned(),
            equal,
        };
        let said =
            |equal| text(&[Item::Difference(Difference { quantity: Some(compared(equal)), amount: compared(true) })]);
        assert!(said(true).contains("quantity: 130 after, 128.75 before, 1.25 between them, as the row says (1.25)"));
        assert!(!said(true).contains("plimsoll prove"));
        assert!(said(false).contains("NOT what the row says (1.3)") && said(false).contains("plimsoll prove"));
    }
}
