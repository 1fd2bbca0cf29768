//! Data dumps of two programs beside each other.
//!
//! Every line of the reference has to be in the dump of this program, in the same section and block,
//! in the same order and with the same words. This program may say more.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;

use super::{eventually, millis, pass, secs, Daemon};

/// A line that differs on purpose.
pub(crate) struct Unlike {
    /// How the line of the reference begins, without its indentation.
    pub(crate) theirs: &'static str,
    /// How the line of this program begins that stands for it; with `|` between several ways.
    pub(crate) ours: Option<&'static str>,
    pub(crate) why: &'static str,
}

pub(crate) const fn unlike(
    theirs: &'static str,
    ours: Option<&'static str>,
    why: &'static str,
) -> Unlike {
    Unlike { theirs, ours, why }
}

/// A block: its first line, which is indented by one, and those below it.
type Block<'a> = Vec<&'a str>;

/// A section: its title, and its blocks.
type Section<'a> = (&'a str, Vec<Block<'a>>);

/// Replaces what differs from one run to the other: times, descriptors, and what follows from random
/// addresses of interfaces.
fn plain(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut words: Vec<String> = line.split_whitespace().map(plain_word).collect();
    for n in 0..words.len() {
        let is_date = words[n] == "TIME" && words.get(n + 1).is_some_and(|w| w.starts_with('('));
        if is_date {
            let end = words[n..].iter().position(|word| word.ends_with(')')).unwrap_or(0);
            words.drain(n + 1..=n + end);
        }
        let is_number = |word: &String| word.trim_end_matches(',').parse::<i64>().is_ok();
        if ["fd_in", "fd_out", "ifindex"].contains(&&*words[n]) || words[n] == "index" {
            let at = if words.get(n + 1).is_some_and(|word| word == "=") { n + 2 } else { n + 1 };
            if let Some(word) = words.get_mut(at).filter(|word| is_number(word)) {
                *word = "N".to_owned();
            }
        }
        if n + 1 >= words.len() {
            break;
        }
    }
    format!("{}{}", " ".repeat(indent), words.join(" "))
}

fn plain_word(word: &str) -> String {
    let is_time = word.split_once('.').is_some_and(|(seconds, rest)| {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        seconds.len() == 10 && rest.len() == 6 && digits(seconds) && digits(rest)
    });
    let is_mac = word.len() == 17 && word.split(':').count() == 6;
    let is_link_local = word.starts_with("fe80::") && word.contains("ff:fe");
    match (is_time, is_mac, is_link_local) {
        (true, ..) => "TIME".to_owned(),
        (_, true, _) => "MAC".to_owned(),
        (.., true) => "LINK-LOCAL".to_owned(),
        _ => word.to_owned(),
    }
}

fn sections(lines: &[String]) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in lines {
        if line.contains("------<") {
            sections.push((line.trim(), Vec::new()));
            continue;
        }
        let Some((_, blocks)) = sections.last_mut() else { continue };
        let is_head = line.starts_with(' ') && !line.starts_with("  ");
        match blocks.last_mut().filter(|_| !is_head) {
            Some(block) => block.push(line),
            None => blocks.push(vec![line]),
        }
    }
    sections
}

