//! The documents name what exists: links and anchors, files, tests, commands, options, keywords.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use keepalived::cli::options as cli;
use keepalived::config::keyword::{Block, Body};
use keepalived::config::keywords::ROOT;
use keepalived::kactl;

use super::examples;

/// A document, by its path in the tree.
struct Document {
    path: String,
    text: String,
}

/// A block of code, with the language behind its fence.
struct Fenced {
    language: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<Document> {
    let mut paths = vec!["CHANGELOG.md".to_owned(), "CONTRIBUTING.md".into(), "README.md".into()];
    let entries = fs::read_dir(root().join("docs")).expect("docs/ is there");
    let names = entries.map(|e| e.expect("readable").file_name().into_string().expect("a name"));
    paths.extend(names.filter(|n| n.ends_with(".md")).map(|n| format!("docs/{n}")));
    paths.sort();
    let read = |path: String| {
        let text = fs::read_to_string(root().join(&path)).expect("a document");
        Document { path, text }
    };
    paths.into_iter().map(read).collect()
}

impl Document {
    /// The text outside the fences, and what is between them.
    fn parts(&self) -> (String, Vec<Fenced>) {
        let (mut prose, mut blocks, mut open) = (String::new(), Vec::new(), None::<Fenced>);
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    open = Some(Fenced { language: language.to_owned(), text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text += &format!("{line}\n"),
                (None, None) => prose += &format!("{line}\n"),
            }
        }
        assert!(open.is_none(), "{}: a fence without its end", self.path);
        (prose, blocks)
    }

    /// What is between backquotes.
    fn quoted(&self) -> Vec<String> {
        let (prose, _) = self.parts();
        // One that spans two lines is joined.
        let quoted = prose.split("\n\n").flat_map(|p| p.split('`').skip(1).step_by(2));
        quoted.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// The command lines of a program, in backquotes and in blocks for the shell.
    fn commands(&self, program: &str) -> Vec<Vec<String>> {
        let (_, blocks) = self.parts();
        let shown = blocks.into_iter().filter(|b| b.language == "sh").map(|b| b.text);
        let lines: Vec<String> = shown.flat_map(|b| lines_of_shell(&b)).collect();
        let all = self.quoted().into_iter().chain(lines);
        all.filter_map(|line| words_after(&line, program)).collect()
    }
}

/// Lines of the shell: continued ones are joined, prompts and comments are left out.
fn lines_of_shell(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let bare = |line: &str| line.split(" #").next().unwrap_or_default().trim().to_owned();
    joined.lines().map(|l| bare(l.trim_start_matches(['#', '$']))).collect()
}

/// The arguments, if the line runs this program. Quotes and what follows a pipe are left out.
fn words_after(line: &str, program: &str) -> Option<Vec<String>> {
    let mut words =
        line.split_whitespace().skip_while(|w| ["sudo", "ip", "netns", "exec"].contains(w));
    (words.next()? == program).then_some(())?;
    let own = words.take_while(|w| !matches!(*w, "|" | "||" | "&&" | ">" | ";" | "2>&1"));
    Some(own.map(|w| w.trim_matches(['\'', '"']).to_owned()).collect())
}

/// The anchor of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> Vec<String> {
    let (prose, _) = Document { path: String::new(), text: text.to_owned() }.parts();
    let heading = |l: &str| l.starts_with('#').then(|| anchor(l.trim_start_matches('#')));
    prose.lines().filter_map(heading).collect()
}

/// `](target)` outside code.
fn links(document: &Document) -> Vec<String> {
    let (prose, _) = document.parts();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

fn trouble_of_link(document: &Document, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (file, wanted) = target.split_once('#').map_or((target, None), |(f, a)| (f, Some(a)));
    let beside = Path::new(&document.path).parent().unwrap_or_else(|| Path::new(""));
    let path = match file {
        "" => root().join(&document.path),
        file => root().join(beside).join(file),
    };
    if !path.exists() {
        return Some(format!("no file {target}"));
    }
    let wanted = wanted?;
    let text = fs::read_to_string(path).unwrap_or_default();
    (!anchors(&text).iter().any(|a| a == wanted)).then(|| format!("no heading {target}"))
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        for target in links(&document) {
            count += 1;
            let trouble = trouble_of_link(&document, &target);
            wrong.extend(trouble.map(|t| format!("{}: {t}", document.path)));
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} links:\n{}", wrong.join("\n"));
}

/// Directories of the tree whose files the documents name.
const NAMED: [&str; 7] = ["tests/", "src/", "docs/", "conf/", "scripts/", "fuzz/", "man/"];

/// A path may have a placeholder; then its directory has to exist.
fn exists(path: &str) -> bool {
    match path.split_once("NAME").or_else(|| path.split_once('*')) {
        Some((before, _)) => before.rsplit_once('/').is_some_and(|(d, _)| root().join(d).is_dir()),
        None => root().join(path).exists(),
    }
}

/// Every keyword of the configuration.
fn keywords() -> Vec<&'static str> {
    fn add(block: &'static Block, all: &mut Vec<&'static str>) {
        for keyword in block.keywords {
            if !all.contains(&keyword.name) {
                all.push(keyword.name);
                if let Body::Keywords(inner) = keyword.body {
                    add(inner, all);
                }
            }
        }
    }
    let mut all = Vec::new();
    add(ROOT, &mut all);
    all
}

/// A name as tests have it: three words or more in lower case, and no path or metric.
fn is_name_of_test(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.matches('_').count() >= 3 && name.chars().all(is_word) && !name.starts_with("keepalived_")
}

#[test]
fn files_and_tests_exist() {
    let known = keywords();
    let (mut wrong, mut files, mut tests) = (Vec::new(), 0, 0);
    for document in documents() {
        // A test is named behind its file.
        let mut file = String::new();
        for name in document.quoted() {
            if NAMED.iter().any(|d| name.starts_with(d)) && !name.contains(' ') {
                files += 1;
                if !exists(&name) {
                    wrong.push(format!("{}: no file {name}", document.path));
                }
                file = name;
            } else if is_name_of_test(&name) && !known.contains(&name.as_str()) {
                tests += 1;
                let text = fs::read_to_string(root().join(&file)).unwrap_or_default();
                if !text.contains(&name) {
                    wrong.push(format!("{}: no test {name} in {file}", document.path));
                }
            }
        }
    }
    assert!(files > 200 && tests > 40, "{files} files, {tests} tests");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Placeholders for numbers.
fn with_numbers(words: &[String]) -> Vec<OsString> {
    words.iter().map(|w| if w == "N" { "7".into() } else { w.into() }).collect()
}

fn trouble_of_kactl(words: &[String]) -> Option<String> {
    let complaint = kactl::options::parse(&with_numbers(words)).err()?;
    // The bare name of a command is no command line.
    let is_name = words.len() == 1 && complaint.starts_with("the form is");
    (!is_name).then_some(complaint)
}

#[test]
fn commands_of_kactl_are_those_of_the_table() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        for words in document.commands("kactl").iter().filter(|words| !words.is_empty()) {
            count += 1;
            let trouble = trouble_of_kactl(words);
            wrong.extend(trouble.map(|t| format!("{}: kactl {words:?}: {t}", document.path)));
        }
    }
    assert!(count > 40 && wrong.is_empty(), "{count} commands:\n{}", wrong.join("\n"));
}

