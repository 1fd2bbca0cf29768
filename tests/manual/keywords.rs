//! The manual page's list of keywords, made from the tables and from the texts of `man/keywords`.
//!
//! The tables say how a keyword is written, its limits and default, and whether it is in effect; the
//! texts say what it does.

use std::fmt::Write as _;

use keepalived::config::keyword::{Args, Block, Body, Keyword, Standing};
use keepalived::config::keywords::ROOT;

use super::examples;
use super::grammar::{entry_text, head, limits, plain, roff, wrapped, WIDTH};
use super::lines::{self, Lines};
use super::texts::{self, Chapter, Item, Texts};

/// The chapter of what several kinds of checks have in common.
pub(super) const CHECK: &str = "check";

/// One section of the page. Two kinds of check have each a block `url`, for which there is one
/// section.
pub(super) struct Section {
    blocks: Vec<&'static Block>,
    /// The blocks that they stand in; none: the top level.
    parents: Vec<&'static str>,
}

impl Section {
    fn name(&self) -> &'static str {
        self.blocks[0].name
    }

    /// The file of its texts.
    pub(super) fn file(&self) -> &'static str {
        if std::ptr::eq(self.blocks[0], ROOT) {
            "top"
        } else {
            self.name()
        }
    }

    /// Every keyword, once.
    pub(super) fn keywords(&self) -> Vec<&'static Keyword> {
        let mut all: Vec<&'static Keyword> = Vec::new();
        for keyword in self.blocks.iter().flat_map(|block| block.keywords) {
            if all.iter().all(|other| other.name != keyword.name) {
                all.push(keyword);
            }
        }
        all
    }

    fn find(&self, name: &str) -> Option<&'static Keyword> {
        self.blocks.iter().find_map(|block| block.find(name))
    }

    pub(super) fn title(&self) -> String {
        if std::ptr::eq(self.blocks[0], ROOT) {
            return "Top level".to_owned();
        }
        match self.parents.as_slice() {
            [] => self.name().to_owned(),
            parents => format!("{} in {}", self.name(), parents.join(" and ")),
        }
    }
}

/// The list as subsections with mdoc lists.
pub(super) fn mdoc_keywords() -> String {
    let texts = texts::read();
    let sections = sections(&texts);
    let mut out = String::new();
    let mut common = false;
    for section in &sections {
        let chapter = chapter(&texts, section.file());
        if !common && chapter.likes.iter().any(|like| like == CHECK) {
            common_section(&mut out, &texts, &sections);
            common = true;
        }
        let _ = writeln!(out, ".Ss {}", section.title());
        groups(&mut out, chapter, |out, item| {
            // Another test says which are not there.
            for keyword in item.names.iter().filter_map(|name| section.find(name)) {
                keyword_item(out, keyword, item, keyword.default);
            }
            let aliases = section.keywords().into_iter().filter(|k| is_alias(k, &item.names));
            aliases.for_each(|alias| alias_item(out, alias, &item.arguments));
        });
        elsewhere(&mut out, &texts, section);
    }
    out + &lines::mdoc(&texts)
}

pub(super) fn chapter<'t>(texts: &'t Texts, name: &str) -> &'t Chapter {
    texts.get(name).unwrap_or_else(|| panic!("man/keywords/{name}.txt is missing"))
}

/// Text and lists of a chapter.
pub(super) fn groups(out: &mut String, chapter: &Chapter, item: impl Fn(&mut String, &Item)) {
    for group in &chapter.groups {
        if !group.title.is_empty() {
            // A heading is a paragraph already.
            let last = out.lines().last().unwrap_or_default();
            let space = if last.starts_with(".Ss") { "" } else { ".Pp\n" };
            let _ = writeln!(out, "{space}.Sy {}", group.title);
        }
        let text = group.text.mdoc();
        if !group.title.is_empty() && !text.is_empty() {
            out.push_str(".Pp\n");
        }
        out.push_str(&text);
        out.push_str(&examples::mdoc(&group.text));
        if !group.items.is_empty() {
            out.push_str(".Bl -tag -width Ds\n");
            group.items.iter().for_each(|one| item(out, one));
            out.push_str(".El\n");
        }
    }
}

/// The keywords that are in the list of another chapter.
fn elsewhere(out: &mut String, texts: &Texts, section: &Section) {
    for like in &chapter(texts, section.file()).likes {
        let names = chapter(texts, like).names().filter(|name| section.find(name).is_some());
        let names: Vec<_> = names.map(|name| format!(".Ic {}", roff(name))).collect();
        let place = match like.as_str() {
            CHECK => "Keywords of checks".to_owned(),
            other => format!("{other} in real_server"),
        };
        let _ = writeln!(out, ".Pp\nAlso, see\n.Sx {place} :\n{} .", names.join(" ,\n"));
    }
}

/// The keywords that several kinds of checks have, with the defaults that they have in each.
fn common_section(out: &mut String, texts: &Texts, sections: &[Section]) {
    let is_user = |s: &&Section| chapter(texts, s.file()).likes.iter().any(|like| like == CHECK);
    let users: Vec<_> = sections.iter().filter(is_user).collect();
    out.push_str(".Ss Keywords of checks\n");
    groups(out, chapter(texts, CHECK), |out, item| {
        let name = &item.names[0];
        let found = users.iter().filter_map(|s| Some((s.name(), s.find(name)?)));
        let found: Vec<(&str, &Keyword)> = found.collect();
        keyword_item(out, found[0].1, item, &defaults(&found));
        if let Some(alias) =
            users.iter().flat_map(|s| s.keywords()).find(|k| is_alias(k, &item.names))
        {
            alias_item(out, alias, &item.arguments);
        }
    });
}

