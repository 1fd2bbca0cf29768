//! The manual pages say what the tables say; `make man` writes the parts that come from tables.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::path::{Path, PathBuf};

use keepalived::cli::help;
use keepalived::config::manual;

const BEGIN: &str = ".\\\" generated: ";
const END: &str = ".\\\" end generated\n";

/// The page with the text of each generated part put in.
fn regenerated(page: &str, part: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(BEGIN) {
        let line_end = at + rest[at..].find('\n').expect("a line has an end") + 1;
        let name = rest[at + BEGIN.len()..line_end].trim_end();
        out.push_str(&rest[..line_end]);
        out.push_str(&part(name));
        let end = rest.find(END).unwrap_or_else(|| panic!("'{name}' has no end"));
        out.push_str(END);
        rest = &rest[end + END.len()..];
    }
    out + rest
}

fn part(name: &str) -> String {
    match name {
        "keywords" => manual::mdoc_keywords(),
        "options" => help::mdoc_options(),
        "statuses" => help::mdoc_exit_statuses(),
        _ => panic!("no table is called '{name}'"),
    }
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let files = std::fs::read_dir(folder)
        .expect("man/ is there")
        .map(|entry| entry.expect("readable").path());
    let mut pages: Vec<_> = files.collect();
    pages.sort();
    pages
}

#[test]
fn the_committed_pages_are_the_generated_ones() {
    let mut stale = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("readable");
        let wanted = regenerated(&page, part);
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
    let page = format!("a\n{BEGIN}x\nold\n{END}b\n{BEGIN}y\n{END}");
    let new = regenerated(&page, |name| format!("new {name}\n"));
    assert_eq!(new, format!("a\n{BEGIN}x\nnew x\n{END}b\n{BEGIN}y\nnew y\n{END}"));
}
