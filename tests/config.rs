//! Configurations as people write them: text in, the model and the complaints out.
//!
//! For each `NAME.conf` in `tests/config`, `NAME.err` has what is told of it and `NAME.model` the
//! model as text. `UPDATE=1 cargo test` rewrites both.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use keepalived::base::diag::Severity;
use keepalived::config::{self, Host, LinkFacts, Loaded, MemoryLoader, ReadOptions, Secrets};

/// A machine with `eth0`, `eth1`, `lo`, and `tun0`, which has no multicast.
struct Machine;

impl Host for Machine {
    fn link(&self, name: &str) -> Option<LinkFacts> {
        let index = 1 + ["lo", "eth0", "eth1", "tun0"].iter().position(|link| *link == name)?;
        let ethernet = name.starts_with("eth");
        Some(LinkFacts {
            index: u32::try_from(index).ok()?,
            mtu: 1500,
            multicast: ethernet,
            ethernet,
            arp: ethernet,
        })
    }

    fn hostname(&self) -> Option<String> {
        Some("router.example".to_owned())
    }
}

fn load(name: &str, text: &str) -> Loaded {
    let loader = MemoryLoader::with(&format!("/{name}"), text);
    let options = ReadOptions { config_id: "router".to_owned(), ..ReadOptions::default() };
    config::load(&loader, &format!("/{name}"), &options, &Machine)
}

/// What is told, each complaint after how bad it is.
fn complaints(loaded: &Loaded) -> String {
    let mut out = String::new();
    for diagnostic in loaded.diagnostics.iter() {
        let _ = write!(out, "{:?} ", diagnostic.severity);
        diagnostic.render(&loaded.sources, &mut out);
    }
    out
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/config is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).expect("names are text")
}

/// Compares with the golden file, or rewrites it.
fn check(path: &Path, got: &str, failures: &mut String) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, got).expect("the golden file can be written");
        return;
    }
    let want = fs::read_to_string(path).unwrap_or_default();
    if want != got {
        let _ =
            writeln!(failures, "==== {} ====\n{got}---- instead of ----\n{want}", file_name(path));
    }
}

#[test]
fn every_configuration_gives_its_model_and_its_complaints() {
    let mut failures = String::new();
    for case in cases() {
        let text = fs::read_to_string(&case).expect("a readable configuration");
        let loaded = load(file_name(&case), &text);
        check(&case.with_extension("err"), &complaints(&loaded), &mut failures);
        let model = config::print(&loaded.config, Secrets::Shown);
        check(&case.with_extension("model"), &model, &mut failures);
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_printed_model_is_read_back_as_the_same_model() {
    for case in cases() {
        let text = fs::read_to_string(&case).expect("a readable configuration");
        let loaded = load(file_name(&case), &text);
        let config = loaded.config;
        let printed = config::print(&config, Secrets::Shown);
        let again = load("printed.conf", &printed);
        assert_eq!(config, again.config, "{}", file_name(&case));
        // What could not be corrected is told again: an unknown interface stays unknown.
        let known: Vec<&str> = loaded.diagnostics.iter().map(|d| d.message.as_str()).collect();
        let loud: Vec<_> = again
            .diagnostics
            .iter()
            .filter(|d| d.severity > Severity::Note && !known.contains(&d.message.as_str()))
            .collect();
        assert!(loud.is_empty(), "{}: {loud:#?}\n{printed}", file_name(&case));
    }
}
