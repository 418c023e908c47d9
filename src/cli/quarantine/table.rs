//! Records that were put aside, as people read a list of them.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::line::{Count, Line};

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(header);
    table
}

/// The reason of a record; late ones have none.
fn reason(reason: Option<&str>) -> &str {
    reason.unwrap_or("late")
}

fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

/// A batch of records.
pub(super) fn records(lines: &[Line<'_>]) -> String {
    let mut table = empty(&["position", "appended", "reason", "provider", "array", "bytes", "state", "detail"]);
    for line in lines {
        let state = match (line.because, line.at) {
            (Some(because), _) => format!("{}: {because}", line.state),
            (None, Some(at)) => format!("{} at {at}", line.state),
            (None, None) => line.state.to_owned(),
        };
        table.add_row([
            Cell::new(&line.position),
            Cell::new(&line.appended),
            Cell::new(reason(line.reason)),
            Cell::new(or_dash(line.provider)),
            Cell::new(or_dash(line.array)),
            Cell::new(line.bytes).set_alignment(CellAlignment::Right),
            Cell::new(state),
            Cell::new(&line.detail),
        ]);
    }
    format!("{table}\n")
}

/// How many there are.
pub(super) fn counts(counts: &[Count<'_>]) -> String {
    let mut table = empty(&["reason", "provider", "state", "records"]);
    for count in counts {
        table.add_row([
            Cell::new(reason(count.reason)),
            Cell::new(or_dash(count.provider)),
            Cell::new(count.state),
            Cell::new(count.records).set_alignment(CellAlignment::Right),
        ]);
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_where_why_and_how_it_stands() {
        let line = |reason, state, because, at| Line {
            position: "usage-1/3/8812".to_owned(),
            appended: "2026-10-10T00:00:00Z".to_owned(),
            reason,
            detail: "its array is a, and its key names b".to_owned(),
            provider: Some("northwind"),
            array: None,
            bytes: 214,
            state,
            because,
            at,
        };
        let shown = records(&[
            line(Some("misrouted"), "unresolved", None, None),
            line(None, "discarded", Some("noise"), None),
            line(Some("misrouted"), "accepted", None, Some("usage-1/0/9001")),
        ]);
        for part in [
            "usage-1/3/8812",
            "misrouted",
            " late ",
            "discarded: noise",
            "accepted at usage-1/0/9001",
            "its key names b",
            " - ",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let shown = counts(&[Count { reason: None, provider: None, state: "unresolved", records: 12 }]);
        assert!(shown.contains("late") && shown.contains("12"), "{shown}");
    }
}