/// The default of most blocks, then those of the others.
fn defaults(found: &[(&str, &Keyword)]) -> String {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for (block, keyword) in found {
        match all.iter_mut().find(|(default, _)| *default == keyword.default) {
            Some((_, blocks)) => blocks.push(block),
            None => all.push((keyword.default, vec![block])),
        }
    }
    all.sort_by_key(|(_, blocks)| std::cmp::Reverse(blocks.len()));
    let mut text = all[0].0.to_owned();
    for (default, blocks) in &all[1..] {
        let _ = write!(text, "; in {}: {default}", blocks.join(" and "));
    }
    text
}

/// Sections in the order of the page: each block after the one it stands in.
pub(super) fn sections(texts: &Texts) -> Vec<Section> {
    let mut list = Vec::new();
    collect(ROOT, None, texts, &mut list);
    list
}

fn collect(
    block: &'static Block,
    parent: Option<&'static str>,
    texts: &Texts,
    out: &mut Vec<Section>,
) {
    if out.iter().any(|s| s.blocks.iter().any(|b| std::ptr::eq(*b, block))) {
        return;
    }
    let is_root = std::ptr::eq(block, ROOT);
    match out.iter_mut().find(|s| s.name() == block.name) {
        Some(section) => {
            section.blocks.push(block);
            section.parents.extend(parent);
        }
        None => {
            out.push(Section { blocks: vec![block], parents: parent.into_iter().collect() });
        }
    }
    let name = if is_root { "top" } else { block.name };
    let order: Vec<&str> = chapter(texts, name).names().collect();
    let place = |k: &&Keyword| order.iter().position(|name| *name == k.name).unwrap_or(usize::MAX);
    let mut keywords: Vec<_> = block.keywords.iter().collect();
    keywords.sort_by_key(place);
    for keyword in keywords {
        if let Body::Keywords(inner) = keyword.body {
            collect(inner, (!is_root).then_some(block.name), texts, out);
        }
    }
}

/// A keyword with what the text and the table say of it.
fn keyword_item(out: &mut String, keyword: &Keyword, item: &Item, default: &str) {
    out.push_str(&head(keyword, &item.arguments));
    out.push_str(&item.text.mdoc());
    for sentence in facts(keyword, &item.arguments) {
        out.push_str(&texts::marked(&sentence));
    }
    match default.strip_prefix("none, required") {
        _ if default.is_empty() => {}
        Some(except) => out.push_str(&wrapped(&format!("Required{except}."))),
        None => out.push_str(&wrapped(&format!("Default: {default}."))),
    }
    if !keyword.in_effect {
        out.push_str("Later.\n");
    }
    out.push_str(&examples::mdoc(&item.text));
}

/// Another name of one of these.
fn is_alias(keyword: &Keyword, names: &[String]) -> bool {
    matches!(keyword.standing, Standing::Alias { of, .. } if names.iter().any(|name| name == of))
}

fn alias_item(out: &mut String, keyword: &Keyword, arguments: &[String]) {
    let Standing::Alias { of, .. } = keyword.standing else { return };
    out.push_str(&head(keyword, arguments));
    let _ = writeln!(out, "The same as\n.Ic {} .", roff(of));
    if !keyword.in_effect {
        out.push_str("Later.\n");
    }
}

/// What the table says of a keyword.
fn facts(keyword: &Keyword, names: &[String]) -> Vec<String> {
    let mut text = Vec::new();
    if let Standing::Replaced { by, .. } = keyword.standing {
        text.push(format!("Outdated, see {by}."));
    }
    text.extend(limits(&keyword.args));
    match keyword.body {
        Body::None => {}
        Body::Keywords(_) => text.push("A block, see below.".to_owned()),
        Body::Entries(entry) => text.push(match Lines::of(entry) {
            Some(lines) => format!("In braces, one on a line; see {}.", lines.title()),
            None => format!("In braces, one on a line: {}.", entry_text(entry, names)),
        }),
        Body::Names(kind) => {
            let name = names.first().cloned().unwrap_or_else(|| plain(kind));
            text.push(format!("In braces: any number of {name}."));
        }
    }
    if let Args::Options(entry) = keyword.args {
        text.push(format!("Options: {}.", entry_text(entry, names)));
    }
    text
}

/// The keywords that are accepted and not in effect, by the block they stand in, as a list in
/// Markdown.
pub(super) fn markdown_later() -> String {
    let mut out = String::new();
    for section in sections(&texts::read()) {
        let current = |k: &&Keyword| !k.in_effect && k.standing == Standing::Current;
        let names = section.keywords().into_iter().filter(current);
        let names: Vec<_> = names.map(|k| format!("`{}`", k.name)).collect();
        if names.is_empty() {
            continue;
        }
        let place = match section.file() {
            "top" => "top level".to_owned(),
            name => format!("`{name}`"),
        };
        let mut line = format!("* {place}:");
        for (n, name) in names.iter().enumerate() {
            let comma = if n + 1 < names.len() { "," } else { "" };
            if line.len() + name.len() + 2 > WIDTH + 20 {
                out.push_str(&line);
                out.push('\n');
                line = " ".to_owned();
            }
            line.push_str(&format!(" {name}{comma}"));
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}
