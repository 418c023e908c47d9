//! How long the console takes where there are a thousand arrays.

use serde_json::json;

use super::browser::Browser;
use crate::api::Served;
use crate::deploy::tool;
use crate::stage::{SAMPLE, shared_site};

const ARRAYS: usize = 1_000;
/// What a reader may wait for the page, from typing its address.
const LIMIT_MS: f64 = 200.0;
/// What they may wait until its figures stand there: tests run a build without optimisation, beside others.
const FIGURES_LIMIT_MS: f64 = 500.0;
/// Loads at most, until one is quick enough: what else the machine does meanwhile is no matter of the console.
const LOADS: usize = 40;
/// 10 October 2026.
const START_S: i64 = 1_791_590_400;

fn events() -> impl Iterator<Item = (String, String)> {
    (0..2).flat_map(|hour| (0..ARRAYS).map(move |array| event(array, hour)))
}

fn event(number: usize, hour: i64) -> (String, String) {
    let array = format!("array-{number:04}");
    let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let reading = json!({"kind": "array", "resource": array, "meter": "effective_used", "value": 1_u64 << 40, "tier": "//Block - Premium"});
    let provider = if number.is_multiple_of(2) { "northwind" } else { "fjordcloud" };
    let data = json!({"provider": provider, "array": {"id": array, "site": "HAM1"}, "readings": [reading]});
    let event = json!({"specversion": "1.0", "id": format!("{hour}"), "source": array, "type": "dev.plimsoll.usage.v1", "time": time.to_string(), "data": data});
    (array, event.to_string())
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

#[test]
fn a_thousand_arrays_are_there_at_once() {
    let Some(tools) = tool("chromium") else { return };
    let parts = shared_site(2);
    parts.ok(&["catalog", "apply", SAMPLE]);
    parts.produce("usage", events());
    parts.ok(&["run", "--until-caught-up"]);
    parts.ok(&["bill", "--once"]);
    let served = Served::start(&parts, &["operator"]);
    let browser = Browser::start(&tools);
    let (mut files, mut figures) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        browser.go(&format!("{}/console/mark.svg", served.origin()));
        browser.run("sessionStorage.setItem('plimsoll.token', 'operator')", &[]);
        browser.go(&format!("{}/console/", served.origin()));
        browser.until("figures are shown", "return performance.getEntriesByName('shown').length > 0");
        let times = browser.run(
            "return [performance.getEntriesByType('navigation')[0].loadEventEnd, performance.getEntriesByName('shown')[0].startTime]",
            &[],
        );
        files.push(times[0].as_f64().unwrap());
        figures.push(times[1].as_f64().unwrap());
        if least(&files) < LIMIT_MS && least(&figures) < FIGURES_LIMIT_MS {
            break;
        }
    }
    browser.sees("1\u{202f}000 arrays");
    eprintln!("ms from the address to the files: {files:.0?}, to the figures: {figures:.0?}");
    assert!(least(&files) < LIMIT_MS, "{files:?}");
    assert!(least(&figures) < FIGURES_LIMIT_MS, "{figures:?}");
}
