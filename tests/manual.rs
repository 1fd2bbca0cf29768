//! The generated parts of the manual pages and the README are up to date; `make man` regenerates
//! them. A release build has no defaults of keywords.

#![cfg(debug_assertions)]
#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

#[path = "manual/completions.rs"]
mod completions;
#[path = "manual/documents.rs"]
mod documents;
#[path = "manual/examples.rs"]
mod examples;
#[path = "manual/grammar.rs"]
mod grammar;
#[path = "manual/keywords.rs"]
mod keywords;
#[path = "manual/lines.rs"]
mod lines;
#[path = "manual/rules.rs"]
mod rules;
#[path = "manual/texts.rs"]
mod texts;

use std::path::{Path, PathBuf};

use keepalived::cli::help;
use keepalived::kactl;
use keepalived::web::metrics::names;

/// Start and end markers of a generated part, in the manual pages and in the README.
const MDOC: [&str; 2] = [".\\\" generated: ", ".\\\" end generated\n"];
const MARKDOWN: [&str; 2] = ["<!-- generated: ", "<!-- end generated -->\n"];

/// The page with its generated parts replaced.
fn regenerated(page: &str, [begin, end]: [&str; 2], part: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(begin) {
        let line_end = at + rest[at..].find('\n').expect("a line has an end") + 1;
        let name = rest[at + begin.len()..line_end].trim_end().trim_end_matches(" -->");
        out.push_str(&rest[..line_end]);
        out.push_str(&part(name));
        let stop = rest.find(end).unwrap_or_else(|| panic!("'{name}' has no end"));
        out.push_str(end);
        rest = &rest[stop + end.len()..];
    }
    out + rest
}

fn part(name: &str) -> String {
    match name {
        "keywords" => keywords::mdoc_keywords(),
        "options" => help::mdoc_options(),
        "statuses" => help::mdoc_exit_statuses(),
        "kactl-commands" => kactl::help::mdoc_commands(),
        "kactl-options" => kactl::help::mdoc_options(),
        "kactl-statuses" => kactl::exit::Exit::mdoc(),
        "metrics" => metrics(),
        "later" => keywords::markdown_later(),
        _ => panic!("no table is called '{name}'"),
    }
}

/// Every metric, as items of an mdoc list.
fn metrics() -> String {
    let item = |(name, help): (&str, &str)| {
        format!(".It Li {name}\n{}\n", help::roff(&help.replace(". ", ".\n")))
    };
    names().map(item).collect()
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("man");
    let files = std::fs::read_dir(folder)
        .expect("man/ is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_file());
    let mut pages: Vec<_> = files.collect();
    pages.sort();
    pages.push(root.join("README.md"));
    pages
}

#[test]
fn the_committed_pages_are_up_to_date() {
    let mut stale = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("readable");
        let markdown = path.extension().is_some_and(|e| e == "md");
        let wanted = regenerated(&page, if markdown { MARKDOWN } else { MDOC }, part);
        if page == wanted {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, wanted).expect("writable");
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "run make man: {stale:?}");
}

#[test]
fn a_part_is_replaced_and_the_rest_is_kept() {
    for [begin, end] in [MDOC, MARKDOWN] {
        let page = format!("a\n{begin}x\nold\n{end}b\n{begin}y\n{end}");
        let new = regenerated(&page, [begin, end], |name| format!("new {name}\n"));
        assert_eq!(new, format!("a\n{begin}x\nnew x\n{end}b\n{begin}y\nnew y\n{end}"));
    }
}
