//! Bands of a rate: edges that rise, and a price for whatever lies between and above them (PRICING §5).

use rust_decimal::Decimal;

use super::model::{Band, Edge};
use super::reader::Section;
use super::value::decimal;

/// Most bands of a rate.
const MAX_BANDS: usize = 100;

/// `price` and `per` of the section as its only band.
pub(super) fn one_band(section: &Section<'_, '_>) -> Option<Band> {
    let (price, per) = (section.decimal("price", 9), per(section));
    Some(Band { up_to: None, price: Some(price?), per, flat: None })
}

fn per(section: &Section<'_, '_>) -> Option<Decimal> {
    let per = section.decimal("per", 6)?;
    if per.is_zero() {
        section.refuse("per", "per is 0", "write the size of a package: \"20\"");
        return None;
    }
    Some(per)
}

/// The section's `bands`.
pub(super) fn bands(section: &Section<'_, '_>, percent_edges: bool) -> Option<Vec<Band>> {
    let written = section.tables("bands");
    if written.is_empty() || written.len() > MAX_BANDS {
        section.refuse("bands", "bands has no band or too many", format!("write 1 to {MAX_BANDS} bands"));
        return None;
    }
    let mut bands = Vec::new();
    for (place, each) in written.iter().enumerate() {
        let up_to = edge(each, percent_edges);
        let band = Band { up_to, price: each.decimal("price", 9), per: per(each), flat: each.decimal("flat", 9) };
        if !each.has("price") && !each.has("flat") {
            each.refuse_whole("a band has neither price nor flat", "write price = \"0\" for a free band");
        }
        if each.has("per") && !each.has("price") {
            each.refuse("per", "per without price", "say what a package costs: price = \"5.00\"");
        }
        let last = place + 1 == written.len();
        if last && each.has("up_to") {
            each.refuse(
                "up_to",
                "the last band has an upper edge",
                "leave up_to out of the last band: what lies above needs a price",
            );
        }
        if !last && !each.has("up_to") {
            each.refuse_whole("up_to is missing", "only the last band has no upper edge");
        }
        each.finish();
        bands.push(band);
    }
    for (pair, section) in bands.windows(2).zip(written.iter().skip(1)) {
        if let (Some(below), Some(above)) = (pair[0].up_to, pair[1].up_to)
            && !rises(below, above)
        {
            section.refuse(
                "up_to",
                "edges do not rise",
                "write bands by rising up_to, all in quantities or all in percent",
            );
        }
    }
    Some(bands)
}

fn rises(below: Edge, above: Edge) -> bool {
    match (below, above) {
        (Edge::Quantity(below), Edge::Quantity(above)) | (Edge::Percent(below), Edge::Percent(above)) => below < above,
        _ => false,
    }
}

fn edge(section: &Section<'_, '_>, percent_edges: bool) -> Option<Edge> {
    let percent = section.text_of("up_to").filter(|text| text.ends_with('%'));
    let Some(text) = percent else {
        let edge = section.decimal("up_to", 6)?;
        if edge.is_zero() {
            section.refuse("up_to", "up_to is 0", "write the greatest quantity of the band");
        }
        return Some(Edge::Quantity(edge));
    };
    if !percent_edges {
        section.refuse(
            "up_to",
            "an edge in percent outside overage",
            "write a quantity: only overage has a commitment to be a part of",
        );
        return None;
    }
    match decimal(text.strip_suffix('%').unwrap_or(text), 6) {
        Ok(edge) if !edge.is_zero() => Some(Edge::Percent(edge)),
        _ => {
            section.refuse("up_to", format!("up_to cannot be {text:?}"), "write a percentage above 0: \"20%\"");
            None
        }
    }
}
