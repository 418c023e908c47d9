//! The console in a real browser, as its readers use it: over a real broker, a real engine and real workers.

mod browser;
mod many;
mod stage;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::deploy::tool;
use browser::{Browser, DOWN, ENTER, TAB};
use stage::{EVIL, Stage};

const WAIT: Duration = Duration::from_secs(120);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < WAIT, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

const BILLING: &str = "billing?provider=p&period=2026-10";

#[test]
fn a_period_is_closed_issued_printed_and_traced_in_the_console() {
    let Some(tools) = tool("chromium") else { return };
    let stage = Stage::set(&tools);
    files(&stage);
    signs_in_by_keyboard(&stage);
    partners(&stage);
    pipeline(&stage);
    finds_why(&stage);
    warns_of_no_future(&stage);
    issues(&stage);
    prints(&stage);
    traces(&stage);
    credits(&stage);
    proves(&stage);
    others(&stage);
    is_for_everybody(&stage);
    stays_at_home(&stage);
}

/// Pages bear the policy, and whoever has no token gets them and nothing else.
fn files(stage: &Stage) {
    for path in ["/console/", "/console/app.js", "/console/console.css", "/console/print.html"] {
        let (status, head, _) = stage.served.text(&format!("GET {path} HTTP/1.1\r\n"), "");
        let head = head.to_ascii_lowercase();
        assert_eq!(status, 200, "{path}");
        for line in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(line), "{path} {head}");
        }
    }
    let status = |path: &str| stage.served.text(&format!("GET {path} HTTP/1.1\r\n"), "").0;
    for path in
        ["/console/..%2fmod.rs", "/console/../../etc/passwd", "/console/nothing.js", "/console/%00", "/console/a/b"]
    {
        assert!(matches!(status(path), 400 | 401 | 404), "{path}");
    }
    assert_eq!((status("/"), status("/console"), status("/v1/caller")), (307, 307, 401));
    let (_, head, _) = stage.served.text("GET /console HTTP/1.1\r\n", "");
    assert!(head.to_ascii_lowercase().contains("location: /console/\r\n"), "{head}");
}

/// Coverage is of the whole period: what of an open one has not happened yet is told and is no warning.
fn warns_of_no_future(stage: &Stage) {
    let shown = |end: &str, coverage: &str| {
        let script = "return import('/console/billing.js').then((billing) => { const place = document.createElement('div'); \
                      place.append(...[billing.coverage({ period: { end: arguments[0] }, rows: [{ coverage: arguments[1] }] })].flat()); \
                      return [place.textContent, place.querySelector('.warn') !== null]; })";
        stage.browser.run(script, &[json!(end), json!(coverage)])
    };
    let open = json!(["27.0\u{202f}%of the whole period, which goes on", false]);
    assert_eq!(shown("2999-01-01T00:00:00Z", "0.27"), open);
    assert_eq!(shown("2026-01-01T00:00:00Z", "0.27"), json!(["27.0\u{202f}%", true]));
    assert_eq!(shown("2026-01-01T00:00:00Z", "1"), json!(["100\u{202f}%", false]));
}

/// The element that has the focus, and whether a person sees that it has.
fn focus(browser: &Browser) -> (String, bool) {
    let found = browser.run(
        "const one = document.activeElement; const style = getComputedStyle(one); \
         return [one.getAttribute('aria-label') || one.textContent.trim() || one.id, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]",
        &[],
    );
    (found[0].as_str().unwrap().to_owned(), found[1].as_bool().unwrap())
}

