//! The closer's log over the simulated broker: an append may be there or not, later, or twice, whatever its closer hears of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::fault::Fault;
use super::super::world::{Answer, Seam};
use super::rival::rival;
use crate::closer::seam::BillLog;
use crate::core::closing::stand::Ends;
use crate::core::decision::Decision;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::error::SeamError;

/// What whoever follows the topic of documents was told.
#[derive(Debug, Default)]
pub(in crate::sim) struct Billing {
    pub(super) told: BTreeMap<String, Vec<String>>,
}

/// The control log, the ends of the usage logs and the topic of documents for one closer.
#[derive(Debug)]
pub(in crate::sim) struct SimBillLog {
    seam: Seam,
}

impl SimBillLog {
    pub(super) fn new(seam: Seam) -> Self {
        Self { seam }
    }
}

/// What becomes of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Appended {
    Once,
    Twice,
    Later,
    Never,
}

impl BillLog for SimBillLog {
    fn read(&mut self, from: Offset, visit: &mut dyn FnMut(Offset, Instant, &Decision)) -> Result<(), SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        let broker = self.seam.world.broker.borrow();
        let records = broker.control.iter().enumerate().skip(usize::try_from(from.0).unwrap_or(usize::MAX));
        records.for_each(|(offset, record)| visit(Offset(offset as u64), Instant(record.append_ms), &record.decision));
        Ok(())
    }

    fn append(&mut self, decision: &Decision) -> Result<Offset, SeamError> {
        use {Answer::*, Appended::*};
        rival(&self.seam);
        self.seam.call(Fault::BrokerAway)?;
        let world = &self.seam.world;
        let often = world.plan.closing.map_or(0, |closing| closing.append);
        let (appended, answer) = match world.healed.get() || !world.chance(often) {
            true => (Once, Acknowledged),
            false => {
                let (appended, answer, fault) = world.random.borrow_mut().pick(&[
                    (Never, Error, Fault::DecisionNever),
                    (Once, Error, Fault::DecisionUnheard),
                    (Later, Error, Fault::DecisionLater),
                    (Twice, Acknowledged, Fault::DecisionTwice),
                    (Once, Death, Fault::CrashAfter),
                    (Later, Death, Fault::CrashInFlight),
                ]);
                world.note(fault);
                (appended, answer)
            }
        };
        world.trace(|| format!("closer {} appends {}: {appended:?}", self.seam.pid, decision.kind()));
        let first = {
            let mut broker = world.broker.borrow_mut();
            let times =
                [(Once, 1), (Twice, 2)].iter().find(|(which, _)| *which == appended).map_or(0, |(_, times)| *times);
            let at: Vec<u64> = (0..times).map(|_| broker.decide(decision.clone(), None)).collect();
            if appended == Later {
                broker.late_decisions.push(decision.clone());
            }
            at.first().copied()
        };
        self.seam.hear(answer)?;
        // whatever is acknowledged is there
        Ok(Offset(first.unwrap_or(u64::MAX)))
    }

    fn ends(&mut self, streams: &[Arc<StreamRules>]) -> Result<Ends, SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        let broker = self.seam.world.broker.borrow();
        let mut ends = Ends::new();
        for rules in streams {
            for number in 0..rules.partitions {
                let place = broker.place(rules.generation, Partition(number)) as usize;
                ends.insert((rules.stream.clone(), Partition(number)), Offset(broker.partitions[place].end));
            }
        }
        Ok(ends)
    }

    fn publish(&mut self, number: &str, document: &str) -> Result<(), SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        let told = &mut self.seam.world.billing.borrow_mut().told;
        told.entry(number.to_owned()).or_default().push(document.to_owned());
        Ok(())
    }
}
