//! The console (INVOICE §7): one page and its modules, as they lie beside this file. It knows nothing: whatever it shows its reader's own
//! credential fetches from the API.

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::error::ApiError;
use crate::core::billing::render::html::STYLE as PRINTED;

/// Where people begin who type an address without a path.
pub const ROOT: &str = "/";
/// The page.
pub const HOME: &str = "/console/";
/// The same as many type it.
pub const BARE: &str = "/console";
/// What it is made of.
pub const FILES: &str = "/console/{file}";

/// Nothing but its own files and its own API: no inline script or style, no other origin, no frame, no form that leaves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its name, its type, what is in it.
const ALL: [(&str, &str, &str); 19] = [
    ("index.html", HTML, include_str!("console/index.html")),
    ("print.html", HTML, include_str!("console/print.html")),
    ("mark.svg", IMAGE, include_str!("console/mark.svg")),
    ("console.css", CSS, include_str!("console/console.css")),
    ("table.css", CSS, include_str!("console/table.css")),
    // the printed page brings its style in itself, which the policy does not let a page of the console do
    ("printed.css", CSS, PRINTED),
    ("app.js", SCRIPT, include_str!("console/app.js")),
    ("api.js", SCRIPT, include_str!("console/api.js")),
    ("dom.js", SCRIPT, include_str!("console/dom.js")),
    ("chart.js", SCRIPT, include_str!("console/chart.js")),
    ("partners.js", SCRIPT, include_str!("console/partners.js")),
    ("provider.js", SCRIPT, include_str!("console/provider.js")),
    ("billing.js", SCRIPT, include_str!("console/billing.js")),
    ("commitment.js", SCRIPT, include_str!("console/commitment.js")),
    ("issued.js", SCRIPT, include_str!("console/issued.js")),
    ("retail.js", SCRIPT, include_str!("console/retail.js")),
    ("document.js", SCRIPT, include_str!("console/document.js")),
    ("pipeline.js", SCRIPT, include_str!("console/pipeline.js")),
    ("print.js", SCRIPT, include_str!("console/print.js")),
];

/// Whether a route is the console's own, which anybody may load.
#[must_use]
pub fn is_own(route: &str) -> bool {
    [ROOT, BARE, HOME, FILES].contains(&route)
}

/// `GET /` and `GET /console`: the console.
pub async fn root() -> Response {
    guarded(Redirect::temporary(HOME).into_response())
}

/// `GET /console/`.
pub async fn home() -> Response {
    answer("index.html")
}

/// `GET /console/{file}`.
pub async fn file(Path(name): Path<String>) -> Response {
    answer(&name)
}

fn answer(name: &str) -> Response {
    let Some((_, kind, text)) = ALL.iter().find(|(known, ..)| *known == name) else {
        return ApiError::NotFound.into_response();
    };
    guarded(([(header::CONTENT_TYPE, *kind)], *text).into_response())
}

fn guarded(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_only_files_that_there_are_and_nothing_stands_in_line() {
        let known: Vec<&str> = ALL.iter().map(|(name, ..)| *name).collect();
        for (name, kind, text) in ALL {
            let named = text.split(['"', '\'']).filter_map(|word| word.strip_prefix("./"));
            for other in named {
                assert!(known.contains(&other), "{name} names {other}");
            }
            for elsewhere in ["http://", "https://", "//cdn"] {
                let free = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!free.contains(elsewhere), "{name} names {elsewhere}");
            }
            if kind == HTML {
                for inline in ["<style", "style=", " onclick", " onload", "javascript:", "<script>"] {
                    assert!(!text.contains(inline), "{name} has {inline}");
                }
            }
            if kind == SCRIPT {
                for raw in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                    assert!(!text.contains(raw), "{name} uses {raw}");
                }
            }
        }
    }

    #[tokio::test]
    async fn every_file_bears_the_policy_and_other_names_are_not_found() {
        for (name, ..) in ALL {
            let response = answer(name);
            assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], POLICY, "{name}");
            assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer", "{name}");
        }
        for name in ["", "..", "console.rs", "../mod.rs", "%2e%2e", "INDEX.HTML"] {
            assert_eq!(answer(name).status(), 404, "{name}");
        }
    }

    /// Times are shown in UTC, wherever who reads them is: the head of their column says so, or the words beside.
    #[test]
    fn an_instant_says_whose_time_it_is() {
        let mut heads = 0;
        for (name, _, text) in ALL.iter().filter(|(name, ..)| name.ends_with(".js")) {
            assert!(!text.contains("${instant("), "{name}: an element is no text");
            for part in
                text.split("{ head: \"").skip(1).filter(|part| part.split("head:").next().unwrap().contains("instant("))
            {
                assert!(part.split('"').next().unwrap().ends_with(" (UTC)"), "{name}: {part}");
                heads += 1;
            }
            let used = text.matches("instant(").count();
            let in_tables = text.split("head: \"").skip(1).map(|part| part.matches("instant(").count()).sum::<usize>();
            // what is in no table is told by `moment`, which adds the zone; dom.js has both
            assert!(used == in_tables || *name == "dom.js", "{name}: {used} instants, {in_tables} of them in tables");
        }
        assert!(heads >= 8, "{heads}");
    }
}
