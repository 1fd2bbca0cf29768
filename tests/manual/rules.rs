//! The list of keywords is complete, and follows from the tables and the texts alone.

use keepalived::config::keyword::Standing;

use super::grammar::roff;
use super::keywords::{chapter, mdoc_keywords, sections, Section, CHECK};
use super::lines;
use super::texts::{self, Chapter, Text};

/// Every keyword of a section that needs a text of its own, which is none for another name of one.
fn own_keywords(section: &Section) -> impl Iterator<Item = &'static str> {
    let keywords = section.keywords().into_iter();
    keywords.filter(|k| !matches!(k.standing, Standing::Alias { .. })).map(|k| k.name)
}

#[test]
fn every_keyword_has_a_text() {
    let texts = texts::read();
    let mut wordless = Vec::new();
    for section in sections(&texts) {
        let own = chapter(&texts, section.file());
        let chapters = own.likes.iter().map(|like| chapter(&texts, like)).chain([own]);
        let known: Vec<_> = chapters.flat_map(Chapter::names).collect();
        let lacks = own_keywords(&section).filter(|name| !known.contains(name));
        wordless.extend(lacks.map(|name| format!("{}.txt: {name}", section.file())));
    }
    assert!(wordless.is_empty(), "man/keywords has no text for {wordless:#?}");
}

#[test]
fn every_text_has_a_keyword() {
    let texts = texts::read();
    let sections = sections(&texts);
    let mut idle = Vec::new();
    for (file, chapter) in texts.iter().filter(|(file, _)| !lines::is_chapter(file)) {
        // The blocks that have the keywords of this file.
        let uses = |s: &&Section| {
            s.file() == file || (file == CHECK && texts[s.file()].likes.contains(file))
        };
        let users: Vec<_> = sections.iter().filter(uses).collect();
        let mut seen = Vec::new();
        for name in chapter.names() {
            let is_own = users.iter().any(|s| own_keywords(s).any(|own| own == name));
            if !is_own || seen.contains(&name) {
                idle.push(format!("{file}.txt: {name}"));
            }
            seen.push(name);
        }
    }
    assert!(idle.is_empty(), "no keyword, or one with a text already: {idle:#?}");
}

#[test]
fn every_text_consists_of_sentences() {
    let mut wrong = Vec::new();
    for (file, chapter) in &texts::read() {
        for text in chapter.texts().map(Text::prose).filter(|text| !text.is_empty()) {
            let whole = text.ends_with('.') && text.starts_with(|c: char| !c.is_lowercase());
            if !whole || text.contains("This keyword") {
                wrong.push(format!("{file}.txt: {text}"));
            }
        }
        let empty = chapter.items().filter(|item| item.text.prose().is_empty());
        wrong.extend(empty.map(|item| format!("{file}.txt: {:?}", item.names)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The lists under a heading of the page.
fn part<'p>(page: &'p str, title: &str) -> &'p str {
    let head = format!(".Ss {title}\n");
    let (_, rest) = page.split_once(&head).unwrap_or_else(|| panic!("no section {title}"));
    rest.split(".Ss ").next().unwrap_or_default()
}

#[test]
fn every_keyword_has_an_item_in_its_section() {
    let page = mdoc_keywords();
    let common = part(&page, "Keywords of checks");
    for section in sections(&texts::read()) {
        let own = part(&page, &section.title());
        let web = part(&page, "HTTP_GET in real_server");
        for keyword in section.keywords() {
            let name = roff(keyword.name);
            let is_listed = |part: &str| {
                let mut lines = part.lines();
                lines.any(|line| {
                    line.strip_prefix(".It Ic ").and_then(|l| l.split(' ').next()) == Some(&name)
                })
            };
            let is_alias = matches!(keyword.standing, Standing::Alias { .. });
            let is_referred = is_alias || own.contains(&format!("\n.Ic {name} "));
            let is_elsewhere = is_referred && (is_listed(common) || is_listed(web));
            assert!(is_listed(own) || is_elsewhere, "{name} of {}", section.title());
        }
    }
}

#[test]
fn what_is_not_in_effect_is_marked() {
    let page = mdoc_keywords();
    let dbus =
        ".It Ic enable_dbus\nInstances are shown on the system bus.\nDefault: off.\nLater.\n";
    assert!(page.contains(dbus), "{page}");
}

#[test]
fn arguments_limits_and_defaults_are_part_of_an_item() {
    let page = mdoc_keywords();
    let vrid = page.split(".It Ic virtual_router_id Ar number\n").nth(1).expect("an item");
    let vrid = vrid.split(".It ").next().unwrap_or_default();
    assert!(vrid.ends_with("Range: 1 to 255.\nRequired.\n"), "{vrid}");
    assert!(page.contains(".It Ic script_user Ar user Oo Ar group Oc\n"));
    let retry =
        "Default: that of the real server, else 1; in DNS_CHECK: that of the real server, else 3;";
    assert!(page.replace('\n', " ").contains(retry));
}

#[test]
fn texts_refer_to_sections_of_the_page() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/man/keepalived.conf.5");
    let page = std::fs::read_to_string(path).expect("readable") + &mdoc_keywords();
    let titles: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix(".Sh ").or_else(|| line.strip_prefix(".Ss ")))
        .collect();
    for reference in page.lines().filter_map(|line| line.strip_prefix(".Sx ")) {
        let title = reference.trim_end_matches([' ', '.', ',', ':', ';']);
        assert!(titles.contains(&title), "no section {title}");
    }
    let texts = texts::read();
    for prose in texts.values().flat_map(Chapter::texts).map(Text::prose) {
        for (at, see) in prose.match_indices("see ") {
            let place = &prose[at + see.len()..];
            let word = place.split([' ', '.', ',', ';']).next().unwrap_or_default();
            let is_title = word.len() > 5 && word.bytes().all(|c| c.is_ascii_uppercase());
            let is_known = texts::SECTIONS.iter().any(|section| place.starts_with(section));
            assert!(is_known || !is_title, "{prose}");
        }
    }
}
