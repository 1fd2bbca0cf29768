//! The examples of the page: files of `man/keywords` that are read without a complaint.
//!
//! The page shows what stands above the line `# ---`; what is below completes the configuration.

use std::fmt::Write as _;

use keepalived::config::{self, LinkFacts, ReadOptions};
use keepalived::model;

use super::grammar::roff;
use super::texts::{self, Text};

#[path = "../config/memory.rs"]
mod memory;

use memory::{MemoryHost, MemoryLoader};

/// Every example of a text.
pub(super) fn mdoc(text: &Text) -> String {
    text.examples().map(display).collect()
}

/// A display with the part of the file for the page.
fn display(name: &str) -> String {
    let text = std::fs::read_to_string(texts::folder().join(name))
        .unwrap_or_else(|e| panic!("man/keywords/{name}: {e}"));
    let shown = text.split("# ---\n").next().unwrap_or_default();
    format!(".Bd -literal -offset indent\n{}.Ed\n", roff(shown))
}

/// A router with two interfaces, and the commands of the examples.
fn host() -> MemoryHost {
    let plain = LinkFacts::plain;
    let addresses = ["192.0.2.1", "198.51.100.1"].map(|a| a.parse().expect("an address"));
    MemoryHost::default()
        .named("router.example.com")
        .and_link("eth0", LinkFacts { multicast: true, ethernet: true, arp: true, ..plain(2) })
        .and_link("eth1", LinkFacts { multicast: true, ethernet: true, arp: true, ..plain(3) })
        .and_addresses(&addresses)
        .and_user("keepalived_script", 990, 990)
        .and_user("adm", 991, 991)
        .and_user("nobody", 65_534, 65_534)
        .and_program("/usr/bin/killall")
        .and_program("/usr/local/bin/notify")
        .and_program("/usr/local/bin/check")
}

/// What the reader of a file has to say about it.
pub(super) fn complaints(name: &str, text: &str) -> String {
    // Commands are reported without it.
    let main = format!("global_defs {{\nenable_script_security\n}}\ninclude /{name}.conf\n");
    let loader = MemoryLoader::with("/main", main).and(&format!("/{name}.conf"), text);
    let loaded = config::load(&loader, "/main", &ReadOptions::default(), &host());
    let mut out = String::new();
    for diagnostic in loaded.diagnostics.iter() {
        let _ = write!(out, "{:?} ", diagnostic.severity);
        diagnostic.render(&loaded.sources, &mut out);
    }
    out
}

#[test]
fn every_example_is_read_without_a_complaint() {
    let files = texts::files("conf");
    assert!(files.len() > 40, "{}", files.len());
    let wrong: String = files.iter().map(|(name, text)| complaints(name, text)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_mistake_in_an_example_is_found() {
    let text = &texts::files("conf")["vrrp_instance"];
    assert_ne!(complaints("x", &text.replace("priority 150", "priority 256")), "");
    assert_ne!(complaints("x", &text.replace("eth1", "eth7")), "");
    assert_ne!(complaints("x", &text.replace("bin/notify", "bin/notfy")), "");
}

#[test]
fn every_block_has_an_example_and_every_example_its_place() {
    let chapters = texts::read();
    let mut used: Vec<&str> = Vec::new();
    for (name, chapter) in &chapters {
        let examples: Vec<_> = chapter.texts().flat_map(|text| text.examples()).collect();
        // What all checks have is in the examples of each, and `host` is outdated.
        let has_none = ["check", "host"].contains(&name.as_str());
        assert_eq!(examples.is_empty(), has_none, "man/keywords/{name}.txt");
        used.extend(examples);
    }
    used.sort_unstable();
    let mut there: Vec<_> = texts::files("conf").into_keys().map(|n| n + ".conf").collect();
    there.sort();
    assert_eq!(used, there);
}
