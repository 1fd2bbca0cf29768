//! What is compared: descriptors and memory of a daemon, objects of the kernel, the journal.

use std::collections::BTreeMap;

use keepalived::status::{Change, Event, ObjectKind};

use crate::lab::{kactl_says, Daemon, Host};

/// What a process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    /// Anonymous memory in KiB.
    pub(crate) memory: usize,
}

impl Held {
    pub(crate) fn by(daemon: &Daemon) -> Self {
        let pid = daemon.pid();
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
        let memory = line.trim().trim_end_matches(" kB").parse().expect("a number");
        Self { descriptors, memory }
    }
}

/// Addresses, interfaces, routes, rules, packet filters and settings of a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Objects(Vec<String>);

impl Objects {
    pub(crate) fn of(host: &Host) -> Self {
        let mut lines = Vec::new();
        let dumps: &[(&str, &[&str])] = &[
            ("ip", &["-o", "-br", "addr"]),
            ("ip", &["-4", "route", "show", "table", "all"]),
            ("ip", &["-6", "route", "show", "table", "all"]),
            ("ip", &["rule"]),
            ("nft", &["list", "ruleset"]),
        ];
        for (program, words) in dumps {
            let text = host.output(program, words);
            lines.extend(text.lines().map(plain));
        }
        for setting in ["arp_ignore", "arp_filter", "rp_filter", "promote_secondaries"] {
            for link in ["all", "eth0"] {
                let name = format!("net/ipv4/conf/{link}/{setting}");
                lines.push(format!("{name} = {}", host.read_sysctl(&name)));
            }
        }
        lines.sort();
        Self(lines)
    }

    /// The lines that only one of the two has.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let only = |a: &Self, b: &Self, sign: char| {
            let lines = a.0.iter().filter(|line| !b.0.contains(line));
            lines.map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
        };
        [only(self, other, '-'), only(other, self, '+')].concat()
    }
}

/// Without numbers that change with time, and the index of a peer.
fn plain(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| *word == "expires") {
        words.drain(at..(at + 2).min(words.len()));
    }
    let words = words.into_iter().map(|word| word.split("@if").next().unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Every change of a state has a cause, and begins where the one before ended.
pub(crate) fn check_journal(daemon: &Daemon) {
    let text = kactl_says(daemon, &["events", "--json"]);
    let mut states: BTreeMap<(ObjectKind, String), String> = BTreeMap::new();
    let mut count = 0;
    for line in text.lines().filter(|line| line.contains("\"number\"")) {
        let event: Event = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let Change::State { from, to } = &event.change else { continue };
        count += 1;
        // The kernel does not say why an interface is down.
        if event.kind == ObjectKind::Interface {
            continue;
        }
        let why = event.why.as_deref().unwrap_or_default();
        assert!(!why.is_empty(), "{}: {line} has no cause", daemon.name);
        let before = states.insert((event.kind, event.name.clone()), to.clone());
        if let (Some(before), Some(from)) = (before, from) {
            assert_eq!(&before, from, "{}: a change is missing before {line}", daemon.name);
        }
    }
    assert!(count > 0, "{}: no change of a state: {text}", daemon.name);
}
