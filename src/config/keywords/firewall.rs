//! `nftables`, `vrrp_iptables` and `vrrp_ipsets` of `global_defs`.

use crate::base::diag::Span;
use crate::config::keyword::ValueKind;
use crate::config::table::{Given, Setting};
use crate::model::firewall::{Firewall, FirewallKind, IpSets, Iptables, Marking, Nftables};

/// The name of a chain of iptables.
pub(super) const CHAIN: ValueKind = ValueKind::Short(28);
/// The name of a set.
pub(super) const SET: ValueKind = ValueKind::Short(IpSets::MAX_NAME);

/// The settings as written.
#[derive(Default)]
pub(in crate::config) struct RawFirewall {
    /// `nftables` is there.
    named: bool,
    pub nftables: Nftables,
    /// The chains of `vrrp_iptables`.
    pub iptables: Option<Given<(String, Option<String>)>>,
    /// `vrrp_ipsets`; `None` inside: no sets.
    sets: Option<Option<IpSets>>,
    /// `nftables_ipvs` is there.
    marks: Option<Given<()>>,
    pub marking: Marking,
}

impl RawFirewall {
    pub(super) fn table(&mut self, name: Option<&str>) {
        self.named = true;
        if let Some(name) = name {
            name.clone_into(&mut self.nftables.table);
        }
    }

    pub(super) fn mark_table(&mut self, name: Given<Option<&str>>) {
        self.marks = Some(Given { value: (), span: name.span });
        if let Some(name) = name.value {
            name.clone_into(&mut self.marking.table);
        }
    }

    pub(super) fn chains(&mut self, s: &Setting<'_, '_, '_, ()>) {
        let word = |n| s.node().arg(n).map(|word| word.text.to_owned());
        let chains = match word(0) {
            None => ("INPUT".to_owned(), Some("OUTPUT".to_owned())),
            Some(input) => (input, word(1)),
        };
        self.iptables = Some(s.here(chains));
    }

    pub(super) fn sets(&mut self, mut s: Setting<'_, '_, '_, ()>) {
        let names: Vec<_> = s.node().args().map(|word| word.text).collect();
        let sets = named(&names);
        match sets.as_ref().and_then(IpSets::repeated) {
            Some(name) => s.error(format!("vrrp_ipsets has '{name}' twice: it is ignored")),
            None => self.sets = Some(sets),
        }
    }

    /// The packet filter that they describe. `iptables` is not used beside nftables.
    pub(in crate::config) fn lower(self) -> Firewall {
        let kind = match self.iptables {
            _ if self.named => FirewallKind::Nftables,
            None => FirewallKind::Default,
            Some(Given { value: (input, output), .. }) => {
                let sets = self.sets.unwrap_or_else(|| Some(IpSets::default()));
                FirewallKind::Iptables(Iptables { input, output, sets })
            }
        };
        let marking = self.marks.map(|_| self.marking);
        Firewall { kind, nftables: self.nftables, marking }
    }

    /// The place of `nftables_ipvs` if its table is that of `nftables`.
    pub(in crate::config) fn collision(&self) -> Option<Span> {
        let span = self.marks.as_ref()?.span;
        (self.marking.table == self.nftables.table).then_some(span)
    }

    /// Virtual servers get no marks.
    pub(in crate::config) fn drop_marks(&mut self) {
        self.marks = None;
    }

    /// Nftables and iptables are both given.
    pub(in crate::config) const fn is_double(&self) -> bool {
        self.named && self.iptables.is_some()
    }
}

/// The sets with these names, and with derived ones in place of those that are missing.
fn named(names: &[&str]) -> Option<IpSets> {
    let first = *names.first()?;
    let name = |n: usize, base: &str, suffix: &str| match names.get(n) {
        Some(name) => (*name).to_owned(),
        None => derived(base, suffix),
    };
    let v6 = name(1, first, "6");
    Some(IpSets {
        v4: first.to_owned(),
        v6_links: name(2, v6.strip_suffix('6').unwrap_or(&v6), "_if6"),
        v6,
        igmp: name(3, first, "_igmp"),
        mld: name(4, first, "_mld"),
        neighbors: name(5, first, "_nd"),
    })
}

/// As much of the base as there is room for.
fn derived(base: &str, suffix: &str) -> String {
    let room = IpSets::MAX_NAME - suffix.len();
    format!("{}{suffix}", crate::config::value::cut(base, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(sets: &IpSets) -> [&str; 6] {
        sets.names().map(String::as_str)
    }

    #[test]
    fn missing_names_of_sets_are_derived() {
        assert_eq!(named(&[]), None);
        assert_eq!(named(&["keepalived"]), Some(IpSets::default()));
        let sets = named(&["a", "b6"]).expect("sets");
        assert_eq!(list(&sets), ["a", "b6", "b_if6", "a_igmp", "a_mld", "a_nd"]);
        let sets = named(&["a", "b", "c", "d", "e", "f"]).expect("sets");
        assert_eq!(list(&sets), ["a", "b", "c", "d", "e", "f"]);
        let long = "x".repeat(31);
        let sets = named(&[&long]).expect("sets");
        assert_eq!(sets.v6, format!("{}6", "x".repeat(30)));
        assert!(list(&sets).iter().all(|name| name.len() == 31));
        assert_eq!(sets.repeated(), None);
    }

    #[test]
    fn names_of_sets_differ() {
        let sets = named(&["a", "b", "c", "a"]).expect("sets");
        assert_eq!(sets.repeated(), Some("a"));
        let sets = named(&["a", "a_mld"]).expect("sets");
        assert_eq!(sets.repeated(), Some("a_mld"), "a derived name counts, too");
    }

    fn lowered(named: bool, iptables: bool, sets: Option<Option<IpSets>>) -> FirewallKind {
        let span = Span { file: 0, line: 1, column: 1, len: 1 };
        let chains = Given { value: ("IN".to_owned(), None), span };
        let iptables = iptables.then_some(chains);
        let raw = RawFirewall { named, iptables, sets, ..RawFirewall::default() };
        raw.lower().kind
    }

    #[test]
    fn nftables_counts_before_iptables() {
        assert_eq!(lowered(false, false, Some(None)), FirewallKind::Default);
        assert_eq!(lowered(true, false, None), FirewallKind::Nftables);
        assert_eq!(lowered(true, true, None), FirewallKind::Nftables);
        let iptables =
            |sets| FirewallKind::Iptables(Iptables { input: "IN".to_owned(), output: None, sets });
        assert_eq!(lowered(false, true, None), iptables(Some(IpSets::default())));
        assert_eq!(lowered(false, true, Some(None)), iptables(None));
        let sets = named(&["a"]);
        assert_eq!(lowered(false, true, Some(sets.clone())), iptables(sets));
    }
}
