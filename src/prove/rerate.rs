//! A provider's period rated again from the ledger: the documents of all its contracts, or of some of them, out of one pass.

use std::collections::BTreeSet;

use super::usage::{Ledger, Streams};
use super::verdict::Read;
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::line_usage;
use crate::core::billing::detail::{Detail as DocumentDetail, detail};
use crate::core::billing::document::Document;
use crate::core::billing::proof::Proof;
use crate::core::billing::version::RateVersion;
use crate::core::book::Book;
use crate::core::cut::{CutPoint, Versions};
use crate::core::metering::definition::Meters;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::error::RateError;
use crate::core::pricing::gather::Customers;
use crate::core::pricing::period::{Period, Span};
use crate::core::pricing::rating::Rating;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::usage::LineUsage;
use crate::core::word::Offset;
use crate::statement::{Place, StatementError, batch};

/// Documents in memory at once.
const BATCH: usize = 4_096;

/// From what usage is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The ledger below the cut, metered again: what a proof trusts.
    Ledger,
    /// Stored buckets. Whoever rates from them makes sure that none counts more than the cut.
    Buckets,
}

/// Everything that a rating is a function of, but for usage itself.
pub struct Rerating<'a> {
    /// The database.
    pub client: &'a Client,
    /// Whose period.
    pub provider: &'a str,
    /// Its bounds.
    pub span: Span,
    /// Up to where each partition counts.
    pub cut: &'a [CutPoint],
    /// The streams, as decisions below `after` say.
    pub streams: &'a Streams,
    /// Up to which decision, exclusive, the control log counts.
    pub after: Offset,
    /// The price book, and its hash.
    pub book: (&'a Book, &'a str),
    /// The meters that decisions below `after` define.
    pub meters: &'a Meters,
    /// From what usage is read.
    pub source: Source,
    /// Version of metering.
    pub fold_version: u32,
    /// The code.
    pub version: RateVersion,
    /// Whether a customer whom no reading names has no document: of a close it has none, a statement is given to whoever asks.
    pub only_named: bool,
    /// What is left of each place's credits, in minor units of a currency of so many places.
    pub credits: &'a (dyn Fn(&Place, u32) -> Vec<Credit> + Sync),
}

/// What one place comes to.
pub struct Rerated {
    /// Its rows and amounts.
    pub rating: Rating,
    /// The document, open.
    pub document: Document,
    /// What the printed page shows beside it.
    pub detail: DocumentDetail,
}

/// One place with what was read for it.
pub struct Detail {
    /// Its period.
    pub period: Period,
    /// What its usage lines ask for.
    pub selections: Vec<LineSelection>,
    /// What they got.
    pub usages: Vec<LineUsage>,
    /// What it comes to.
    pub rerated: Rerated,
}

/// A place, its period and what its lines ask for.
struct Asked {
    place: Place,
    period: Period,
    lines: Result<Vec<LineSelection>, StatementError>,
}

