//! Who may use whom. Reads the sources and fails on a forbidden `use`.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs;
use std::path::{Path, PathBuf};

/// (module, the modules it may name besides itself).
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("wire", &["base"]),
    ("model", &["base"]),
    ("vrrp", &["base", "wire", "model"]),
    ("holdings", &["base", "wire", "model"]),
    ("lvs", &["base", "wire", "model"]),
    ("check", &["base", "wire", "model"]),
    ("track", &["base", "model"]),
    ("notify", &["base", "wire", "model"]),
    ("config", &["base", "model"]),
    ("sim", &["base", "wire", "model", "vrrp", "holdings"]),
    ("genhash", &["base", "wire", "model", "check", "cli", "sys"]),
    ("cli", &["base", "sys", "config"]),
    // The wire layout of adverts and the objects to install are values, not decisions.
    ("sys", &["base", "wire", "model", "config", "vrrp"]),
    (
        "daemon",
        &[
            "base", "wire", "model", "vrrp", "track", "lvs", "check", "notify", "holdings",
            "config", "cli", "sys",
        ],
    ),
];

/// Files under `sys` that may name the module, and why nothing else there may.
const SYS_EXCEPTIONS: &[(&str, &str)] = &[
    // The traffic class that goes with a packet of `vrrp::advert`.
    ("sys/raw.rs", "vrrp"),
    // The loader the configuration reads real files through.
    ("sys/files.rs", "config"),
    // What the configuration asks of the file of a command, and how a path is followed.
    ("sys/scriptfacts.rs", "config"),
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src is readable").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// Every file below `src`, with its path from there.
fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut list = Vec::new();
    sources(&root, &mut list);
    list.sort();
    let name = |p: &Path| p.strip_prefix(&root).expect("below src").display().to_string();
    list.iter().map(|p| (name(p), fs::read_to_string(p).expect("a source"))).collect()
}

/// The crate's modules that a line of code names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::").map(|(at, found)| {
        let rest = &code[at + found.len()..];
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    })
}

#[test]
fn nobody_uses_what_it_may_not() {
    let mut wrong = Vec::new();
    for (path, text) in all() {
        let module = path.split('/').next().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            assert!(matches!(path.as_str(), "lib.rs" | "main.rs"), "{path} belongs to no module");
            continue;
        };
        for (n, line) in text.lines().enumerate() {
            for used in named(line).filter(|used| *used != module) {
                let except = module != "sys"
                    || !["vrrp", "config"].contains(&used)
                    || SYS_EXCEPTIONS.contains(&(path.as_str(), used));
                if !allowed.contains(&used) || !except {
                    wrong.push(format!("src/{path}:{}: {module} uses {used}", n + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_lives_in_sys_only() {
    let offenders: Vec<_> = all()
        .into_iter()
        .filter(|(path, text)| {
            let uses = |line: &str| line.split("//").next().unwrap_or_default().contains("unsafe ");
            !path.starts_with("sys/") && text.lines().any(uses)
        })
        .map(|(path, _)| path)
        .collect();
    assert!(offenders.is_empty(), "unsafe outside sys: {offenders:?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = all()
        .into_iter()
        .filter(|(path, text)| !path.contains("tests") && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "no module comment: {silent:?}");
}

#[test]
fn the_map_in_lib_rs_names_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).expect("a source");
    let (_, map) = lib.split_once("# Where a behaviour lives").expect("the map");
    let (map, _) = map.split_once("//! # ").expect("its end");
    let named: Vec<_> = map.split('`').skip(1).step_by(2).filter(|s| s.contains('/')).collect();
    assert!(named.len() > 30, "{named:?}");
    let lost: Vec<_> = named.into_iter().filter(|path| !root.join(path).exists()).collect();
    assert!(lost.is_empty(), "not in src: {lost:?}");
}

#[test]
fn nothing_that_runs_is_kept_in_hash_maps() {
    // Their order would make two runs differ. Reading a configuration only looks things up.
    let offenders: Vec<_> = all()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("config/"))
        .filter(|(_, text)| {
            let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
            let hashes = |line: String| line.contains("HashMap<") || line.contains("HashSet<");
            text.lines().any(|line| hashes(code(line)))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(offenders.is_empty(), "hash maps: {offenders:?}");
}
