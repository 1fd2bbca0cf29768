//! Rules of iptables, in the form in which `iptables-save` shows them.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::sets::SetKind;
use crate::base::addr::{Family, Prefix};
use crate::base::sorted::SortedSet;
use crate::firewall::{Entry, Vmac};
use crate::model::firewall::{IpSets, Iptables};

const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
const MLD_REPORT: u8 = 131;
const MLD2_REPORT: u8 = 143;
/// What an interface sends by itself to multicast addresses.
const BY_ITSELF: [u8; 3] = [MLD2_REPORT, MLD_REPORT, ROUTER_SOLICITATION];

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    pub(super) family: Family,
    pub(super) chain: String,
    /// At the head of the chain, not at its end.
    first: bool,
    pub(super) text: String,
}

impl Rule {
    /// True if a line of `iptables-save` shows this rule. Where the system does not list names of
    /// protocols, it has a number.
    pub(super) fn is_shown_as(&self, line: &str) -> bool {
        let line = line.replace(" -p 2 ", " -p igmp ").replace(" -p 58 ", " -p ipv6-icmp ");
        let rule = line.strip_prefix("-A ").and_then(|rest| rest.split_once(' '));
        rule == Some((&self.chain, &self.text))
    }
}

pub(super) fn add<'r>(rules: impl Iterator<Item = &'r Rule>, out: &mut String) {
    for Rule { chain, first, text, .. } in rules {
        let verb = if *first { "-I" } else { "-A" };
        let _ = writeln!(out, "{verb} {chain} {text}");
    }
}

/// Collects rules.
struct List<'s> {
    settings: &'s Iptables,
    rules: Vec<Rule>,
}

impl List<'_> {
    fn push(&mut self, family: Family, chain: &str, matches: &[&str], target: &str) {
        let matches = matches.iter().filter(|text| !text.is_empty());
        let text = matches.fold(String::new(), |text, part| text + part + " ");
        let (chain, text) = (chain.to_owned(), format!("{text}-j {target}"));
        self.rules.push(Rule { family, chain, first: false, text });
    }

    fn input(&mut self, family: Family, matches: &[&str], target: &str) {
        let chain = self.settings.input.clone();
        self.push(family, &chain, matches, target);
    }

    fn output(&mut self, family: Family, matches: &[&str], target: &str) {
        if let Some(chain) = self.settings.output.clone() {
            self.push(family, &chain, matches, target);
        }
    }

    /// Drops what comes for an address, or leaves from it. Neighbours of IPv6 may look for the
    /// address: it is what they send to it that is dropped.
    fn address(&mut self, family: Family, input: [&str; 2], output: [&str; 2]) {
        let messages = [NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT].map(icmp);
        let messages = if family == Family::V6 { &messages[..] } else { &[] };
        for message in messages {
            self.input(family, &[input[0], message, input[1]], "ACCEPT");
        }
        self.input(family, &input, "DROP");
        for message in messages {
            self.output(family, &[output[0], message, output[1]], "ACCEPT");
        }
        self.output(family, &output, "DROP");
    }

    fn vmac(&mut self, vmac: &Vmac) {
        let through = format!("-o {}", vmac.name);
        let first = self.rules.len();
        if vmac.family == Family::V4 {
            self.output(Family::V4, &[&through, "-p igmp"], "DROP");
        } else {
            for message in BY_ITSELF.map(icmp) {
                self.output(Family::V6, &[&through, &message], "DROP");
            }
            if let Some(addr) = vmac.base_link_local {
                let from = format!("-s {addr}/128");
                let message = icmp(NEIGHBOR_ADVERTISEMENT);
                self.output(Family::V6, &[&from, &through, &message], "DROP");
            }
        }
        self.rules[first..].iter_mut().for_each(|rule| rule.first = true);
    }
}

fn icmp(number: u8) -> String {
    format!("-p ipv6-icmp -m icmp6 --icmpv6-type {number}")
}

/// The rules of each entry, without sets.
pub(super) fn of_entries(settings: &Iptables, entries: &SortedSet<Entry>) -> Vec<Rule> {
    let mut list = List { settings, rules: Vec::new() };
    for entry in entries {
        match entry {
            Entry::Address(addr) => {
                let host = Prefix::host(*addr);
                let (to, from) = (format!("-d {host}"), format!("-s {host}"));
                list.address(Family::of(addr), [&to, ""], [&from, ""]);
            }
            Entry::LinkLocal { addr, name, .. } => {
                let host = Prefix::host(IpAddr::V6(*addr));
                let to = format!("-d {host} -i {name}");
                let from = format!("-s {host} -o {name}");
                list.address(Family::V6, [&to, ""], [&from, ""]);
            }
            Entry::Vmac(vmac) => list.vmac(vmac),
        }
    }
    list.rules
}

/// The rules that use sets.
pub(super) fn of_sets(settings: &Iptables, sets: &IpSets, kinds: &SortedSet<SetKind>) -> Vec<Rule> {
    let mut list = List { settings, rules: Vec::new() };
    for kind in kinds {
        let (family, name) = (kind.family(), kind.name(sets));
        let is_in = |direction: &str| format!("-m set --match-set {name} {direction}");
        match kind {
            SetKind::V4 | SetKind::V6 => {
                list.address(family, ["", &is_in("dst")], ["", &is_in("src")]);
            }
            SetKind::V6Links => {
                list.address(family, ["", &is_in("dst,src")], ["", &is_in("src,dst")]);
            }
            SetKind::Igmp => list.output(family, &["-p igmp", &is_in("dst,dst")], "DROP"),
            SetKind::Mld => {
                for message in BY_ITSELF.map(icmp) {
                    list.output(family, &[&message, &is_in("dst,dst")], "DROP");
                }
            }
            SetKind::Neighbors => {
                let message = icmp(NEIGHBOR_ADVERTISEMENT);
                list.output(family, &[&message, &is_in("src,dst")], "DROP");
            }
        }
    }
    list.rules
}
