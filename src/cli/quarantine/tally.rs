//! What a run found, did, and foresees.

use std::collections::BTreeMap;

use crate::core::word::Disposition;
use crate::quarantine::{Outcome, Verb};

/// What a run found and did, or would do.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Records that were looked at.
    pub found: u64,
    /// Decided now.
    decided: u64,
    /// Sent (again, if it was decided before).
    sent: u64,
    /// Resolved before, nothing done.
    resolved: u64,
    /// Left alone since an event of their identity is accepted already.
    accepted_already: u64,
    /// What would become of those that are sent.
    foreseen: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Takes in what was done with a record.
    pub fn add(&mut self, outcome: Outcome, verb: Verb) {
        self.found += 1;
        match outcome {
            Outcome::Decided => self.decided += 1,
            Outcome::SentAgain => {}
            Outcome::ResolvedBefore => self.resolved += 1,
            Outcome::AcceptedAlready => self.accepted_already += 1,
        }
        let is_sent = matches!(outcome, Outcome::Decided | Outcome::SentAgain) && verb == Verb::Resend;
        self.sent += u64::from(is_sent);
    }

    /// Takes in what would become of a record that is sent; none if it cannot be sent.
    pub fn foresee(&mut self, disposition: Option<Disposition>) {
        let what = match disposition {
            None => "nowhere to send it",
            Some(disposition) => disposition.reason().map_or_else(|| disposition.as_str(), |reason| reason.as_str()),
        };
        *self.foreseen.entry(what).or_default() += 1;
    }

    /// What a dry run tells.
    pub fn forecast(&self, verb: Verb) -> String {
        let Tally { found, decided, sent, resolved, accepted_already, .. } = self;
        let left =
            format!("{resolved} resolved before, {accepted_already} with an event of their identity accepted already");
        let done = match verb {
            Verb::Discard => format!("{decided} would be discarded"),
            Verb::Resend if *sent == 0 => "none would be sent again".to_owned(),
            Verb::Resend => {
                let again = |(what, count): (&&str, &u64)| match *what {
                    "accepted" => format!("{count} accepted"),
                    _ => format!("{count} put aside again ({what})"),
                };
                let what = self.foreseen.iter().map(again).collect::<Vec<_>>().join(", ");
                format!("{sent} would be sent again: {what}")
            }
        };
        format!("{found} records: {done}; {left}; nothing was done (--dry-run)")
    }

    /// What a run tells.
    pub fn summary(&self, verb: Verb) -> String {
        let Tally { found, decided, sent, resolved, accepted_already, .. } = self;
        let done = match verb {
            Verb::Resend => format!("{sent} sent again ({decided} newly decided)"),
            Verb::Discard => format!("{decided} discarded"),
        };
        let left = match accepted_already {
            0 => String::new(),
            count => format!(", {count} left alone: an event of their identity is accepted already"),
        };
        format!("{found} records: {done}, {resolved} resolved before{left}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::Reason;

    #[test]
    fn a_dry_run_says_what_would_become_of_what_is_sent() {
        let mut tally = Tally::default();
        for forecast in [Disposition::Accepted, Disposition::Quarantined(Reason::Undecodable), Disposition::Accepted] {
            tally.add(Outcome::Decided, Verb::Resend);
            tally.foresee(Some(forecast));
        }
        tally.add(Outcome::AcceptedAlready, Verb::Resend);
        let told = tally.forecast(Verb::Resend);
        let wanted =
            "4 records: 3 would be sent again: 2 accepted, 1 put aside again (undecodable); 0 resolved before, 1 with";
        assert!(told.starts_with(wanted), "{told}");
        assert!(Tally::default().forecast(Verb::Resend).contains("none would be sent again"));
    }
}
