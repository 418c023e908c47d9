//! Random requests.

use serde_json::{Map, Value, json};

/// A sequence of numbers that its seed determines (splitmix64).
pub struct Random(u64);

const TIB: u64 = 1 << 40;

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    /// A decimal below `end`, often one that ends in a half of something.
    pub fn decimal(&mut self, end: u64, most_places: u64) -> String {
        let (whole, places) = (self.below(end), self.below(most_places + 1));
        if places == 0 {
            return whole.to_string();
        }
        let part = if self.chance(3) { 5 } else { self.below(10u64.pow(places as u32)) };
        format!("{whole}.{part:0width$}", width = places as usize)
    }

    /// A request that has to be quoted.
    pub fn request(&mut self) -> Value {
        let mut request = Map::new();
        request.insert("schema".into(), json!("plimsoll.quote/1"));
        request.insert("currency".into(), json!(self.pick(&["EUR", "USD", "JPY", "KWD", "XXX", "CLF"])));
        if self.chance(2) {
            request.insert("rounding".into(), json!({"mode": self.pick(&["half_up", "half_even"])}));
        }
        let seconds = self.period(&mut request);
        if self.chance(2) {
            request.insert("active_seconds".into(), self.span(seconds));
        }
        let lines = 1 + self.below(4);
        let lines: Vec<Value> = (0..lines).map(|index| self.line(index, seconds)).collect();
        request.insert("lines".into(), lines.into());
        if self.chance(4) {
            request.insert("combine".into(), json!(self.pick(&["sum", "greatest"])));
        }
        self.limits(&mut request);
        if self.chance(4) {
            request.insert("billed".into(), json!({"amount": self.decimal(3_000, 3)}));
        }
        if self.chance(3) {
            let credits: Vec<Value> = (0..self.below(3)).map(|_| json!({"amount": self.decimal(2_000, 3)})).collect();
            request.insert("credits".into(), credits.into());
        }
        if self.chance(2) {
            request.insert("tax_percent".into(), json!(self.decimal(100, 3)));
        }
        request.into()
    }

    fn period(&mut self, request: &mut Map<String, Value>) -> u64 {
        let (start, end, seconds) = match self.below(4) {
            0 => ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00", 2_674_800),
            1 => ("2026-10-24T06:30:00+02:00", "2026-10-27T12:00:00+01:00", 282_600),
            2 => return 1,
            _ => {
                let seconds = self.pick(&[2_592_000, 259_200, 86_400, 100_000, 3_700]);
                request.insert("period_seconds".into(), json!(seconds));
                return seconds;
            }
        };
        request.insert("period".into(), json!({"start": start, "end": end, "time_zone": "Europe/Berlin"}));
        seconds
    }

    fn span(&mut self, seconds: u64) -> Value {
        let grid = self.pick(&[1, 1, 300, 900, 86_400]);
        let mut ends = [0, 1].map(|_| (self.below(seconds + 1) / grid * grid).min(seconds));
        ends.sort_unstable();
        json!(ends)
    }

    fn limits(&mut self, of: &mut Map<String, Value>) {
        let bounds = (self.decimal(3_000, 3), 3_000 + self.below(5_000));
        if self.chance(4) {
            of.insert("minimum".into(), json!(bounds.0));
        }
        if self.chance(4) {
            of.insert("maximum".into(), json!(bounds.1.to_string()));
        }
    }

    fn line(&mut self, index: u64, seconds: u64) -> Value {
        let mut line = Map::new();
        line.insert("id".into(), json!(format!("l{index}")));
        let kind = self.below(10);
        if kind == 0 {
            line.insert("fee".into(), json!(self.decimal(500, 4)));
        } else if kind == 1 && index > 0 {
            let of: Vec<String> = (0..index).filter(|_| !self.chance(3)).map(|other| format!("l{other}")).collect();
            let of = if of.is_empty() { vec!["l0".to_owned()] } else { of };
            line.insert("share".into(), json!({"percent": self.decimal(100, 3), "of": of}));
        } else {
            self.usage(&mut line, seconds);
        }
        if self.chance(3) {
            let percents: Vec<Value> =
                (0..=self.below(3)).map(|_| json!({"percent": self.decimal(40, 3), "reason": "because"})).collect();
            line.insert("discounts".into(), percents.into());
        }
        if self.chance(3) {
            self.limits(&mut line);
        }
        if self.chance(4) {
            line.insert("active_seconds".into(), self.span(seconds));
        }
        if self.chance(5) {
            let usage = !line.contains_key("fee") && !line.contains_key("share");
            let key = if usage && self.chance(2) { "quantity" } else { "amount" };
            line.insert("billed".into(), json!({ key: self.decimal(200, 6) }));
        }
        line.into()
    }

    fn usage(&mut self, line: &mut Map<String, Value>, seconds: u64) {
        let unit = self.used(line, seconds);
        if self.chance(5) {
            let mode = self.pick(&["up", "down", "half_up", "half_even"]);
            line.insert(
                "round_quantity".into(),
                json!({"to": self.pick(&["1", "0.1", "5", "0.000001"]), "mode": mode}),
            );
        }
        if self.chance(3) {
            let commitment = json!({"quantity": self.decimal(200, 3), "price": self.decimal(50, 4)});
            line.insert("commitment".into(), commitment);
            let mut overage = Map::new();
            self.prices(&mut overage, true);
            if self.chance(2) {
                overage.insert("evaluate".into(), json!(self.pick(&["day", "period"])));
            }
            line.insert("overage".into(), overage.into());
            return;
        }
        self.prices(line, false);
        let steps = mentions(line, &["per", "flat"]);
        if self.chance(3) {
            line.insert("mode".into(), json!(self.pick(&["graduated", "volume"])));
        } else if !steps && self.chance(2) {
            line.insert("evaluate".into(), json!("day"));
        } else if !steps && unit && line.contains_key("quantity") && self.chance(3) {
            line.insert("band_quantity".into(), json!((1 + self.below(400)).to_string()));
        }
    }

    /// Inserts what was used; whether it is in a plain size.
    fn used(&mut self, line: &mut Map<String, Value>, seconds: u64) -> bool {
        match self.below(4) {
            0 => {
                line.insert("quantity".into(), json!(self.decimal(600, 9)));
            }
            1 => {
                let parts: Vec<String> = (0..1 + self.below(4)).map(|_| self.decimal(600, 6)).collect();
                line.insert("quantities".into(), json!(parts));
            }
            _ => {
                line.insert("levels".into(), self.levels(seconds));
                let statistic = self.pick(&["mean", "mean", "mean", "peak", "p95"]);
                line.insert("statistic".into(), json!(statistic));
                let units = ["TiB", "TiB-month", "TiB-month@730h", "TB-hour"];
                let unit = if statistic == "mean" { self.pick(&units) } else { self.pick(&["TiB", "TB"]) };
                line.insert("unit".into(), json!(unit));
                return false;
            }
        }
        if self.chance(4) {
            line.insert("ceiling".into(), json!(self.decimal(500, 2)));
        }
        true
    }

    fn levels(&mut self, seconds: u64) -> Value {
        let grid = self.pick(&[1, 60, 900]);
        let mut times: Vec<u64> = (0..1 + self.below(8)).map(|_| self.below(seconds) / grid * grid).collect();
        if self.chance(2) {
            times.push(0);
        }
        times.sort_unstable();
        times.dedup();
        let step = |time: u64, random: &mut Self| {
            let level = random.below(200) * TIB + if random.chance(2) { random.below(TIB) } else { 0 };
            json!([time, if random.chance(6) { Value::Null } else { json!(level.to_string()) }])
        };
        times.into_iter().map(|time| step(time, self)).collect()
    }

    pub fn prices(&mut self, of: &mut Map<String, Value>, overage: bool) {
        if self.chance(3) {
            of.insert("price".into(), json!(self.decimal(50, 6)));
            if self.chance(3) {
                of.insert("per".into(), json!(self.pick(&["10", "0.5", "20"])));
            }
            return;
        }
        let (count, plain) = (1 + self.below(4), self.chance(2));
        let percent = overage && self.chance(2);
        let mut edge = 0;
        let mut bands: Vec<Value> = Vec::new();
        for index in 0..count {
            let mut band = Map::new();
            edge += 1 + self.below(100);
            if index + 1 < count {
                band.insert("up_to".into(), json!(format!("{edge}{}", if percent { "%" } else { "" })));
            }
            let kind = if plain { 0 } else { self.below(4) };
            if kind != 1 {
                band.insert("price".into(), json!(self.decimal(50, 4)));
            }
            if kind == 1 || kind == 2 {
                band.insert("flat".into(), json!(self.decimal(100, 2)));
            }
            if kind == 3 {
                band.insert("per".into(), json!(self.pick(&["10", "3"])));
            }
            bands.push(band.into());
        }
        of.insert("bands".into(), bands.into());
    }

    /// A request that the schema admits, sensible or not.
    pub fn anything(&mut self) -> Value {
        let mut request = self.request();
        let great = ["999999999999999999999.999999999", "0", "0.000000001", "100", "100.5"];
        for _ in 0..1 + self.below(4) {
            let paths = [
                "/lines/0/quantity",
                "/lines/0/price",
                "/lines/0/bands/0/price",
                "/lines/0/bands/0/up_to",
                "/minimum",
                "/lines/0/commitment/quantity",
                "/lines/0/overage/price",
                "/billed/amount",
                "/tax_percent",
                "/lines/0/per",
                "/lines/0/levels/0/1",
                "/lines/0/discounts/0/percent",
                "/lines/0/round_quantity/to",
                "/lines/0/ceiling",
                "/lines/0/billed/quantity",
                "/lines/0/quantities/0",
                "/credits/0/amount",
                "/lines/0/share/percent",
            ];
            let path = self.pick(&paths);
            let value = self.pick(&great);
            if let Some(place) = request.pointer_mut(path) {
                *place = json!(value);
            }
        }
        if self.chance(3) {
            let object = request.as_object_mut().unwrap();
            object.remove("period");
            let seconds = self.pick(&[1, 299, 10_000_000_000u64, u64::MAX, 31_622_400]);
            object.insert("period_seconds".into(), json!(seconds));
        }
        request
    }
}

/// Whether a key is written anywhere inside.
fn mentions(map: &Map<String, Value>, keys: &[&str]) -> bool {
    let text = serde_json::to_string(map).unwrap();
    keys.iter().any(|key| text.contains(&format!("\"{key}\"")))
}
