//! Lines with many options: addresses, routes and rules. Each kind of line has a section of its own.

use keepalived::config::keyword::{Body, Entry, Opt};
use keepalived::config::keywords::ROOT;

use super::grammar::option_head;
use super::keywords::groups;
use super::texts::Texts;

/// A kind of line; its name is that of its chapter, and of its entry in the tables.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    chapter: &'static str,
    title: &'static str,
}

const ALL: [Lines; 3] = [
    Lines { chapter: "address", title: "Lines with an address" },
    Lines { chapter: "route", title: "Lines with a route" },
    Lines { chapter: "rule", title: "Lines with a rule" },
];

/// Lines with more options have a section.
const FEW: usize = 8;

impl Lines {
    /// The section for lines of this kind, unless their options are few.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let has_many = entry.options.len() > FEW;
        let lines = ALL.into_iter().find(|lines| lines.chapter == entry.name);
        assert!(!has_many || lines.is_some(), "lines with {} need a section", entry.name);
        lines.filter(|_| has_many)
    }

    pub(super) const fn title(self) -> &'static str {
        self.title
    }

    /// Every option by the name of its text: that of the option, behind those it follows.
    fn options(self) -> Vec<(String, &'static Opt)> {
        let mut list = Vec::new();
        let blocks = ROOT.keywords.iter().filter_map(|keyword| match keyword.body {
            Body::Keywords(block) => Some(block),
            _ => None,
        });
        for keyword in blocks.chain([ROOT]).flat_map(|block| block.keywords) {
            let Body::Entries(entry) = keyword.body else { continue };
            if Self::of(entry).is_some_and(|lines| lines.chapter == self.chapter) {
                add(entry, "", &mut Vec::new(), &mut list);
            }
        }
        list
    }
}

fn add(
    entry: &'static Entry,
    before: &str,
    seen: &mut Vec<*const Entry>,
    to: &mut Vec<(String, &'static Opt)>,
) {
    for option in entry.options {
        let name = format!("{before}{}", option.name);
        if to.iter().all(|(known, _)| *known != name) {
            to.push((name.clone(), option));
        }
        // The tunnel of a next hop has the options of that of a route.
        let Some(nested) = option.nested else { continue };
        if !seen.contains(&std::ptr::from_ref(nested)) {
            seen.push(nested);
            add(nested, &format!("{name} "), seen, to);
        }
    }
}

pub(super) fn is_chapter(name: &str) -> bool {
    ALL.iter().any(|lines| lines.chapter == name)
}

/// The sections.
pub(super) fn mdoc(texts: &Texts) -> String {
    let mut out = String::new();
    for lines in ALL {
        out.push_str(&format!(".Ss {}\n", lines.title));
        let options = lines.options();
        groups(&mut out, &texts[lines.chapter], |out, item| {
            // Another test says which are not there.
            let names: Vec<_> = item.names.iter().map(String::as_str).collect();
            let found = options.iter().find(|(known, _)| *known == names[0]);
            let value = item.arguments.first().map(String::as_str);
            found.iter().for_each(|(_, option)| out.push_str(&option_head(&names, option, value)));
            out.push_str(&item.text.mdoc());
        });
    }
    out
}

#[test]
fn every_option_has_a_text_and_every_text_an_option() {
    let texts = super::texts::read();
    for lines in ALL {
        let mut options: Vec<_> = lines.options().into_iter().map(|(name, _)| name).collect();
        let mut named: Vec<_> = texts[lines.chapter].names().map(str::to_owned).collect();
        assert!(options.len() > FEW, "{options:?}");
        options.sort();
        named.sort();
        assert_eq!(named, options, "man/keywords/{}.txt", lines.chapter);
    }
}
