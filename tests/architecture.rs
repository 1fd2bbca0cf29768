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
    below("src")
}

fn below(directory: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut list = Vec::new();
    sources(&root, &mut list);
    list.sort();
    let name = |p: &Path| p.strip_prefix(&root).expect("below it").display().to_string();
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
fn every_module_uses_only_what_it_may() {
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

/// The names of a table of Cargo.toml, as `[dependencies]`.
fn table<'a>(manifest: &'a str, head: &str) -> Vec<&'a str> {
    let (_, table) = manifest.split_once(head).expect("the table");
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect()
}

/// True if code names a crate: in a path, or as the macro of the same name.
fn names(text: &str, package: &str) -> bool {
    // md-5 calls itself md5.
    let forms = [package.replace('-', "_"), package.replace('-', "")];
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).any(|line| {
        forms.iter().any(|name| {
            line.match_indices(&format!("{name}::")).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            })
        })
    })
}

/// A source without its unit tests.
fn without_tests((path, text): &(String, String)) -> String {
    let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let end = if is_test { 0 } else { text.find("#[cfg(test)]\n").unwrap_or(text.len()) };
    text[..end].to_owned()
}

#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let (src, tests) = (below("src"), below("tests"));
    let code: Vec<_> = src.iter().map(without_tests).collect();
    let needed = table(&manifest, "\n[dependencies]\n");
    let idle = needed.iter().filter(|name| !code.iter().any(|text| names(text, name)));
    let for_tests = table(&manifest, "\n[dev-dependencies]\n");
    let is_used = |name: &str| src.iter().chain(&tests).any(|(_, text)| names(text, name));
    let idle_in_tests = for_tests.iter().filter(|name| !is_used(name));
    let idle: Vec<_> = idle.chain(idle_in_tests).collect();
    assert!(needed.len() > 10 && for_tests.len() > 2, "{needed:?} {for_tests:?}");
    assert!(idle.is_empty(), "no code names these crates: {idle:?}");
    assert!(!names("// getopts::Options\nuse my_getopts::x;", "getopts"));
}