impl Rerating<'_> {
    /// Hands over what each place comes to, by contract and customer: all of them, or the given ones.
    ///
    /// # Errors
    /// The server's, and what `sink` says. What cannot be rated of one place is handed over in its stead.
    pub async fn each<E: From<ProveError>>(
        &self,
        only: Option<&[Place]>,
        progress: Progress<'_>,
        mut sink: impl FnMut(&Place, Result<Rerated, StatementError>) -> Result<(), E>,
    ) -> Result<Read, E> {
        let places = match only {
            Some(places) => places.to_vec(),
            None => self.candidates().await?,
        };
        let is_all = only.is_none();
        let asked = |place: Place| {
            let is_candidate = is_all || (self.only_named && place.customer.is_some());
            self.asked(place, is_candidate).transpose()
        };
        let asked: Vec<Asked> = places.into_iter().filter_map(asked).collect::<Result<_, _>>()?;
        let (mut rest, mut read) = (asked.as_slice(), Read::default());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(as_many_as_fit(rest));
            rest = later;
            let (usages, customers) = self.usages(now, is_all, &mut read, progress).await?;
            let mut usages = usages.as_slice();
            let mut work = Vec::new();
            for one in now {
                let own = usages.split_off(..one.lines.as_ref().map_or(0, Vec::len)).unwrap_or_default();
                work.push((one, own));
            }
            let customers = match customers {
                None if self.only_named && self.is_doubtful(&work) => Some(self.named(&mut read, progress).await?),
                customers => customers,
            };
            // a tag that a correction took away has no document
            work.retain(|(one, _)| customers.as_ref().is_none_or(|seen| self.is_seen(&one.place, seen)));
            for batch in work.chunks(BATCH) {
                let rated = batch::on_all_cores(batch.to_vec(), |(one, own)| (&one.place, self.rated(one, own)));
                rated.into_iter().try_for_each(|(place, rated)| sink(place, rated))?;
            }
        }
        Ok(read)
    }

    /// One place with what was read for it.
    ///
    /// # Errors
    /// The server's, and what cannot be rated.
    pub async fn one(&self, place: &Place, progress: Progress<'_>) -> Result<Detail, ProveError> {
        let refused = |error| ProveError::Statement(Box::new(error));
        let asked = self.asked(place.clone(), false)?;
        let asked = asked.ok_or_else(|| refused(StatementError::NoContract(place.contract.clone())))?;
        let mut read = Read::default();
        let (usages, _) = self.usages(std::slice::from_ref(&asked), false, &mut read, progress).await?;
        let rerated = self.rated(&asked, &usages).map_err(refused)?;
        let selections = asked.lines.map_err(refused)?;
        Ok(Detail { period: asked.period, selections, usages, rerated })
    }

    /// What a place asks for; none if it is a customer's whom another contract names all the time.
    fn asked(&self, place: Place, is_candidate: bool) -> Result<Option<Asked>, ProveError> {
        let missing = || RateError::NotInForce { contract: place.contract.clone(), label: self.span.from.rfc3339() };
        let period = self.period(&place.contract).and_then(|period| period.ok_or_else(missing));
        let period = period.map_err(|error| ProveError::Place { place: name(&place), error })?;
        let lines = (self.version.selections)(self.book.0, &place.contract, place.customer.as_deref(), &period);
        match lines {
            Err(RateError::NotInForce { .. }) if is_candidate => Ok(None),
            lines => Ok(Some(Asked { place, period, lines: lines.map_err(StatementError::from) })),
        }
    }

    /// The usages of all lines of places; where all places are rated, the tags that were seen as well.
    async fn usages(
        &self,
        asked: &[Asked],
        is_all: bool,
        all: &mut Read,
        progress: Progress<'_>,
    ) -> Result<(Vec<LineUsage>, Option<BTreeSet<String>>), ProveError> {
        let lines: Vec<LineSelection> =
            asked.iter().filter_map(|one| one.lines.as_ref().ok()).flatten().cloned().collect();
        if self.source == Source::Buckets {
            // candidates are the customers of whom cells are stored
            let usages = line_usage::read_at(self.client, &lines, Some(self.cut)).await?;
            return Ok((usages, None));
        }
        let wants_customers = is_all && asked.iter().any(|one| one.place.customer.is_some());
        // whoever has a reading of any meter has a document
        let meters = if wants_customers { self.meters.clone() } else { of_lines(self.meters, &lines) };
        let Self { client, cut, streams, provider, .. } = *self;
        let ledger = Ledger { client, cut, streams, meters: &meters, provider };
        let (mut customers, before) = (Customers::new(self.span), all.effort);
        let usages = ledger
            .usages(&lines, |metered, now| {
                if wants_customers {
                    customers.take(&metered.buckets);
                }
                all.take(&metered.altered, before.plus(now));
                progress(all.effort);
            })
            .await?;
        let seen = wants_customers.then(|| self.owners(customers.into_tags()));
        Ok((usages, seen))
    }

    /// Whether the lines of a customer got nothing: readings that no line prices may name it, or none at all.
    fn is_doubtful(&self, work: &[(&Asked, &[LineUsage])]) -> bool {
        let slots = |own: &[LineUsage]| {
            let mut slots = own.iter().flat_map(|usage| &usage.parts).flat_map(|part| &part.slots);
            slots.any(|slot| self.span.holds(slot.start))
        };
        self.source == Source::Ledger && work.iter().any(|(one, own)| one.place.customer.is_some() && !slots(own))
    }

    fn is_seen(&self, place: &Place, seen: &BTreeSet<String>) -> bool {
        place.customer.as_ref().is_none_or(|customer| seen.contains(customer))
    }

    fn rated(&self, asked: &Asked, usages: &[LineUsage]) -> Result<Rerated, StatementError> {
        let Place { contract, customer } = &asked.place;
        if asked.lines.is_err() {
            // the same refusal again, as a value of one's own
            (self.version.selections)(self.book.0, contract, customer.as_deref(), &asked.period)?;
        }
        let (book, hash) = self.book;
        let rating = (self.version.rate)(book, contract, customer.as_deref(), &asked.period, usages)?;
        let credits = (self.credits)(&asked.place, rating.currency.places);
        let rating = rating.credited(&credits, asked.period.end)?;
        let versions = Versions { fold: self.fold_version, rate: self.version.number };
        let proof = Proof { cut: self.cut.to_vec(), after: self.after.0, versions };
        let document =
            (self.version.document)(book, hash, contract, customer.as_deref(), &asked.period, &rating, &proof)?;
        let detail = detail(book, contract, customer.as_deref(), &asked.period, usages)?;
        Ok(Rerated { rating, document, detail })
    }
}

/// A place in words.
pub(super) fn name(place: &Place) -> String {
    match &place.customer {
        Some(customer) => format!("{} for {customer}", place.contract),
        None => place.contract.clone(),
    }
}

/// How many of these places may be read together: at least one.
fn as_many_as_fit(asked: &[Asked]) -> usize {
    let mut slots = 0;
    let fit = asked.iter().take_while(|one| {
        slots += one.lines.iter().flatten().map(line_usage::slots).sum::<usize>();
        slots <= line_usage::MAX_SLOTS
    });
    fit.count().max(1)
}

/// The meters that lines read: no other has to be metered.
pub fn of_lines(meters: &Meters, lines: &[LineSelection]) -> Meters {
    let mut of_lines = Meters::default();
    for line in lines {
        if let Some(definition) = meters.get(&line.meter) {
            of_lines.define(&line.meter, *definition);
        }
    }
    of_lines
}