/// Options of kactl, cargo and container tools that are named without their program.
const OF_OTHERS: [&str; 6] =
    ["--healthy", "--dry-run", "--force", "--json", "--no-default-features", "--cap-add"];

fn trouble_of_keepalived(words: &[String]) -> Option<String> {
    let words = words.iter().map(OsString::from);
    let argv: Vec<OsString> = std::iter::once("keepalived".into()).chain(words).collect();
    let complaints = cli::parse(&argv).complaints.into_iter().map(|c| format!("{c:?}"));
    complaints.into_iter().find(|c| c.contains("Unknown option"))
}

#[test]
fn options_of_keepalived_are_those_of_the_table() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for document in documents() {
        let alone = document.quoted().into_iter().filter(|name| name.starts_with("--"));
        let alone = alone.map(|o| o.split([' ', '=']).take(1).map(str::to_owned).collect());
        let alone = alone.filter(|o: &Vec<String>| !OF_OTHERS.contains(&o[0].as_str()));
        for words in document.commands("keepalived").into_iter().chain(alone) {
            count += 1;
            let trouble = trouble_of_keepalived(&words);
            wrong.extend(trouble.map(|t| format!("{}: {words:?}: {t}", document.path)));
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} command lines:\n{}", wrong.join("\n"));
}

#[test]
fn configurations_are_read_without_a_complaint() {
    let (mut wrong, mut count) = (String::new(), 0);
    for document in documents() {
        let (_, blocks) = document.parts();
        for block in blocks.iter().filter(|b| b.language == "conf") {
            count += 1;
            let complaints = examples::complaints("document", &block.text);
            if !complaints.is_empty() {
                wrong += &format!("{}: {complaints}", document.path);
            }
        }
    }
    assert!(count > 2, "{count}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_wrong_is_found() {
    let text = "# A `b`, c!\n[x](#a-b-c) [y](#nothing) [z](gone.md)\n`kactl status\n--json`\n\
                ```sh\n# kactl explain \\\n  VI_1 | less\n```\n";
    let document = Document { path: "README.md".into(), text: text.into() };
    let wrong = |target: &str| {
        let (_, rest) = target.split_once('#').unwrap_or(("", ""));
        !anchors(text).iter().any(|a| a == rest)
    };
    assert_eq!(links(&document).iter().map(|l| wrong(l)).collect::<Vec<_>>(), [false, true, true]);
    assert!(trouble_of_link(&document, "gone.md").is_some());
    assert_eq!(document.commands("kactl"), [vec!["status", "--json"], vec!["explain", "VI_1"]]);
    assert!(trouble_of_kactl(&["stauts".into()]).is_some());
    assert!(trouble_of_kactl(&["failover".into()]).is_none());
    assert!(trouble_of_keepalived(&["--respwan".into()]).is_some());
    assert!(!exists("tests/gone/NAME.rs") && exists("tests/netns/NAME.rs"));
    assert!(!exists("tests/vrrp/gone.scenario") && exists("tests/vrrp/*.scenario"));
    assert!(is_name_of_test("a_name_of_four") && !is_name_of_test("use_vmac"));
}
