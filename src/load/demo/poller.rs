//! The collector of one array: each call is a poll.

use std::sync::Arc;

use super::super::envelope::{Envelope, ReadingLabel, readings_template};
use super::super::random::mix_all;
use super::super::record::UsageRecord;
use super::super::template::Template;
use super::curve::Curve;
use super::fleet::{ArrayModel, TIB};
use super::resource::{RESOURCES, Resource, own_share_added, resources};
use crate::core::word::{Instant, Kind};

/// Readings in each event: two of the array, two of each resource.
pub const READINGS: u64 = 2 + 2 * RESOURCES as u64;
/// Place of the first resource's `effective_used` among an event's values.
const FIRST_RESOURCE: usize = 2;

/// An array with its counters.
#[derive(Clone, Debug)]
pub struct Poller {
    model: ArrayModel,
    array: u64,
    seed: u64,
    curve: Curve,
    resources: Vec<Resource>,
    envelope: Envelope,
    values: Vec<u64>,
    recorded: (Instant, Instant),
}

impl Poller {
    /// The collector of the array with this number.
    #[must_use]
    pub fn new(model: ArrayModel, array: u64, seed: u64, curve: Curve) -> Self {
        let resources = resources(&model, seed, array);
        let readings = Arc::new(readings(&model, &resources, None));
        let envelope = Envelope::new(model.mode(), &model.label, readings);
        let recorded = (Instant(0), Instant(0));
        Self { model, array, seed, curve, resources, envelope, values: Vec::new(), recorded }
    }

    /// Reads all meters at an instant.
    pub fn poll(&mut self, now: Instant) -> UsageRecord {
        let level = self.curve.level(now, self.model.surges);
        self.values.clear();
        self.values.extend([self.model.installed_tib * TIB, 0]);
        let mut held = 0;
        for (number, resource) in self.resources.iter_mut().enumerate() {
            let noise = mix_all(&[self.seed ^ self.array, number as u64, now.0 as u64]);
            let used = resource.used(&self.curve, level, now, noise >> 32);
            resource.count(now, noise & 0xffff_ffff);
            held += used;
            self.values.extend([used, resource.counter]);
        }
        self.values[1] = own_share_added(held);
        let lag = 20_000 + (mix_all(&[self.seed, self.array, now.0 as u64]) % 40) as i64 * 1000;
        self.recorded = (now, now.plus_ms(lag));
        self.again_at(now)
    }

    /// The values of the last poll under another time.
    #[must_use]
    pub fn again_at(&self, time: Instant) -> UsageRecord {
        let (polled, recorded) = self.recorded;
        let lag = recorded.0 - polled.0;
        self.envelope.record(time, time.plus_ms(lag), self.values.iter().copied())
    }

    /// The last poll with another value of the first resource: the same identity, other content.
    #[must_use]
    pub fn contradiction(&self) -> UsageRecord {
        let (polled, recorded) = self.recorded;
        let values = self.values.iter().enumerate();
        let values = values.map(|(place, value)| value - u64::from(place == FIRST_RESOURCE) * 4096);
        self.envelope.record(polled, recorded, values)
    }

    /// The last poll half a poll later, with a last value of 1.5.
    #[must_use]
    pub fn fraction_at(&self, time: Instant) -> UsageRecord {
        let mut record = self.again_at(time);
        let value = &record.value;
        let from = value.iter().rposition(|byte| *byte == b':').map_or(0, |colon| colon + 1);
        let digits = value[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        record.value.splice(from..from + digits, *b"1.5");
        record
    }

    /// Sets a counter back to nothing, as a restart of the array does.
    pub fn reset_counter(&mut self, resource: usize) {
        self.resources[resource].counter = 0;
    }

    /// Gives a resource to another customer.
    pub fn change_tag(&mut self, resource: usize, tag: &'static str) {
        let readings = readings(&self.model, &self.resources, Some((resource, tag)));
        self.envelope.set_readings(Arc::new(readings));
    }
}

/// The texts of an array's readings, with at most one tag other than the model's.
fn readings(model: &ArrayModel, resources: &[Resource], other: Option<(usize, &'static str)>) -> Template {
    let own = |meter, tier| ReadingLabel {
        kind: Kind::Array,
        resource: model.label.id,
        name: model.label.name,
        customer: None,
        tier,
        meter,
        quoted: true,
    };
    let mut labels = vec![own("installed", None), own("effective_used", Some(model.medium.tier()))];
    for (number, resource) in resources.iter().enumerate() {
        let changed = other.filter(|(changed, _)| *changed == number).map(|(_, tag)| tag);
        labels.extend(["effective_used", "read_bytes"].map(|meter| ReadingLabel {
            kind: model.medium.kind(),
            resource: &resource.id,
            name: &resource.name,
            customer: changed.or(model.tag(number)),
            tier: Some(model.medium.tier()),
            meter,
            quoted: false,
        }));
    }
    readings_template(&labels)
}
