//! What was put aside and keeps a period from closing, as the statements over `quarantine` and `usage_event` say it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::broker::Broker;
use super::super::database::{Database, View};
use super::super::row::EventRow;
use super::store::place_of;
use crate::core::closing::hole::Hole;
use crate::core::cut::CutPoint;
use crate::core::decision::closing::PeriodKey;
use crate::core::decision::resolution::{Resolution, resolutions};
use crate::core::decision::stream::StreamRegister;
use crate::core::word::{Disposition, Offset, Reason};

/// A row of what was put aside.
pub(super) struct Aside<'d> {
    pub(super) place: u32,
    pub(super) row: &'d EventRow,
    pub(super) resolution: Option<Resolution>,
}

/// Everything of a provider that was put aside and is not void, with what was decided about it.
pub(super) fn all<'d>(broker: &Broker, database: &'d Database, provider: &str) -> Vec<Aside<'d>> {
    let decisions = || broker.control.iter().map(|record| &record.decision);
    let register = StreamRegister::of(decisions());
    let resolved = resolutions((0..).map(Offset).zip(decisions()));
    // whatever the reason
    let put_aside = Disposition::Quarantined(Reason::Conflict).number();
    let mut aside = Vec::new();
    for place in 0..broker.partitions.len() as u32 {
        let (stream, partition) = broker.of_place(place);
        let generation = register.get(&stream.rules.stream);
        for row in database.ledger(place, 0, u64::MAX, View::WHOLE) {
            let is_void = generation.is_some_and(|of| of.is_void(partition, Offset(row.offset)));
            let is_own = row.provider == provider || row.provider.is_empty();
            if row.disposition == put_aside && is_own && !is_void {
                let position = (stream.rules.stream.clone(), partition, Offset(row.offset));
                aside.push(Aside { place, row, resolution: resolved.get(&position).cloned() });
            }
        }
    }
    aside
}

/// The holes of a period at a cut.
pub(super) fn aside(broker: &Broker, database: &Database, period: &PeriodKey, cut: &[CutPoint]) -> Vec<Hole> {
    let below: BTreeMap<u32, u64> = cut.iter().filter_map(|point| place_of(broker, point)).collect();
    let is_below = |place: u32, offset: u64| below.get(&place).is_some_and(|next| offset < *next);
    let (mut unresolved, mut resent): (BTreeMap<&str, u64>, BTreeSet<u64>) = Default::default();
    for Aside { place, row, resolution } in all(broker, database, &period.provider) {
        if row.time.is_some_and(|time| time >= period.end.0) && row.reason != "future" {
            continue;
        }
        match resolution {
            Some(Resolution { resent: true, decision, .. }) => {
                resent.insert(decision.0);
            }
            None if is_below(place, row.offset) => *unresolved.entry(&row.array).or_default() += 1,
            Some(_) | None => {}
        }
    }
    for place in 0..broker.partitions.len() as u32 {
        for row in database.ledger(place, 0, u64::MAX, View::WHOLE) {
            if row.decision >= 0 && is_below(place, row.offset) {
                resent.remove(&row.decision.unsigned_abs());
            }
        }
    }
    let quarantined = |(array, events): (&str, u64)| Hole::Quarantined {
        array: Some(array.to_owned()).filter(|array| !array.is_empty()),
        events,
        reasons: Vec::new(),
    };
    let mut holes: Vec<Hole> = unresolved.into_iter().map(quarantined).collect();
    holes.extend(Some(Hole::Resent { events: resent.len() as u64 }).filter(|_| !resent.is_empty()));
    holes
}
