//! Rules for the source tree: dependencies between modules, unsafe code, module comments, wording.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs;
use std::path::{Path, PathBuf};

/// (module, the other modules that it may use).
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("wire", &["base"]),
    ("model", &["base"]),
    ("vrrp", &["base", "wire", "model"]),
    ("holdings", &["base", "wire", "model"]),
    ("firewall", &["base", "wire", "model"]),
    ("lvs", &["base", "wire", "model"]),
    ("check", &["base", "wire", "model"]),
    ("track", &["base", "model"]),
    ("bfd", &["base", "wire", "model"]),
    ("notify", &["base", "wire", "model"]),
    ("config", &["base", "model"]),
    // Plain data for the daemon and kactl alike.
    ("status", &["base"]),
    // What one program hands over to the next.
    ("snapshot", &["base", "status"]),
    // Requests and replies of the control socket.
    ("control", &["base", "status"]),
    // Documents made of the status.
    ("web", &["base", "status", "control"]),
    ("kactl", &["base", "status", "control", "cli", "sys"]),
    ("sim", &["base", "wire", "model", "vrrp", "holdings"]),
    ("genhash", &["base", "wire", "model", "check", "cli", "sys"]),
    ("cli", &["base", "model", "sys", "config"]),
    // The wire layout of advertisements and the objects to install are values, not decisions.
    ("sys", &["base", "wire", "model", "config", "vrrp"]),
    (
        "daemon",
        &[
            "base", "wire", "model", "vrrp", "track", "bfd", "lvs", "check", "notify", "holdings",
            "firewall", "config", "cli", "status", "snapshot", "control", "web", "sys",
        ],
    ),
];

/// Files under `sys` that may use a module which the other files there may not.
const SYS_EXCEPTIONS: &[(&str, &str)] = &[
    // The traffic class of the packets of `vrrp::advert`.
    ("sys/raw.rs", "vrrp"),
    // The loader through which the configuration reads real files.
    ("sys/files.rs", "config"),
    // The properties of a command's file that the configuration checks, and path resolution.
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

/// Every file below `src`, with its relative path.
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

/// The crate's modules used in a line of code.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::").map(|(at, found)| {
        let rest = &code[at + found.len()..];
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    })
}

#[test]
fn modules_use_only_allowed_modules() {
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
fn every_file_has_a_module_comment() {
    let silent: Vec<_> = all()
        .into_iter()
        .filter(|(path, text)| !path.contains("tests") && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "no module comment: {silent:?}");
}

#[test]
fn the_map_in_lib_rs_names_existing_files() {
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
fn only_config_uses_hash_maps() {
    // Their iteration order would make two runs differ. The configuration uses them for look-ups
    // only.
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

/// Files and directories covered by the wording lint.
const COVERED: &[&str] = &[
    "src",
    "tests",
    "fuzz/fuzz_targets",
    "man",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
];

/// Phrases that avoid naming the actual subject of a sentence.
const UNWANTED: &[&[&str]] = &[
    &["nobody"],
    &["somebody"],
    &["whoever"],
    &["is", "told"],
    &["was", "told"],
    &["are", "told"],
];

/// Words of a text with their lines. An empty word separates unrelated parts.
type Prose = Vec<(usize, String)>;

/// Adds the words of a text that starts at `line`. Words in backquotes are names, not prose.
fn add_words(text: &str, line: usize, prose: &mut Prose) {
    for (n, line_text) in text.split('\n').enumerate() {
        for quoted in line_text.split_inclusive('`') {
            let words = quoted.split(|c: char| !c.is_alphanumeric() && c != '_');
            let words = words.filter(|word| !word.is_empty()).map(str::to_lowercase);
            prose.extend(words.map(|word| (line + n, word)));
            if quoted.ends_with('`') {
                prose.push((line + n, String::new()));
            }
        }
    }
}

/// Length of the string literal at the start of `code`, with its quotes.
fn literal_len(code: &str) -> Option<usize> {
    let (start, end, escapes) = if let Some(raw) = code.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|b| *b == b'#').count();
        raw[hashes..].starts_with('"').then_some(())?;
        (hashes + 2, format!("\"{}", "#".repeat(hashes)), false)
    } else {
        code.starts_with('"').then_some(())?;
        (1, "\"".to_owned(), true)
    };
    let mut at = start;
    while !code[at..].starts_with(&end) {
        let mut chars = code[at..].chars();
        let c = chars.next()?;
        at += c.len_utf8();
        if escapes && c == '\\' {
            at += chars.next()?.len_utf8();
        }
    }
    Some(at + end.len())
}

/// The comments and string literals of a Rust source.
fn prose_of_rust(source: &str) -> Prose {
    let mut prose = Prose::new();
    let (mut at, mut line, mut in_word) = (0, 1, false);
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let len = if rest.starts_with("//") {
            let len = rest.find('\n').unwrap_or(rest.len());
            add_words(&rest[..len], line, &mut prose);
            len
        } else if let Some(len) = literal_len(rest).filter(|_| !(in_word && c == 'r')) {
            prose.push((line, String::new()));
            add_words(&rest[..len], line, &mut prose);
            prose.push((line, String::new()));
            len
        } else if let Some(quote) = ["'\"'", "'\\\"'"].iter().find(|c| rest.starts_with(**c)) {
            quote.len()
        } else {
            if !c.is_whitespace() {
                prose.push((line, String::new()));
            }
            c.len_utf8()
        };
        line += rest[..len].matches('\n').count();
        in_word = c.is_alphanumeric() || c == '_';
        at += len;
    }
    prose
}

