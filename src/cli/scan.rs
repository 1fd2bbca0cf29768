//! Splits arguments into options and the rest, as getopt_long of the C library does.
//!
//! The `getopts` crate cannot stand in for it: it stops at the first unknown option, takes the next
//! word as the value of an optional short argument (`-t FILE`), and forgets the order between
//! different options. Scripts depend on all three.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::flags::{Arg, Flag};

/// What one step of the scan found.
#[derive(Debug)]
pub(super) enum Item {
    /// An option with its value; empty where there is none.
    Flag { flag: &'static Flag, value: OsString },
    /// An option whose value is missing, as it was typed.
    Missing(OsString),
    /// No such option, as it was typed; with the options it could be short for.
    Unknown { typed: OsString, candidates: Vec<&'static str> },
}

/// Goes through the arguments; words that are no options are set aside.
pub(super) struct Scanner<'a> {
    table: &'static [Flag],
    args: &'a [OsString],
    /// The short options still to come of a word like `-nlD`.
    cluster: &'a [u8],
    operands: Vec<OsString>,
}

impl<'a> Scanner<'a> {
    /// `args` without the name of the program.
    pub(super) fn new(table: &'static [Flag], args: &'a [OsString]) -> Self {
        Self { table, args, cluster: &[], operands: Vec::new() }
    }

    /// The words that are no options, once the scan is over.
    pub(super) fn into_operands(self) -> Vec<OsString> {
        self.operands
    }

    /// The arguments not looked at yet.
    pub(super) fn rest(&self) -> &'a [OsString] {
        self.args
    }

    fn next_word(&mut self) -> Option<&'a OsStr> {
        let (first, rest) = self.args.split_first()?;
        self.args = rest;
        Some(first)
    }

    fn short(&mut self) -> Item {
        // Letters are ASCII; bytes of anything else are reported whole with their word.
        let letter = self.cluster[0];
        let after = &self.cluster[1..];
        let typed = || OsString::from_vec(vec![b'-', letter]);
        let Some(flag) = self.table.iter().find(|f| f.short == Some(char::from(letter))) else {
            if letter.is_ascii() {
                self.cluster = after;
                return Item::Unknown { typed: typed(), candidates: Vec::new() };
            }
            let word = [b"-", self.cluster].concat();
            self.cluster = &[];
            return Item::Unknown { typed: OsString::from_vec(word), candidates: Vec::new() };
        };
        if matches!(flag.arg, Arg::None) {
            self.cluster = after;
            return Item::Flag { flag, value: OsString::new() };
        }
        self.cluster = &[];
        let value = match flag.arg {
            Arg::Required(_) if after.is_empty() => match self.next_word() {
                Some(word) => word,
                None => return Item::Missing(typed()),
            },
            _ => OsStr::from_bytes(after),
        };
        Item::Flag { flag, value: value.to_owned() }
    }

    fn long(&mut self, word: &'a OsStr) -> Item {
        let body = &word.as_bytes()[2..];
        let (name, value) = match body.iter().position(|&b| b == b'=') {
            Some(at) => (&body[..at], Some(OsStr::from_bytes(&body[at + 1..]))),
            None => (body, None),
        };
        let flag = match find_long(self.table, name) {
            Ok(flag) => flag,
            Err(candidates) => return Item::Unknown { typed: word.to_owned(), candidates },
        };
        let value = match (flag.arg, value) {
            (Arg::None, None) | (Arg::Optional(_), None) => OsStr::new(""),
            (Arg::None, Some(_)) => {
                return Item::Unknown { typed: word.to_owned(), candidates: Vec::new() }
            }
            (Arg::Optional(_), Some(value)) => value,
            (Arg::Required(_), value) => match value.or_else(|| self.next_word()) {
                // `--pid=` is a mistake of a script, not a file without a name.
                Some(value) if !value.is_empty() => value,
                _ => return Item::Missing(OsString::from_vec([b"--", name].concat())),
            },
        };
        Item::Flag { flag, value: value.to_owned() }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if !self.cluster.is_empty() {
            return Some(self.short());
        }
        loop {
            let word = self.next_word()?;
            match word.as_bytes() {
                b"--" => {
                    self.operands.extend_from_slice(self.args);
                    self.args = &[];
                }
                [b'-', b'-', ..] => return Some(self.long(word)),
                [b'-', letters @ ..] if !letters.is_empty() => {
                    self.cluster = letters;
                    return Some(self.short());
                }
                _ => self.operands.push(word.to_owned()),
            }
        }
    }
}

/// The option of this name, or the only one that begins with it.
fn find_long(table: &'static [Flag], name: &[u8]) -> Result<&'static Flag, Vec<&'static str>> {
    if let Some(flag) = table.iter().find(|f| f.long.as_bytes() == name) {
        return Ok(flag);
    }
    let mut begins = table.iter().filter(|f| f.long.as_bytes().starts_with(name));
    match (begins.next(), begins.next()) {
        (Some(flag), None) => Ok(flag),
        (Some(a), Some(b)) => Err([a, b].into_iter().chain(begins).map(|f| f.long).collect()),
        (None, _) => Err(Vec::new()),
    }
}
