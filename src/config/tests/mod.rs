//! For the tests of the stages: a document from text without the reader of files, and a machine with
//! interfaces.

#[cfg(all(feature = "lvs", feature = "bfd"))]
mod every_keyword;
#[path = "../../../tests/config/memory.rs"]
mod memory;

pub(super) use memory::{MemoryHost, MemoryLoader};

use super::document::{Builder, Document, Word};
use super::host::{Host, LinkFacts};
use super::lower;
use crate::base::diag::{Diagnostics, Sources, Span};
use crate::config;
use crate::model;
use crate::model::Config;

/// A machine with `eth0`, `eth1`, `lo`, and `tun0` that has no multicast; a user `ops`, and
/// commands of root's.
pub(super) fn machine() -> MemoryHost {
    let link = LinkFacts::plain(2);
    MemoryHost::default()
        .with_made(&[])
        .and_link("eth0", link)
        .and_link("eth1", link)
        .and_link("lo", link)
        .and_link("tun0", LinkFacts { multicast: false, ethernet: false, ..link })
        .and_user("ops", 1000, 100)
        .and_program("/bin/sh")
        .and_program("/usr/bin/true")
        .and_program("/usr/bin/check")
        .and_program("/usr/bin/notify")
        .and_key(
            "/etc/key",
            "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
            false,
        )
        .and_key("/etc/open", "0123456789012345678901234567890123456789\r\n", true)
        .and_key("/etc/short", "hex:00", false)
}

/// Words, braces and double quotes; one statement per line or brace.
pub(super) fn document(text: &str) -> Document {
    let mut b = Builder::default();
    for (number, line) in text.lines().enumerate() {
        let mut words: Vec<Word<'_>> = Vec::new();
        let mut rest = line;
        let at = |word: &str| Span {
            file: 0,
            line: number as u32 + 1,
            column: (word.as_ptr() as usize - line.as_ptr() as usize) as u32 + 1,
            len: word.chars().count() as u32,
        };
        loop {
            rest = rest.trim_start();
            let end = rest.find([' ', '{', '}']).unwrap_or(rest.len());
            let brace = rest.starts_with(['{', '}']);
            if rest.is_empty() || brace {
                if let Some(first) = words.first() {
                    let from =
                        first.text.as_ptr() as usize - line.as_ptr() as usize + first.text.len();
                    let to = line.len() - rest.len();
                    b.statement(&words, line[from.min(to)..to].trim());
                    words.clear();
                }
            }
            match rest.chars().next() {
                None => break,
                Some('{') => {
                    b.open();
                    rest = &rest[1..];
                }
                Some('}') => {
                    b.close();
                    rest = &rest[1..];
                }
                Some('"') => {
                    let end = rest[1..].find('"').expect("a closed quote") + 1;
                    let word = &rest[1..end];
                    words.push(Word { text: word, span: at(word), quoted: true });
                    rest = &rest[end + 1..];
                }
                Some(_) => {
                    let word = &rest[..end];
                    words.push(Word { text: word, span: at(word), quoted: false });
                    rest = &rest[end..];
                }
            }
        }
    }
    b.finish()
}

/// Lowers `text`; returns the diagnostics as shown, one line each and without the source.
pub(super) fn lowered(text: &str) -> (Config, Vec<String>) {
    lowered_on(&machine(), text)
}

/// The same on another machine.
pub(super) fn lowered_on(host: &dyn Host, text: &str) -> (Config, Vec<String>) {
    let mut diags = Diagnostics::default();
    let sources = Sources::default();
    let config = lower(&document(text), &sources, host, &mut diags);
    let told = diags
        .iter()
        .map(|d| {
            let mut out = String::new();
            d.render(&sources, &mut out);
            let out = out.trim_end().replace("(?: Line", "(Line").replace("\n    ", " | ");
            format!("{:?} {out}", d.severity)
        })
        .collect();
    (config, told)
}

/// Diagnostics for `text`.
pub(super) fn told(text: &str) -> Vec<String> {
    lowered(text).1
}
