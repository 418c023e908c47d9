//! Usage that a book leaves without a price or without an owner: the lists beside the statements (DESIGN, the promise).

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{claimed, customer};
use super::model::{Book, Buyer, Line};
use super::term::{Term, terms};
use crate::core::word::{Instant, Kind};

/// What one array reports of a meter, kind and tier at a site, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The array.
    pub array: String,
    /// Its site; empty if it names none.
    pub site: String,
    /// The meter.
    pub meter: String,
    /// The kind of resource.
    pub kind: Kind,
    /// The tier; empty if there is none.
    pub tier: String,
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
}

/// The wholesale lines of a book, asked whether they price what a provider's arrays report.
#[derive(Debug)]
pub struct Wholesale<'book> {
    book: &'book Book,
    provider: &'book str,
    lines: Vec<(&'book Line, Term<'book>)>,
    priced: BTreeSet<(&'book str, &'static str)>,
    uncovered: BTreeMap<(String, &'static str, String), (Instant, BTreeSet<String>)>,
}

impl<'book> Wholesale<'book> {
    /// The lines under which a provider buys.
    #[must_use]
    pub fn of(book: &'book Book, provider: &'book str) -> Self {
        let (mut lines, mut priced) = (Vec::new(), BTreeSet::new());
        for contract in book.contracts.values() {
            let Buyer::Provider(buyer) = &contract.buyer else { continue };
            for line in &contract.lines {
                let terms = terms(book, contract, line);
                priced.extend(terms.iter().filter_map(Term::usage).map(|usage| (&*usage.meter, usage.of.as_str())));
                if buyer == provider {
                    lines.extend(terms.into_iter().map(|term| (line, term)));
                }
            }
        }
        Self { book, provider, lines, priced, uncovered: BTreeMap::new() }
    }

    /// The meters that wholesale lines of anybody price: usage of others is not for sale.
    #[must_use]
    pub fn meters(&self) -> Vec<&'book str> {
        let meters: BTreeSet<&str> = self.priced.iter().map(|(meter, _)| *meter).collect();
        meters.into_iter().collect()
    }

    /// Takes note of what an array reports.
    pub fn add(&mut self, reported: Reported) {
        let demo = self.book.arrays.get(&reported.array).is_some_and(|array| array.demo);
        if demo || !self.priced.contains(&(&*reported.meter, reported.kind.as_str())) {
            return;
        }
        if let Some(from) = self.gap(&reported) {
            let Reported { meter, kind, tier, array, .. } = reported;
            let gap = self.uncovered.entry((meter, kind.as_str(), tier)).or_insert((from, BTreeSet::new()));
            gap.0 = gap.0.min(from);
            gap.1.insert(array);
        }
    }

    /// The first instant of what is reported that no line in force prices.
    fn gap(&self, reported: &Reported) -> Option<Instant> {
        let fits = |list: &[String], one: &String| list.is_empty() || list.contains(one);
        let prices = |(line, term): &&(&Line, Term<'_>)| {
            let usage = term.usage().is_some_and(|usage| {
                usage.meter == reported.meter
                    && usage.of == reported.kind
                    && usage.tier.as_ref().is_none_or(|tier| *tier == reported.tier)
            });
            usage && fits(&line.sites, &reported.site) && fits(&line.arrays, &reported.array)
        };
        let mut spans: Vec<(Instant, Instant)> =
            self.lines.iter().filter(prices).map(|(_, term)| (term.from, term.until)).collect();
        spans.sort_unstable();
        let mut covered = reported.from;
        for (from, until) in spans {
            if from <= covered {
                covered = covered.max(until);
            }
        }
        (covered < reported.until).then_some(covered)
    }

    /// What no line prices, in words.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let warning =
            |((meter, kind, tier), (from, arrays)): (&(String, &str, String), &(Instant, BTreeSet<String>))| {
                let tier = if tier.is_empty() { "without a tier".to_owned() } else { format!("tier {tier}") };
                let (count, one) = (arrays.len(), arrays.first().map(String::as_str).unwrap_or_default());
                let arrays = if count == 1 { format!("array {one}") } else { format!("{count} arrays, {one} first") };
                format!(
                    "provider {}: from {from} no wholesale line in force prices {meter} of {kind} {tier} ({arrays})",
                    self.provider
                )
            };
        self.uncovered.iter().map(warning).collect()
    }
}

/// Warnings of tags in a provider's stored usage that no `[customer]` claims: they are rated, but not issued.
#[must_use]
pub fn unclaimed(book: &Book, provider: &str, tags: &[String]) -> Vec<String> {
    let claimed = claimed(book, provider);
    let warning = |tag: &String| {
        let why = match customer(book, provider, tag).is_some() {
            true => {
                "is the id of a customer that does not claim it: add it to its tags, or its readings are on no statement"
            }
            false => "is claimed by no customer: its statement cannot be issued",
        };
        format!("provider {provider}: tag {tag:?} {why}")
    };
    tags.iter().filter(|tag| !tag.is_empty() && !claimed.contains(tag)).map(warning).collect()
}