/// Unwanted phrases with their lines. A word on its own is taken for a name, such as that of a user.
fn unwanted(prose: &Prose) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for phrase in UNWANTED {
        for at in 0..prose.len().saturating_sub(phrase.len() - 1) {
            let here = &prose[at..at + phrase.len()];
            let before = at.checked_sub(1).map_or("", |n| prose[n].1.as_str());
            let after = prose.get(at + phrase.len()).map_or("", |(_, word)| word.as_str());
            let is_name = (before.is_empty() && after.is_empty()) || before.ends_with("user");
            if here.iter().map(|(_, word)| word.as_str()).eq(phrase.iter().copied()) && !is_name {
                found.push((here[0].0, phrase.join(" ")));
            }
        }
    }
    found.sort();
    found
}

fn files_below(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a directory").map(|e| e.expect("an entry")) {
            files_below(&entry.path(), out);
        }
    } else if path.extension().is_some_and(|e| ["rs", "md", "1", "5", "8"].iter().any(|x| e == *x))
    {
        out.push(path.to_owned());
    }
}

#[test]
fn comments_and_messages_avoid_unwanted_phrases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for path in COVERED {
        files_below(&root.join(path), &mut files);
    }
    files.sort();
    assert!(files.len() > 100, "only {} files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a text");
        let prose = if path.extension().is_some_and(|e| e == "rs") {
            prose_of_rust(&text)
        } else {
            let mut prose = Prose::new();
            add_words(&text, 1, &mut prose);
            prose
        };
        let name = path.strip_prefix(root).expect("below the root").display();
        wrong.extend(unwanted(&prose).iter().map(|(n, phrase)| format!("{name}:{n}: {phrase}")));
    }
    assert!(wrong.is_empty(), "reword:\n{}", wrong.join("\n"));
}

#[test]
fn the_wording_lint_reads_comments_and_literals_only() {
    let found = |source: &str| unwanted(&prose_of_rust(source)).len();
    let split = ["//! It is\n//! ", "told to nob", "ody."].concat();
    assert_eq!(found(&split), 2);
    assert_eq!(found(&["let a = \"who", "ever asks\";"].concat()), 1);
    assert_eq!(
        found(&["let a = r#\"a \\\" who", "ever asks\"#; // who", "ever it is"].concat()),
        2
    );
    let user = "let NAME = '\"'; run(\"NAME\", \"script_user NAME\"); // the user `NAME`";
    assert_eq!(found(&user.replace("NAME", "nobody")), 0);
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
