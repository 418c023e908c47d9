//! How long the console takes where there are a thousand arrays.

use std::collections::BTreeSet;

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

/// What the first figures are made of is asked for at once, and nothing that they do without comes before them.
fn asks_at_once(browser: &Browser) {
    browser.until(
        "the other pages are fetched",
        "return performance.getEntriesByName(location.origin + '/console/document.js').length > 0",
    );
    let asked = "const one = (path) => performance.getEntriesByName(location.origin + path)[0];
        const figures = ['/v1/caller', '/v1/providers', '/v1/arrays'].map(one);
        const shown = performance.getEntriesByName('shown')[0].startTime;
        const early = performance.getEntriesByType('resource').filter((entry) => entry.startTime < shown);
        return [Math.max(...figures.map((entry) => entry.startTime)), Math.min(...figures.map((entry) => entry.responseEnd)), \
            early.map((entry) => entry.name.replace(location.origin, ''))]";
    let asked = browser.run(asked, &[]);
    assert!(asked[0].as_f64() < asked[1].as_f64(), "one waits for another: {asked}");
    let early: BTreeSet<&str> = asked[2].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let wanted = ["api.js", "app.js", "chart.js", "console.css", "dom.js", "mark.svg", "partners.js", "table.css"];
    let wanted = wanted.map(|file| format!("/console/{file}"));
    let figures = ["/v1/caller", "/v1/providers", "/v1/arrays"];
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).chain(figures).collect();
    assert!(early.is_subset(&wanted), "{early:?}");
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
    asks_at_once(&browser);
    eprintln!("ms from the address to the files: {files:.0?}, to the figures: {figures:.0?}");
    assert!(least(&files) < LIMIT_MS, "{files:?}");
    assert!(least(&figures) < FIGURES_LIMIT_MS, "{figures:?}");
}
