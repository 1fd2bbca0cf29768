//! Files that hold a number. Nothing is read here.

use super::action::Action;
use super::note::{Flaw, Note};
use crate::base::sorted::SortedMap;
use crate::base::tracked::TrackState;
use crate::model::track::{Object, TrackFile};

#[derive(Debug, Default)]
pub(super) struct Files {
    by_name: SortedMap<String, Tracker>,
}

/// One file.
#[derive(Debug)]
struct Tracker {
    path: String,
    told: TrackState,
    flaw: Option<Flaw>,
}

impl Files {
    pub(super) fn on_configure(&mut self, files: &[TrackFile], out: &mut Vec<Action>) {
        let mut old = std::mem::take(&mut self.by_name);
        for config in files {
            // Definitions may repeat a name; the first one is meant.
            if self.by_name.contains_key(&config.name) {
                continue;
            }
            let before = old.remove(&config.name);
            let is_same = before.as_ref().is_some_and(|b| b.path == config.path);
            if before.is_some() && !is_same {
                out.push(Action::UnwatchFile { name: config.name.clone() });
            }
            // Until the new file is read, what the old one held stands.
            let mut tracker = before.unwrap_or_else(|| Tracker::new(config, out));
            if !is_same {
                tracker.path.clone_from(&config.path);
                let (name, path) = (config.name.clone(), config.path.clone());
                out.push(Action::WatchFile { name, path });
            }
            self.by_name.insert(config.name.clone(), tracker);
        }
        out.extend(old.into_keys().map(|name| Action::UnwatchFile { name }));
    }

    pub(super) fn on_content(&mut self, name: &str, content: Option<&[u8]>, out: &mut Vec<Action>) {
        let Some(t) = self.by_name.get_mut(name) else { return };
        let (value, flaw) = match content.map(parse) {
            None => (0, Some(Flaw::Missing)),
            Some(None) => (0, Some(Flaw::NotANumber)),
            Some(Some(value)) => (value, None),
        };
        if flaw != t.flaw {
            t.flaw = flaw;
            if let Some(flaw) = flaw {
                out.push(Action::Noted(Note::FileCountsAsZero { file: name.to_owned(), flaw }));
            }
        }
        let state = TrackState::Value(value);
        if t.told != state {
            t.told = state.clone();
            out.push(Action::Changed { object: Object::File(name.to_owned()), state });
        }
    }

    pub(super) fn state(&self, name: &str) -> Option<TrackState> {
        Some(self.by_name.get(name)?.told.clone())
    }
}

impl Tracker {
    fn new(config: &TrackFile, out: &mut Vec<Action>) -> Self {
        let (object, state) = (Object::File(config.name.clone()), TrackState::Pending);
        out.push(Action::Changed { object, state: state.clone() });
        Self { path: config.path.clone(), told: state, flaw: None }
    }
}

/// The number that a text begins with: decimal, `0x` hexadecimal or `0` octal, as C's `strtol`
/// reads it, kept within the range. What follows it does not matter.
fn parse(content: &[u8]) -> Option<i64> {
    let text = content.trim_ascii_start();
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16, rest)
        }
        [b'0', ..] => (8, text),
        rest => (10, rest),
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    digit(digits.first()?)?;
    let value = digits.iter().map_while(digit).fold(0i64, |sum, d| {
        let d = if is_negative { -i64::from(d) } else { i64::from(d) };
        sum.saturating_mul(i64::from(radix)).saturating_add(d)
    });
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_any_base_from_the_start() {
        let cases: [(&[u8], Option<i64>); 14] = [
            (b"5\n", Some(5)),
            (b" -20 and more", Some(-20)),
            (b"+7", Some(7)),
            (b"0x1f", Some(31)),
            (b"-0X10", Some(-16)),
            (b"010", Some(8)),
            (b"0", Some(0)),
            (b"08", Some(0)),
            (b"0xg", Some(0)),
            (b"99999999999999999999", Some(i64::MAX)),
            (b"-99999999999999999999", Some(i64::MIN)),
            (b"", None),
            (b"up", None),
            (b"-\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{}", text.escape_ascii());
        }
    }

    fn file(path: &str) -> TrackFile {
        let path = path.to_owned();
        TrackFile { name: "f".into(), path, weight: 1, reverse: false, init: None }
    }

    fn value(n: i64) -> Action {
        Action::Changed { object: Object::File("f".into()), state: TrackState::Value(n) }
    }

    #[test]
    fn a_change_is_told_once_and_a_flaw_once() {
        let (mut files, mut out) = (Files::default(), Vec::new());
        files.on_configure(&[file("/run/f")], &mut out);
        out.clear();
        let flaw = |flaw| Action::Noted(Note::FileCountsAsZero { file: "f".into(), flaw });
        files.on_content("f", None, &mut out);
        files.on_content("f", None, &mut out);
        assert_eq!(out, [flaw(Flaw::Missing), value(0)]);
        out.clear();
        files.on_content("f", Some(b"3"), &mut out);
        files.on_content("f", Some(b"3\n"), &mut out);
        assert_eq!(out, [value(3)]);
        out.clear();
        files.on_content("f", Some(b"three"), &mut out);
        assert_eq!(out, [flaw(Flaw::NotANumber), value(0)]);
        out.clear();
        files.on_content("g", Some(b"3"), &mut out);
        assert_eq!(out, []);
    }

    #[test]
    fn a_reload_keeps_the_value_of_a_file_and_of_one_that_moved() {
        let (mut files, mut out) = (Files::default(), Vec::new());
        files.on_configure(&[file("/run/f")], &mut out);
        files.on_content("f", Some(b"3"), &mut out);
        out.clear();
        files.on_configure(&[file("/run/f")], &mut out);
        assert_eq!(out, []);
        files.on_configure(&[file("/run/g")], &mut out);
        let unwatch = Action::UnwatchFile { name: "f".into() };
        let watch = Action::WatchFile { name: "f".into(), path: "/run/g".into() };
        assert_eq!(out, [unwatch.clone(), watch]);
        assert_eq!(files.state("f"), Some(TrackState::Value(3)));
        out.clear();
        files.on_configure(&[], &mut out);
        assert_eq!((out, files.state("f")), (vec![unwatch], None));
    }
}
