//! What would become of a record that is sent again now, as far as the record and its stream's rules decide it.

use crate::clickhouse::read::aside::AsideRow;
use crate::core::event::{RawRecord, decode};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Disposition, Instant, Reason};
use crate::fold::partition::limits_of;

/// The disposition that a worker would give it, if no event of its identity is accepted until then. The row has to be whole.
#[must_use]
pub fn forecast(row: &AsideRow, rules: &StreamRules, now: Instant) -> Disposition {
    let values = row.header_values.iter().map(|value| value.as_slice());
    let headers: Vec<(&str, &[u8])> = row.header_names.iter().map(String::as_str).zip(values).collect();
    let record = RawRecord { key: Some(&row.key), headers: &headers, value: &row.raw };
    let event = match decode(&record, &limits_of(rules)) {
        Ok(event) => event,
        Err(refusal) => return Disposition::Quarantined(refusal.reason),
    };
    if rules.provider.as_deref().is_some_and(|own| own != event.provider) {
        return Disposition::Quarantined(Reason::ForeignProvider);
    }
    // it is rightly routed, and its decision waives lateness
    match event.time > now.plus_ms(rules.future_limit_ms) {
        true => Disposition::Quarantined(Reason::Future),
        false => Disposition::Accepted,
    }
}