/// A wrong token is refused in words; the right one is typed and taken by Enter; the tabulator goes through the page in its order.
fn signs_in_by_keyboard(stage: &Stage) {
    let browser = &stage.browser;
    browser.go(&format!("{}/", stage.served.origin()));
    browser.sees("Access token");
    assert_eq!(faults(browser), Vec::<String>::new(), "signing in");
    browser.press(&format!("nobody's{ENTER}"));
    browser.until(
        "a wrong token is refused",
        "return document.querySelector('[role=alert]')?.textContent.includes('This token is not known')",
    );
    assert_eq!(browser.run("return sessionStorage.length", &[]), json!(0), "a refused token is not kept");
    // by the button as well: the words stand beside the field, which is told of them and has the focus
    browser.click("button", "Sign in");
    browser.until(
        "the field has the focus",
        "const one = document.activeElement; const said = document.getElementById('token-trouble'); \
         return one.id === 'token' && one.getAttribute('aria-invalid') === 'true' \
         && one.getAttribute('aria-describedby').includes('token-trouble') && said.previousElementSibling === one \
         && said.querySelector('[role=alert]') !== null",
    );
    // what was typed is selected, so that typing replaces it
    browser.press(&format!("has space{ENTER}"));
    browser.sees("no spaces");
    browser.press(&format!("operator{ENTER}"));
    browser.sees("Partners");
    browser.sees("90 days");
    browser.run("document.activeElement.blur()", &[]);
    let wanted = browser.run(
        "return [...document.querySelectorAll('a[href], button, input, select')].filter(one => one.checkVisibility({visibilityProperty: true})) \
         .map(one => one.getAttribute('aria-label') || one.textContent.trim() || one.id)",
        &[],
    );
    let wanted: Vec<String> = wanted.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    assert!(wanted.len() >= 7, "{wanted:?}");
    browser.go(&format!("{}/console/#/partners", stage.served.origin()));
    browser.run("location.reload()", &[]);
    browser.sees("90 days");
    let mut met = Vec::new();
    for _ in 0..wanted.len() {
        browser.press(TAB);
        let (name, is_seen) = focus(browser);
        assert!(is_seen, "{name}: whoever has no mouse does not see where they are");
        met.push(name);
    }
    assert_eq!(met, wanted, "the tabulator's order is the page's");
    // the first one leads past the navigation
    browser.run("document.activeElement.blur(); document.querySelector('.skip').focus()", &[]);
    browser.press(ENTER);
    assert_eq!(browser.run("return document.activeElement.id", &[]), json!("main"));
}

fn partners(stage: &Stage) {
    let browser = &stage.browser;
    stage.open("vendor:v", "partners");
    browser.sees(&format!("Provider P {EVIL}"));
    browser.until(
        "levels are filled in",
        "return document.body.innerText.includes('registered') && document.body.innerText.includes('engineer 1/2')",
    );
    let text = browser.text();
    assert!(text.contains("Provider Q") && !text.contains("Pipeline"), "{text}");
    let states = stage.served.get("vendor:v", "/v1/arrays").1;
    let state = |array: &str| {
        states["data"].as_array().unwrap().iter().find(|row| row["array"] == array).unwrap()["state"].clone()
    };
    assert_eq!((state("lent"), state("overdue")), (json!("demo_busy"), json!("demo_expired")));
    assert!(text.contains("1 demo array beyond its date"), "one that is only in use is not: {text}");
    for retail in ["Acme", "acme", "Gamma"] {
        assert!(!text.contains(retail), "a vendor reads {retail}");
    }
    browser.click("main a", "Provider P");
    browser.sees("Wholesale documents");
    browser.sees("a1");
    assert!(browser.text().contains(EVIL), "an array's name is text");
}

fn pipeline(stage: &Stage) {
    let browser = &stage.browser;
    stage.open("operator", "pipeline");
    browser.sees("holds everywhere");
    let rows =
        browser.run("return [...document.querySelectorAll('main table tbody tr')].map(row => row.innerText)", &[]);
    let rows: Vec<&str> = rows.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        rows.iter().any(|row| row.contains("usage-1/0")) && rows.iter().any(|row| row.contains("others-1/0")),
        "{rows:?}"
    );
    let state = stage.served.get("operator", "/v1/pipeline").1;
    for partition in state["partitions"].as_array().unwrap() {
        assert_eq!((&partition["conserved"], partition["log_end"].is_u64()), (&json!(true), true), "{partition}");
    }
    assert_eq!(state["unresolved"], 1, "{state}");
    assert_eq!((&state["proof"]["closes"], &state["proof"]["newest"]), (&json!(0), &Value::Null), "{state}");
    let hash = state["config_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64, "{hash}");
    browser.sees("none yet");
    browser.sees(&hash[..16]);
    browser.click("button", "Look again");
    browser.sees("usage-1/0");
}

