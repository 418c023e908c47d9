//! What has to hold before a period is closed (DESIGN §7).

use std::sync::Arc;

use super::error::CloseError;
use super::seam::{BillLog, BillStore};
use super::state::Closer;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::ProviderPeriod;
use crate::core::closing::stand::{Footing, footing, may_hold};
use crate::core::word::Instant;
use crate::mutation::{Mutation, planted};

/// Kinds of holes that are accepted for a period and not for one revision: a correction has them too.
const KEPT: [&str; 4] = ["coverage", "no_usage", "no_stream", "no_checkpoint"];

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// The cut that the newest checkpoints make, and every hole that can be seen before anything is rated. The period has ended.
    pub(super) fn conditions(
        &mut self,
        period: &ProviderPeriod,
        now: Instant,
    ) -> Result<(Footing, Vec<Hole>), CloseError> {
        let mut holes = Vec::new();
        let (due, provider) = (period.due(), &period.key.provider);
        // while the grace runs nothing is known of the time after it: then the period itself has to be complete
        let needs = if now < due { period.key.end } else { due };
        if now < due {
            holes.push(Hole::Grace { until: due });
        }
        let streams = self.register.streams();
        let own = streams.all().filter(|generation| may_hold(generation, provider) && generation.ends.is_none());
        let open: Vec<_> = own.map(|generation| Arc::clone(&generation.rules)).collect();
        // asked for after the clock has passed, so that what was sent in time lies below the ends
        let ends = self.log.ends(&open)?;
        let stands = self.store.stands()?;
        let mut footing = footing(self.register.streams(), provider, &stands, &ends, needs);
        let closed =
            self.register.revisions(&period.key).last().and_then(|closed| self.register.book(&closed.close.book));
        let book = closed.or(self.register.newest_book().map(|(_, book)| book));
        footing.rest_on_decisions(self.register.next(), book.is_none_or(|book| period.prices_usage(book)));
        holes.extend(footing.holes.iter().cloned());
        let concern = self.register.last_concern(provider);
        if let (Some(at), Some(decision)) = (footing.after, concern.filter(|last| Some(*last) >= footing.after)) {
            holes.push(Hole::Undecided { at, decision });
        }
        let aside = self.store.holes(&period.key, &footing.cut)?;
        holes.extend(aside.into_iter().filter(|_| !planted(Mutation::HolesForgotten)));
        Ok((footing, holes))
    }

    /// Kinds of holes that decisions waive. A line whose coverage was accepted once is not asked for it again by a correction, nor is a
    /// contract without usage, nor a provider that never sent anything.
    pub(super) fn waived(&self, period: &ProviderPeriod, revision: u32) -> Vec<String> {
        let own = self.register.overrides(&period.key, revision);
        let mut waived: Vec<String> = own.iter().flat_map(|accepted| accepted.waived.clone()).collect();
        let before = (0..revision).flat_map(|revision| self.register.overrides(&period.key, revision));
        waived
            .extend(before.flat_map(|accepted| &accepted.waived).filter(|kind| KEPT.contains(&kind.as_str())).cloned());
        waived
    }
}
