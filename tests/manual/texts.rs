//! What each keyword does, in the words of `man/keywords`.
//!
//! The texts are beside the page, not in the tables of the program: it never shows them, and its
//! binary would grow by 50 KB.
//!
//! `BLOCK.txt` is of the block of that name; `top.txt` of the top level, `check.txt` of what all
//! checks have, and `address.txt`, `route.txt` and `rule.txt` of lines with many options. In a file:
//!
//! * `= TITLE` begins a group of keywords. Groups and keywords have the order of the page.
//! * Keywords are at the start of a line, with `, ` between those of one text. An option that
//!   follows another one is written behind it. Behind `: ` are names for the arguments, for those
//!   that are only known as a text or a number.
//! * Indented lines are the text of the keywords above them, or of the block or group. Words in
//!   backquotes are keywords; a line that begins with a dot is mdoc; `Example: FILE` stands for a
//!   file of `man/keywords`, and `Like FILE` takes keywords from another file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::grammar::{roff, wrapped};

/// A file.
#[derive(Default)]
pub(super) struct Chapter {
    /// Names of the files that it takes keywords from.
    pub likes: Vec<String>,
    /// The first has no title.
    pub groups: Vec<Group>,
}

#[derive(Default)]
pub(super) struct Group {
    pub title: String,
    pub text: Text,
    pub items: Vec<Item>,
}

pub(super) struct Item {
    pub names: Vec<String>,
    /// Names of the arguments.
    pub arguments: Vec<String>,
    pub text: Text,
}

/// Lines of text.
#[derive(Default)]
pub(super) struct Text(Vec<String>);

/// Every file by its name without the extension.
pub(super) type Texts = BTreeMap<String, Chapter>;

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man/keywords")
}

/// Name and contents of the files of the folder that have this extension.
pub(super) fn files(extension: &str) -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(folder()).expect("man/keywords is there");
    let paths = paths.map(|entry| entry.expect("readable").path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|e| e == extension));
    wanted
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("readable"))
        })
        .collect()
}

pub(super) fn read() -> Texts {
    files("txt").iter().map(|(name, text)| (name.clone(), Chapter::parse(text))).collect()
}

impl Chapter {
    fn parse(source: &str) -> Self {
        let mut chapter = Self { likes: Vec::new(), groups: vec![Group::default()] };
        for line in source.lines().filter(|line| !line.is_empty()) {
            let group = chapter.groups.last_mut().expect("there is one");
            if let Some(title) = line.strip_prefix("= ") {
                chapter.groups.push(Group { title: title.to_owned(), ..Group::default() });
            } else if let Some(name) = line.strip_prefix("    Like ") {
                chapter.likes.push(name.to_owned());
            } else if let Some(text) = line.strip_prefix("    ") {
                let to = group.items.last_mut().map_or(&mut group.text, |item| &mut item.text);
                to.0.push(text.to_owned());
            } else {
                let (names, arguments) = line.split_once(": ").unwrap_or((line, ""));
                let words = |text: &str, by| text.split(by).map(str::to_owned).collect();
                group.items.push(Item {
                    names: words(names, ", "),
                    arguments: if arguments.is_empty() {
                        Vec::new()
                    } else {
                        words(arguments, " ")
                    },
                    text: Text::default(),
                });
            }
        }
        chapter
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.groups.iter().flat_map(|group| &group.items)
    }

    /// Every name that has a text, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.items().flat_map(|item| &item.names).map(String::as_str)
    }

    /// Every text.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let of_groups = self.groups.iter().map(|group| &group.text);
        of_groups.chain(self.items().map(|item| &item.text))
    }
}

