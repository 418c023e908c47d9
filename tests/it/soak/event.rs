//! What is sent: polls of arrays, and records that are no usage.

/// One meter's value of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub kind: &'static str,
    pub resource: String,
    pub customer: Option<&'static str>,
    pub meter: &'static str,
    pub value: u64,
}

/// All that one poll of an array gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    pub array: u64,
    pub id: String,
    pub time_s: i64,
    pub recorded_s: Option<i64>,
    pub readings: Vec<Reading>,
}

/// What a record is, as the one who sends it knows.
#[derive(Clone, Debug)]
pub enum What {
    /// A usage event without a flaw of its own.
    Poll(Poll),
    /// A record that nobody can use, for this reason.
    Flawed(&'static str),
}

/// One record.
#[derive(Clone, Debug)]
pub struct Sent {
    pub key: String,
    pub body: String,
    pub what: What,
}

/// The name of an array.
pub fn array_name(array: u64) -> String {
    format!("array-{array}")
}

/// An instant as RFC 3339.
pub fn rfc3339(time_s: i64) -> String {
    chrono::DateTime::from_timestamp(time_s, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Poll {
    /// The record of this poll; `padding` bytes of it stand in a key that nobody reads.
    pub fn sent(self, padding: usize) -> Sent {
        Sent { key: array_name(self.array), body: self.body(padding), what: What::Poll(self) }
    }

    /// The event's JSON.
    pub fn body(&self, padding: usize) -> String {
        self.body_of("p", &array_name(self.array), &self.readings_json(), padding)
    }

    fn readings_json(&self) -> String {
        let reading = |reading: &Reading| {
            let customer = reading.customer.map_or(String::new(), |tag| format!(r#""customer":"{tag}","#));
            format!(
                r#"{{{customer}"kind":"{}","resource":"{}","meter":"{}","value":{}}}"#,
                reading.kind, reading.resource, reading.meter, reading.value
            )
        };
        self.readings.iter().map(reading).collect::<Vec<_>>().join(",")
    }

    fn body_of(&self, provider: &str, array: &str, readings: &str, padding: usize) -> String {
        let (id, time) = (&self.id, rfc3339(self.time_s));
        let recorded = self.recorded_s.map_or(String::new(), |at| format!(r#""recordedtime":"{}","#, rfc3339(at)));
        let padding = if padding == 0 { String::new() } else { format!(r#""padding":"{}","#, "x".repeat(padding)) };
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}",{recorded}"data":{{{padding}"provider":"{provider}","array":{{"id":"{array}","site":"S"}},"readings":[{readings}]}}}}"#
        )
    }

    /// A record that this poll would have been but for a flaw; there are as many flaws as [`FLAWS`] says.
    pub fn flawed(&self, flaw: u64) -> Sent {
        let (name, readings) = (array_name(self.array), self.readings_json());
        let sound = self.body(0);
        let (reason, key, body) = match flaw {
            0 => ("undecodable", name, sound[..sound.len() - 1].to_owned()),
            1 => ("unknown_type", name, sound.replacen("usage.v1", "usage.v9", 1)),
            2 => ("schema", name, sound.replacen(r#""meter":"#, r#""metre":"#, 1)),
            3 => ("value", name, sound.replacen(r#""value":"#, r#""value":1.5,"was":"#, 1)),
            4 => {
                let body = self.body_of("p", &name, &format!("{readings},{readings}"), 0);
                ("repeated_reading", name, body)
            }
            5 => ("misrouted", array_name(self.array + 1), sound),
            _ => {
                let body = self.body_of("q", &name, &readings, 0);
                ("foreign_provider", name, body)
            }
        };
        Sent { key, body, what: What::Flawed(reason) }
    }
}

/// How many flaws [`Poll::flawed`] knows.
pub const FLAWS: u64 = 7;