/// Why the month cannot close is told in words, and what does it is thrown away there.
fn finds_why(stage: &Stage) {
    let browser = &stage.browser;
    stage.open("provider:p", BILLING);
    browser.until("a hole is told", "return document.querySelector('#why .holes')?.innerText.includes('quarantine')");
    draws_each_line(stage);
    claims(stage);
    adds_up(stage);
    let text = browser.text();
    assert!(text.contains("Unallocated") && text.contains("Acme <script>"), "{text}");
    assert!(
        text.contains("[customer.\"<img src=x") || text.contains("[customer.'<img src=x"),
        "the section to paste: {text}"
    );
    browser.click("button", "Discard usage-1/0");
    browser.sees("Reason, for the record");
    browser.press(&format!("a test of the line{ENTER}"));
    browser.sees("discarded: decided");
}

/// A day of a line: 9 TiB on the one array that it meters from 2 o'clock on, whatever the other arrays hold.
fn draws_each_line(stage: &Stage) {
    let browser = &stage.browser;
    let said = stage.served.get("vendor:v", "/v1/statements/p-wholesale?period=2026-10&days=true").1;
    let lines = said["commitments"].as_array().unwrap();
    let day =
        |line: &Value| line["days"].as_array().unwrap().iter().find(|day| day["date"] == "2026-10-10").unwrap().clone();
    let told = |line: &Value| (line["line"].clone(), day(line)["used"].clone(), day(line)["over"].clone());
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [(json!("arrays"), json!("8.25"), json!("0.25")), (json!("second"), json!("8.25"), json!("0"))]
    );
    let drawn = |line: &str, day: &str, over: usize| {
        let script = format!(
            "return document.querySelector('#days p')?.innerText.includes('Line {line} of p-wholesale') \
             && [...document.querySelectorAll('#days svg.days g title')].some(one => one.textContent === '{day}') \
             && document.querySelector('#days figcaption').innerText.includes('days in Europe/Berlin') \
             && document.querySelectorAll('#days svg.days .over').length === {over}"
        );
        browser.until(&format!("line {line} is drawn"), &script);
    };
    drawn("arrays", "2026-10-10: 8.25 TiB of 8.00", 1);
    browser.run("document.getElementById('committed-line').focus()", &[]);
    browser.press(DOWN);
    drawn("second", "2026-10-10: 8.25 TiB of 12.00", 0);
}

/// The margin's last line is the total, to the digit as the server says it; each line's commitment is told by itself.
fn adds_up(stage: &Stage) {
    let browser = &stage.browser;
    let said = stage.served.get("provider:p", "/v1/providers/p/margin?period=2026-10").1;
    let total = &said["currencies"][0]["total"];
    let shown = |text: &Value| {
        let text = text.as_str().unwrap();
        assert!(
            text.trim_start_matches('-').split('.').next().unwrap().len() <= 3,
            "{text}: no thousands, so no spaces"
        );
        format!("{}\u{a0}EUR", text.replace('-', "\u{2212}"))
    };
    let row = browser.run(
        "return [...[...document.querySelectorAll('table')].find(one => one.caption.textContent === 'Margin in EUR').tBodies[0].rows].at(-1).innerText",
        &[],
    );
    let row = row.as_str().unwrap();
    assert!(row.starts_with("Total EUR"), "{row}");
    for key in ["retail", "wholesale", "margin"] {
        assert!(row.contains(&shown(&total[key])), "{key} {total}: {row}");
    }
    let used = browser.run(
        "return [...document.querySelectorAll('td[data-head=\"Commitment used\"]')].map(one => one.innerText.replace(/\\s+/g, ' ')).find(one => one.includes('%'))",
        &[],
    );
    let parts: Vec<&str> = used.as_str().unwrap().split(" of ").collect();
    assert!(parts.len() == 3 && parts[1].starts_with("arrays ") && parts[2] == "second", "{used}");
}