impl Text {
    /// Names of the files with examples.
    pub(super) fn examples(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|line| line.strip_prefix("Example: "))
    }

    /// The plain text.
    pub(super) fn prose(&self) -> String {
        let is_prose = |line: &&String| !line.starts_with("Example: ");
        self.0.iter().filter(is_prose).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The text without the examples.
    pub(super) fn mdoc(&self) -> String {
        let mut out = String::new();
        let mut plain = String::new();
        for line in self.0.iter().filter(|line| !line.starts_with("Example: ")) {
            if line.starts_with('.') {
                out.push_str(&marked(&std::mem::take(&mut plain)));
                out.extend([line, "\n"]);
            } else {
                if !plain.is_empty() {
                    plain.push(' ');
                }
                plain.push_str(line);
            }
        }
        out + &marked(&plain)
    }
}

/// Sections of the page that texts refer to, behind `see`.
pub(super) const SECTIONS: [&str; 13] = [
    "Other files",
    "VIRTUAL ROUTERS",
    "INTERFACES",
    "TRACKING",
    "VIRTUAL SERVERS",
    "HEALTH CHECKS",
    "NOTIFICATION",
    "SCRIPTS",
    "PROCESS",
    "Keywords of checks",
    "Lines with an address",
    "Lines with a route",
    "Lines with a rule",
];

/// Sentences, each on a line of its own, with keywords as macros.
pub(super) fn marked(text: &str) -> String {
    let mut out = String::new();
    let mut prefix = "";
    for (n, part) in referring(text).split('`').enumerate() {
        if let (1, Some(section)) = (n % 2, part.strip_prefix('@')) {
            out.push_str(&format!(".Sx {section}"));
            continue;
        }
        if n % 2 == 1 {
            let open = if prefix.is_empty() { "" } else { "( " };
            out.push_str(&format!(".Ic {open}{}", roff(part)));
            continue;
        }
        let mut rest = part;
        if n > 0 {
            // Punctuation behind a keyword.
            let end = part.find(' ').unwrap_or(part.len());
            part[..end].chars().for_each(|c| {
                assert!(".,;:)".contains(c), "'{c}' behind a keyword: {text}");
                out.extend([' ', c]);
            });
            out.push('\n');
            rest = part[end..].trim_start();
        }
        prefix = if rest.ends_with('(') { "(" } else { "" };
        let rest = rest.strip_suffix('(').unwrap_or(rest).trim_end();
        for sentence in sentences(rest) {
            out.push_str(&wrapped(sentence));
        }
    }
    out
}

/// The text with references to sections marked as words in backquotes that begin with `@`.
fn referring(text: &str) -> String {
    let mut text = text.to_owned();
    for section in SECTIONS {
        for see in ["see", "See"] {
            text = text.replace(&format!("{see} {section}"), &format!("{see} `@{section}`"));
        }
    }
    text
}

fn sentences(text: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(". ") {
        if text[at + 2..].starts_with(|c: char| c.is_ascii_uppercase()) {
            list.push(&text[from..=at]);
            from = at + 2;
        }
    }
    if from < text.len() {
        list.push(&text[from..]);
    }
    list
}

#[test]
fn a_text_becomes_mdoc() {
    let text = "    About it.
    Example: one

first, second
    Does `this`, too.
    Or that (`x y`).
    .Xr ls 1 .

= More

third: a b
    A-B. Or so.
";
    let chapter = Chapter::parse(text);
    let groups: Vec<_> = chapter.groups.iter().map(|g| (g.title.as_str(), g.text.mdoc())).collect();
    assert_eq!(groups, [("", "About it.\n".to_owned()), ("More", String::new())]);
    assert_eq!(chapter.texts().flat_map(Text::examples).collect::<Vec<_>>(), ["one"]);
    assert_eq!(chapter.items().map(|i| i.arguments.join("+")).collect::<Vec<_>>(), ["", "a+b"]);
    let items: Vec<_> = chapter.items().map(|i| (i.names.join("+"), i.text.mdoc())).collect();
    let first = "Does\n.Ic this ,\ntoo.\nOr that\n.Ic ( x y ) .\n.Xr ls 1 .\n";
    let third = "A\\-B.\nOr so.\n";
    assert_eq!(
        items,
        [("first+second".to_owned(), first.to_owned()), ("third".to_owned(), third.to_owned())]
    );
}