/// What of the reference's dump is not in this program's.
pub(crate) struct Comparison<'a> {
    unlike: &'a [Unlike],
    pub(crate) complaints: Vec<String>,
    /// Which of `unlike` occurred.
    used: BTreeSet<usize>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(theirs: &str, ours: &str, unlike: &'a [Unlike]) -> Self {
        let mut new = Self { unlike, complaints: Vec::new(), used: BTreeSet::new() };
        let [theirs, ours] = [theirs, ours].map(|text| text.lines().map(plain).collect::<Vec<_>>());
        let (theirs, ours) = (sections(&theirs), sections(&ours));
        assert!(theirs.len() > 1, "the reference has no sections");
        let mut next = 0;
        for (title, blocks) in &theirs {
            if new.is_left_out(title) {
                continue;
            }
            let title = new.stands_for(title);
            match ours[next..].iter().position(|(own, _)| own.starts_with(&*title)) {
                None => new.complain(&title, "the section is missing, or out of order"),
                Some(at) => {
                    new.blocks(&title, blocks, &ours[next + at].1);
                    next += at + 1;
                }
            }
        }
        new
    }

    fn blocks(&mut self, title: &str, theirs: &[Block<'_>], ours: &[Block<'_>]) {
        let mut next = 0;
        for block in theirs {
            let head = block[0];
            if self.is_left_out(head) {
                continue;
            }
            let wanted = self.stands_for(head);
            match ours[next..].iter().position(|own| self.is_it(&wanted, head, own[0])) {
                None => self.complain(title, head),
                Some(at) => {
                    self.lines(&format!("{title}{head}"), &block[1..], &ours[next + at][1..]);
                    next += at + 1;
                }
            }
        }
    }

    fn lines(&mut self, place: &str, theirs: &[&str], ours: &[&str]) {
        let mut next = 0;
        for line in theirs {
            if self.is_left_out(line) {
                continue;
            }
            let wanted = self.stands_for(line);
            match ours[next..].iter().position(|own| self.is_it(&wanted, line, own)) {
                None => self.complain(place, line),
                Some(at) => next += at + 1,
            }
        }
    }

    /// A line is the same, or the one that stands for it.
    fn is_it(&self, wanted: &str, theirs: &str, own: &str) -> bool {
        match wanted == theirs {
            true => own == theirs,
            false => wanted.split('|').any(|way| own.trim_start().starts_with(way)),
        }
    }

    fn found(&mut self, line: &str) -> Option<&'a Unlike> {
        let line = line.trim_start();
        let found = self.unlike.iter().position(|unlike| line.starts_with(unlike.theirs))?;
        self.used.insert(found);
        Some(&self.unlike[found])
    }

    fn is_left_out(&mut self, line: &str) -> bool {
        self.found(line).is_some_and(|unlike| unlike.ours.is_none())
    }

    fn stands_for(&mut self, line: &str) -> String {
        let found = self.found(line).and_then(|unlike| unlike.ours);
        found.unwrap_or(line).to_owned()
    }

    fn complain(&mut self, place: &str, line: &str) {
        self.complaints.push(format!("{place}: {line}"));
    }

    /// Entries of the list that did not occur.
    pub(crate) fn idle(&self) -> Vec<&'static str> {
        let all = self.unlike.iter().enumerate();
        all.filter(|(n, _)| !self.used.contains(n)).map(|(_, unlike)| unlike.theirs).collect()
    }
}

/// The file that the daemon writes on SIGUSR1, as soon as it is there as a whole.
pub(crate) fn dump(daemon: &Daemon, file: &str) -> String {
    let _ = std::fs::remove_file(daemon.file(file));
    daemon.signal(Signal::SIGUSR1);
    let mut text = String::new();
    let is_whole = eventually(secs(20), || {
        let before = std::mem::replace(&mut text, daemon.read(file));
        pass(millis(100));
        !text.is_empty() && before == text
    });
    assert!(is_whole, "{} writes no {file}", daemon.name);
    text
}

/// Compares the dumps of the reference and of this program until they agree.
#[track_caller]
pub(crate) fn agree(theirs: &Daemon, ours: &Daemon, file: &str, unlike: &[Unlike]) {
    let mut seen = (String::new(), String::new());
    let mut complaints = Vec::new();
    let same = eventually(secs(30), || {
        seen = (dump(theirs, file), dump(ours, file));
        let found = Comparison::new(&seen.0, &seen.1, unlike);
        complaints = found.complaints.clone();
        complaints.extend(found.idle().iter().map(|line| format!("never needed: {line}")));
        complaints.is_empty()
    });
    if let (false, Some(folder)) = (same, std::env::var_os("KEEPALIVED_DUMPS")) {
        let folder = std::path::PathBuf::from(folder);
        std::fs::write(folder.join(format!("theirs.{file}")), &seen.0).expect("a folder");
        std::fs::write(folder.join(format!("ours.{file}")), &seen.1).expect("a folder");
    }
    let folder = std::env::var_os("KEEPALIVED_DUMPS");
    assert!(same || folder.is_none(), "{}", complaints.join("\n"));
    assert!(same, "{}\n\ntheirs:\n{}\n\nours:\n{}", complaints.join("\n"), seen.0, seen.1);
}