/// What is offered to be pasted makes a file of a price book, whatever the tag is.
fn claims(stage: &Stage) {
    let browser = &stage.browser;
    browser.emulate(400, "light");
    let align = browser.run("return getComputedStyle(document.querySelector('td pre')).textAlign", &[]);
    assert_eq!(align, json!("left"), "lines to paste begin at their edge on a narrow screen too");
    browser.emulate(1280, "light");
    let said = stage.parts.ok(&["unclaimed", "--provider", "p", "--period", "2026-10"]);
    let file = &said[said.find("format = 1\n").unwrap()..];
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("book.toml"), stage::book()).unwrap();
    std::fs::write(folder.path().join("pasted.toml"), file).unwrap();
    stage.parts.ok(&["catalog", "check", folder.path().to_str().unwrap()]);
    assert!(file.contains("[customer.") && file.contains("onerror"), "{said}");
}

fn issues(stage: &Stage) {
    let browser = &stage.browser;
    let close = || stage.served.post("operator", "/v1/providers/p/periods/2026-10/close", &json!({"dry_run": false}));
    until("the period is closed", || close().0 == 200);
    // until workers have taken the close in, that is what keeps its next revision open
    let open = || stage.served.get("provider:p", "/v1/statements/p-wholesale?period=2026-10&closing=true").1;
    until("workers have taken the close in", || open()["cannot_close"] == json!([]));
    stage.open("provider:p", BILLING);
    // a closed period says so, and nothing of why it cannot close
    let shown = || stage.served.get("provider:p", "/v1/statements/p-wholesale?period=2026-10").1;
    until("the close is mirrored", || shown()["state"] == "closed");
    stage.open("provider:p", BILLING);
    browser.until(
        "what it would be corrected by is told",
        "return document.getElementById('closed')?.innerText.includes('the next revision would correct it by 0.00')",
    );
    let text = browser.text();
    assert!(!text.contains("cannot close yet") && !text.contains("So far") && text.contains("Comes to now"), "{text}");
    browser.sees("1 record was decided about and not shown");
    ids_are_whole(browser);
    // who buys does not issue
    browser.sees("v issues it");
    browser.click("button", "Issue p-retail to acme");
    browser.sees("Issue this draft?");
    browser.click("dialog button", "Cancel");
    assert_eq!(stage.served.get("provider:p", "/v1/invoices").1["data"], json!([]), "not meant, not done");
    browser.click("button", "Issue p-retail to acme");
    browser.click("dialog button.main", "Issue");
    browser.sees("Issued as P-0001");
    assert_eq!(stage.served.get("customer:p/acme", "/v1/invoices").1["data"][0]["number"], "P-0001");
    discards(stage);
}

/// A draft's id is copied into a command: it lies on one line, whatever stands beside it.
fn ids_are_whole(browser: &Browser) {
    for width in [1280, 1120, 400] {
        browser.emulate(width, "light");
        let lines = browser.run(
            "return [...document.querySelectorAll('td[data-head=Id] code')].map(one => one.getClientRects().length)",
            &[],
        );
        let lines = lines.as_array().unwrap();
        assert!(lines.len() >= 2 && lines.iter().all(|count| *count == 1), "{lines:?} at {width}");
        let wide = browser.run("return document.documentElement.scrollWidth", &[]);
        assert!(wide.as_u64() <= Some(width.into()), "{wide} at {width}");
    }
    browser.emulate(1280, "light");
}

