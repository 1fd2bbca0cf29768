//! Tests from whole texts to outlines and diagnostics.

mod bounds;
mod conditions;
mod definitions;
mod includes;
mod lines;

use super::*;
use crate::config::document::Node;
use crate::config::loader::Unusable;
use crate::config::tests::MemoryLoader;

/// Result of reading `/etc/k/k.conf` and its neighbours.
pub(super) struct Seen {
    /// One statement per line, words in `|`, quoted ones in `"`; a block in braces.
    pub(super) outline: String,
    /// `line:column+len message`, with the severity's letter unless it is an error.
    pub(super) complaints: Vec<String>,
    pub(super) sources: Sources,
    pub(super) diagnostics: Diagnostics,
    pub(super) document: Document,
}

pub(super) const MAIN: &str = "/etc/k/k.conf";

pub(super) fn options() -> ReadOptions {
    let env = [("HOME", "/root"), ("ODD", "a{b #c \"d")];
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ReadOptions { config_id: "main".to_owned(), env, ..ReadOptions::default() }
}

pub(super) fn see(loader: &MemoryLoader, path: &str, options: &ReadOptions) -> Seen {
    let (document, sources, diagnostics) = read(loader, path, options);
    let outline = document.roots().map(|node| outline(node, 0)).collect();
    let complaints = diagnostics.iter().map(complaint).collect();
    Seen { outline, complaints, sources, diagnostics, document }
}

pub(super) fn text(content: &str) -> Seen {
    see(&MemoryLoader::with(MAIN, content), MAIN, &options())
}

/// The outline of a text without complaints.
pub(super) fn clean(content: &str) -> String {
    let seen = text(content);
    assert_eq!(seen.complaints, [""; 0], "of {content:?}");
    seen.outline
}

/// The complaints about a text.
pub(super) fn complaints(content: &str) -> Vec<String> {
    text(content).complaints
}

fn outline(node: Node<'_>, depth: usize) -> String {
    let word = |w: crate::config::document::Word<'_>| match w.quoted {
        true => format!("\"{}\"", w.text),
        false => w.text.to_owned(),
    };
    let words: Vec<String> = node.words().map(word).collect();
    let pad = "  ".repeat(depth);
    let mut out = format!("{pad}{}", words.join("|"));
    if node.has_block() {
        out += " {\n";
        out.extend(node.children().map(|child| outline(child, depth + 1)));
        out += &format!("{pad}}}");
    }
    out + "\n"
}

fn complaint(d: &crate::base::diag::Diagnostic) -> String {
    use crate::base::diag::Severity;
    let letter = match d.severity {
        Severity::Note => "N ",
        Severity::Warning => "W ",
        Severity::Error => "",
        Severity::Fatal => "F ",
        Severity::Security => "S ",
        Severity::Insecure => "I ",
    };
    let place = d.span.map_or_else(String::new, |s| format!("{}:{}+{} ", s.line, s.column, s.len));
    let hint = d.hint.as_ref().map_or_else(String::new, |h| format!(" ({h})"));
    format!("{letter}{place}{}{hint}", d.message)
}