/// What cannot be issued is thrown away, with a reason.
fn discards(stage: &Stage) {
    let browser = &stage.browser;
    let blocked = || {
        let drafts = stage.served.get("provider:p", "/v1/drafts").1["data"].clone();
        drafts.as_array().unwrap().iter().filter(|draft| draft["blocked"].is_string()).count()
    };
    assert_eq!(blocked(), 1, "a tag that no customer claims");
    browser.click("button", &format!("Discard p-retail to {EVIL}"));
    browser.sees("Discard this draft?");
    browser.press(&format!("nobody's{ENTER}"));
    browser.sees("Discarded: p-retail");
    assert_eq!(blocked(), 0);
}

/// The printed page comes in a tab of its own, in its own style, with names as text.
fn prints(stage: &Stage) {
    let browser = &stage.browser;
    let here = browser.windows().remove(0);
    browser.click("a", "Print P-0001");
    until("a tab opens", || browser.windows().len() == 2);
    browser.turn_to(browser.windows().iter().find(|window| **window != here).unwrap());
    browser.until("the invoice is shown", "return document.body?.dataset.shown === 'yes'");
    let text = browser.text();
    assert!(text.contains("P-0001") && text.contains("Acme <script>window.owned=1</script>"), "{text}");
    let style = browser.run(
        "return [document.title, document.styleSheets[0].cssRules.length, window.owned ?? null, location.href]",
        &[],
    );
    assert_eq!(style[0], "Invoice P-0001");
    assert!(style[1].as_u64() > Some(10) && style[2].is_null(), "{style}");
    assert!(!style[3].as_str().unwrap().contains("provider:p"), "no token in an address");
    browser.close();
    browser.turn_to(&here);
}

fn traces(stage: &Stage) {
    let browser = &stage.browser;
    browser.click("main a", "P-0001");
    browser.sees("Prove it: plimsoll prove P-0001");
    until("decisions are mirrored", || stage.served.get("provider:p", "/v1/invoices/P-0001/rows/1/trace").0 == 200);
    browser.click("button", "Trace row 1");
    browser.sees("Behind row 1, by array");
    browser.sees("they add up to what was priced");
    browser.click("#trace button", "hours");
    browser.sees("Behind row 1, by hour");
    let hours = browser.run("return [...document.querySelectorAll('#trace tbody tr')].filter(row => row.innerText.includes('usage-1/0: ')).length", &[]);
    assert!(hours.as_u64() >= Some(30), "{hours}");
    browser.click("#trace button", "arrays");
    browser.sees("Behind row 1, by array");
    browser.click("#trace tbody button", "a1");
    browser.sees("array a1, by hour");
}

/// A part is credited: the invoice leads to its note, in the list and by itself, and the note to its invoice.
fn credits(stage: &Stage) {
    let browser = &stage.browser;
    let part = json!({"rows": [{"no": 1, "amount": "0.01"}], "reason": "agreed"});
    let note = stage.served.post("provider:p", "/v1/invoices/P-0001/credit", &part).1["number"].clone();
    let note = note.as_str().unwrap();
    stage.open("provider:p", BILLING);
    let listed = format!(
        "return [...document.querySelectorAll('tr')].some(row => row.querySelector('th')?.innerText === 'P-0001' \
         && row.innerText.includes('partly credited') && row.querySelector('td[data-head=State] a')?.textContent === '{note}')"
    );
    browser.until("the list leads from the invoice to its note", &listed);
    browser.click("td[data-head=State] a", note);
    browser.sees(&format!("Credit note {note}"));
    let links = |id: &str| {
        browser.run(&format!("return [...document.querySelectorAll('#{id} a')].map(one => one.textContent)"), &[])
    };
    assert_eq!((links("corrects"), links("corrected")), (json!(["P-0001"]), json!([])));
    browser.click("#corrects a", "P-0001");
    browser.sees("Invoice P-0001");
    browser.until("the invoice leads to its note", "return document.querySelector('#corrected a') !== null");
    assert_eq!((links("corrects"), links("corrected")), (json!([]), json!([note])));
    let rows = browser.run("return [...document.querySelectorAll('tbody th')].map(one => one.innerText)", &[]);
    assert!(rows[0].as_str().is_some_and(|row| row.starts_with("Row 1\n")), "a number of its own: {rows}");
}

/// What was proved is told by a process that has not proved it, and so after any restart.
fn proves(stage: &Stage) {
    let browser = &stage.browser;
    stage.parts.ok(&["prove", "--all"]);
    let found = stage.served.get("operator", "/v1/pipeline").1["proof"].clone();
    assert!(found["closes"] == 1 && found["documents"].as_u64() > Some(0), "{found}");
    assert_eq!((&found["proven"], &found["altered"]), (&found["documents"], &json!(0)), "{found}");
    stage.open("operator", "pipeline");
    browser.sees("all proven");
}

/// A customer sees its own documents and usage, and no page but that; a stranger's number is not found; signing out forgets.
fn others(stage: &Stage) {
    let browser = &stage.browser;
    stage.open("customer:p/acme", "partners");
    browser.sees("Your invoices");
    browser.until("usage is drawn", "return document.querySelectorAll('svg.days').length > 0 || document.body.innerText.includes('Nothing was metered')");
    let text = browser.text();
    assert!(text.contains("P-0001") && !text.contains("Partners") && !text.contains("Pipeline"), "{text}");
    assert!(!text.contains("p-wholesale") && !text.contains("Margin"), "{text}");
    stage.open("customer:q/gamma", "billing/document/P-0001");
    browser.sees("not found");
    browser.click("button", "Sign out");
    browser.sees("Access token");
    assert_eq!(browser.run("return sessionStorage.length", &[]), json!(0));
    stage.open("provider:q", "billing?period=2026-10&provider=p");
    browser.sees("q-wholesale");
    assert!(!browser.text().contains("p-wholesale"), "what an address asks for is not what a token may read");
}

fn faults(browser: &Browser) -> Vec<String> {
    let found = browser.run(include_str!("faults.js"), &[]);
    found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
}

/// Every page, light and dark, wide and narrow: nothing that keeps anybody out, and nothing to scroll sideways for.
fn is_for_everybody(stage: &Stage) {
    let browser = &stage.browser;
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")] {
        browser.emulate(width, scheme);
        for page in ["partners", "partners/p", BILLING, "billing/document/P-0001", "pipeline"] {
            stage.open("operator", page);
            if page.contains("document") {
                browser.click("button", "Trace row 1");
                browser.sees("they add up");
            }
            let place = format!("{page} at {width}, {scheme}");
            assert_eq!(faults(browser), Vec::<String>::new(), "{place}");
            let wide = browser.run("return document.documentElement.scrollWidth", &[]);
            assert!(wide.as_u64() <= Some(u64::from(width)), "{place}: {wide} wide");
            assert!(browser.run("return window.owned ?? null", &[]).is_null(), "{place}: a name was run");
        }
    }
    browser.emulate(1280, "light");
}

/// In all of this no request left the origin, no address bore a token, and the policy had nothing to refuse.
fn stays_at_home(stage: &Stage) {
    let origin = stage.served.origin();
    let mut requests = stage.browser.requests();
    // the page that the browser itself shows before it is sent anywhere
    requests.retain(|request| !request.starts_with("chrome://"));
    assert!(requests.len() > 100, "{}", requests.len());
    for request in &requests {
        assert!(request.starts_with(&format!("{origin}/")) || request.starts_with("data:"), "{request}");
        for token in ["token", "operator", "vendor:v", "provider:p", "customer:p", "vendor%3A", "provider%3A"] {
            assert!(!request.contains(token), "{request}");
        }
    }
    let complaints: Vec<String> = stage.browser.complaints();
    let unexpected =
        |line: &&String| !["status of 401", "status of 403", "status of 404"].iter().any(|known| line.contains(known));
    assert_eq!(complaints.iter().find(unexpected), None, "{complaints:?}");
}
